/** What the reader's tests share: three responses, ways to make files of them, and to hear what is refused. */
import { expect } from 'vitest';
import { fromBlob } from './bytes';
import { RolloutFileError } from './problems';
import { readRolloutFiles, type ReadOptions } from './read';

export const PARQUET = new URL('./fixtures/rollouts.parquet', import.meta.url);

export const old = [
  [-0.5, -1.2],
  [-2, -1.5, -3],
  [-0.1, -1, -0.7, -2.2, -0.05],
];
export const next = [
  [-0.275, -0.9],
  [-2.5, -0.3, -3.703],
  [-0.05, -1.3, -0.68, -1.971, -0.048],
];
export type Row = Record<string, unknown>;
export const rows: Row[] = old.map((logp_old, i) => ({
  v: 1,
  step: 12,
  group: 'q1',
  sample: i,
  logp_old,
  logp_new: next[i],
  reward: [1, 0, 0.8][i],
}));
export const jsonl = (list: Row[]) => list.map((row) => JSON.stringify(row)).join('\n') + '\n';
export const file = (name: string, ...parts: BlobPart[]) => fromBlob(name, new Blob(parts));
export const read = (text: string, options?: ReadOptions, name = 'run.jsonl') =>
  readRolloutFiles([file(name, text)], options);
export async function gzipped(text: BlobPart): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RolloutFileError);
  return (error as Error).message;
}
export const broken = (change: Row, at = 1) =>
  jsonl(rows.map((row, i) => (i === at ? { ...row, ...change } : row)));
