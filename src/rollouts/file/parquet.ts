/**
 * Parquet rows as plain objects, one row group after another, only the columns that the format knows.
 * Contract: rows are unchecked values for `parseRecord`; a damaged file or a codec that is not built in is
 * an error with a sentence.
 */
import {
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
} from 'hyparquet';
import { wholeFile } from './bytes';
import { RolloutFileError } from './problems';
import { FIELD_NAMES } from './record';

const KNOWN = new Set<string>(Object.values(FIELD_NAMES).flat());
/** `response` is not used; reading it would cost as much as everything else. */
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
  const reason = error instanceof Error ? error.message : String(error);
  const codec = /compress|codec/i.test(reason)
    ? ' Built in are snappy and no compression; write the file with one of them.'
    : ' The file may be cut or damaged.';
  return new RolloutFileError(wholeFile(name, `cannot be read as Parquet (${reason}).${codec}`), {
    cause: error,
  });
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
