/**
 * Parquet rows as plain objects, one row group after another, only the columns that the format knows.
 * Contract: rows are unchecked values for `parseRecord`; a damaged file or a codec that nobody here reads is
 * an error with a sentence. Snappy is built in; gzip, zstd, brotli and lz4 are fetched when a file needs them.
 */
import {
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
} from 'hyparquet';
import { wholeFile } from './bytes';
import { RolloutFileError } from './problems';
import { FIELD_NAMES } from './fields';
import { message } from '../../message';

const KNOWN = new Set<string>(Object.values(FIELD_NAMES).flat());
/** `response` is not kept; reading it would cost as much as everything else. */
const UNUSED = new Set<string>(FIELD_NAMES.response);
/** rows decoded at once: bounds memory where a row group holds the whole file */
const ROWS_AT_ONCE = 2048;

export interface RowBatch {
  /** number of the first row, from 1 */
  first: number;
  rows: unknown[];
  /** share of the file's rows that are done after this batch */
  done: number;
}

function unreadable(name: string, error: unknown): RolloutFileError {
  const reason = message(error);
  return new RolloutFileError(
    wholeFile(name, `cannot be read as Parquet (${reason}). The file may be cut or damaged.`),
    { cause: error },
  );
}

/** Read without further code. */
const BUILT_IN: ReadonlySet<string> = new Set(['UNCOMPRESSED', 'SNAPPY']);

/**
 * Decompressors for the codecs of the wanted columns; undefined where the built-in ones are enough.
 * @throws RolloutFileError naming a codec that cannot be read
 */
async function decompressorsFor(
  name: string,
  metadata: FileMetaData,
  columns: readonly string[],
): Promise<Compressors | undefined> {
  const wanted = new Set(columns);
  const codecs = new Set<string>();
  for (const group of metadata.row_groups) {
    for (const { meta_data: chunk } of group.columns) {
      if (chunk && wanted.has(chunk.path_in_schema[0] as string)) codecs.add(chunk.codec);
    }
  }
  if ([...codecs].every((codec) => BUILT_IN.has(codec))) return undefined;
  const more = await import('hyparquet-compressors');
  const others: Compressors = {
    GZIP: more.decompressGzip,
    BROTLI: more.decompressBrotli,
    ZSTD: (page) => more.decompressZstd(page),
    LZ4: more.decompressLz4,
    LZ4_RAW: more.decompressLz4Raw,
  };
  const unknown = [...codecs].find(
    (codec) => !BUILT_IN.has(codec) && !Object.hasOwn(others, codec),
  );
  if (unknown === undefined) return others;
  throw new RolloutFileError(
    wholeFile(
      name,
      `is compressed with ${unknown}, which cannot be read here. Write it with snappy, gzip, zstd, brotli, lz4 or no compression.`,
    ),
  );
}

export async function* readParquet(
  name: string,
  buffer: AsyncBuffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowBatch> {
  try {
    const metadata = await parquetMetadataAsync(buffer);
    const columns = parquetSchema(metadata)
      .children.map((child) => child.element.name)
      .filter((column) => KNOWN.has(column) && !UNUSED.has(column));
    const compressors = await decompressorsFor(name, metadata, columns);
    const total = Number(metadata.num_rows);
    let start = 0;
    for (const group of metadata.row_groups) {
      const groupEnd = start + Number(group.num_rows);
      while (start < groupEnd) {
        signal?.throwIfAborted();
        const end = Math.min(groupEnd, start + ROWS_AT_ONCE);
        const rows: unknown[] = await parquetReadObjects({
          file: buffer,
          metadata,
          columns,
          ...(compressors && { compressors }),
          rowStart: start,
          rowEnd: end,
        });
        yield { first: start + 1, rows, done: end / total };
        start = end;
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RolloutFileError) throw error;
    throw unreadable(name, error);
  }
}
