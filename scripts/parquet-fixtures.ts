/**
 * Writes the Parquet fixtures whose codecs Node 20 cannot produce: zstd and lz4, by the command-line tools
 * of those names. Needs both on the PATH; the files are committed, so nobody else has to run it.
 *
 *   npx tsx scripts/parquet-fixtures.ts
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parquetBytes } from '../src/rollouts/file/fixtures/parquet-bytes';

const FOLDER = new URL('../src/rollouts/file/fixtures/', import.meta.url);

function pipe(command: string, flags: string[], input: Uint8Array): Uint8Array {
  return new Uint8Array(execFileSync(command, flags, { input }));
}

/** The block of a frame that holds exactly one: what Parquet calls LZ4_RAW. */
function lz4Block(input: Uint8Array): Uint8Array {
  const frame = pipe('lz4', ['-9', '-c', '-B7', '--no-frame-crc', '--no-content-size'], input);
  const header = 7;
  const size = new DataView(frame.buffer, frame.byteOffset).getUint32(header, true);
  if (size >= 2 ** 31) throw new Error('lz4 stored the block as it is; give it more to compress.');
  return frame.slice(header + 4, header + 4 + size);
}

writeFileSync(
  new URL('zstd.parquet', FOLDER),
  parquetBytes('ZSTD', (page) => pipe('zstd', ['-19', '-c', '-q'], page)),
);
writeFileSync(new URL('lz4.parquet', FOLDER), parquetBytes('LZ4_RAW', lz4Block));
