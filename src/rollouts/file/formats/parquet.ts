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
import { collectBytes, wholeFile } from '../bytes';
import { RolloutFileError } from '../problems';
import { fieldOf } from '../fields';
import type { Content, Format } from './format';
import { message } from '../../../message';

const MAX_PACKED_BYTES = 2 ** 30;
/** rows decoded at once: bounds memory where a row group holds the whole file */
const ROWS_AT_ONCE = 2048;

/** `response` is not kept; reading it would cost as much as everything else. */
function isWanted(column: string): boolean {
  const field = fieldOf(column);
  return field !== undefined && field !== 'response';
}

interface RowBatch {
  /** number of the first row, from 1 */
  first: number;
  rows: unknown[];
  /** columns that nobody here knows */
  unread: readonly string[];
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
      if (chunk && wanted.has(chunk.path_in_schema[0])) codecs.add(chunk.codec);
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

async function* readRows(
  name: string,
  buffer: AsyncBuffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowBatch> {
  try {
    const metadata = await parquetMetadataAsync(buffer);
    const names = parquetSchema(metadata).children.map((child) => child.element.name);
    const columns = names.filter(isWanted);
    const unread = names.filter((name) => fieldOf(name) === undefined);
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
        yield { first: start + 1, rows, unread, done: end / total };
        start = end;
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RolloutFileError) throw error;
    throw unreadable(name, error);
  }
}

const MAGIC = [0x50, 0x41, 0x52, 0x31];

/** Read out of order: from the file where it lies, or from memory where it is packed or in a zip. */
async function bufferOf({ file, compression, all, close }: Content): Promise<AsyncBuffer> {
  if (compression === null) {
    await close();
    return {
      byteLength: file.size,
      slice: (start, end) => file.slice(start, end ?? file.size),
    };
  }
  const advice = 'Parquet is compressed inside; unpack it first.';
  const bytes = await collectBytes(file.name, all, MAX_PACKED_BYTES, advice);
  return {
    byteLength: bytes.byteLength,
    slice: (start, end) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
}

export const parquet: Format<'parquet'> = {
  id: 'parquet',
  recognise: ({ bytes }) => MAGIC.every((byte, i) => bytes[i] === byte),
  async *read(content) {
    const { file, signal, progress } = content;
    const buffer = await bufferOf(content);
    for await (const { first, rows, unread, done } of readRows(file.name, buffer, signal)) {
      yield {
        unit: 'row',
        unread,
        records: rows.map((row, i) => ({ index: first + i, value: () => row })),
      };
      progress(done);
    }
  },
};
