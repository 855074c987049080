/** Node's side of `RolloutFile`: a path read as a stream, or at random for Parquet. */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RolloutFile } from '../src/rollouts/file/bytes';

const CHUNK_BYTES = 2 ** 20;
const READABLE = /\.(jsonl|ndjson|json|parquet)(\.gz)?$/i;

export class PathError extends Error {
  override name = 'PathError';
}

/** @throws PathError when there is no such file */
export async function rolloutFile(path: string): Promise<RolloutFile> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) throw new PathError(`${path}: there is no such file.`);
  return {
    name: basename(path),
    size: info.size,
    stream: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }),
    async slice(start, end) {
      const handle = await open(path);
      try {
        const buffer = new Uint8Array(end - start);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
        return buffer.buffer.slice(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

/** Folders become the files in them that the lab can read, in natural order (step2 before step10). */
export async function expandPaths(paths: readonly string[]): Promise<string[]> {
  const out: string[] = [];
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    if (!info?.isDirectory()) {
      out.push(path);
      continue;
    }
    const names = (await readdir(path)).filter((name) => READABLE.test(name));
    if (names.length === 0) {
      throw new PathError(`${path}: the folder holds no .jsonl, .json or .parquet file.`);
    }
    names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    out.push(...names.map((name) => join(path, name)));
  }
  return out;
}
