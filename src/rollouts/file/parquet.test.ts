/** Parquet in every codec that trainers' tools write, and a sentence for the one that cannot be read. */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fromBlob } from './bytes';
import { FIXTURE_ROWS, parquetBytes } from './fixtures/parquet-bytes';
import { readRolloutFiles } from './read';

const committed = (name: string) =>
  new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
const read = (bytes: Uint8Array<ArrayBuffer>, name = 'step_1.parquet') =>
  readRolloutFiles([fromBlob(name, new Blob([bytes]))]);

const FILES = {
  uncompressed: () => parquetBytes('UNCOMPRESSED'),
  snappy: () => parquetBytes('SNAPPY'),
  gzip: () => parquetBytes('GZIP', gzipSync),
  brotli: () => parquetBytes('BROTLI', brotliCompressSync),
  // Node 20 writes neither; `scripts/parquet-fixtures.ts` made these.
  zstd: () => committed('zstd.parquet'),
  lz4: () => committed('lz4.parquet'),
};

describe('Parquet', () => {
  it.each(Object.entries(FILES))('%s', async (_, bytes) => {
    const { rollouts, files, groupIds } = await read(bytes());
    expect(files[0]).toMatchObject({ format: 'parquet', sequences: FIXTURE_ROWS.length });
    expect(Array.from(rollouts.logpOld)).toEqual(FIXTURE_ROWS.flatMap((row) => row.old_log_probs));
    expect(Array.from(rollouts.logpNew)).toEqual(FIXTURE_ROWS.flatMap((row) => row.log_probs));
    expect(Array.from(rollouts.reward)).toEqual(FIXTURE_ROWS.map((row) => row.score));
    expect(groupIds).toEqual(['q0', 'q1', 'q2']);
  });

  it('gzip around a compressed file', async () => {
    const plain = await read(parquetBytes('SNAPPY'));
    const wrapped = await read(new Uint8Array(gzipSync(FILES.zstd())), 'step_1.parquet.gz');
    expect(wrapped.files[0]).toMatchObject({ format: 'parquet', compression: 'gzip' });
    expect(wrapped.rollouts).toEqual(plain.rollouts);
  });

  it('names a codec that it cannot read', async () => {
    await expect(read(parquetBytes('LZO', (page) => page.slice()))).rejects.toThrow(
      'step_1.parquet: is compressed with LZO, which cannot be read here. Write it with snappy, gzip',
    );
  });

  it.each(['gzip', 'zstd', 'lz4', 'brotli'] as const)('a damaged %s page', async (codec) => {
    const bytes = FILES[codec]();
    // The magic stays; the first page does not.
    bytes.fill(0xa5, 40, 140);
    await expect(read(bytes)).rejects.toThrow(/step_1\.parquet.*(damaged|must be)/s);
  });
});
