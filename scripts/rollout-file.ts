/** Node's side of `RolloutFile`: a path read as a stream, or at random for Parquet; folders as on the page. */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { RolloutFile } from '../src/rollouts/file/bytes';
import { folderFiles, isHidden } from '../src/rollouts/file/folder';

const CHUNK_BYTES = 2 ** 20;

export class PathError extends Error {
  override name = 'PathError';
}

/** Where a file lies, and as what a person knows it. */
interface Found {
  path: string;
  name: string;
  fromFolder: boolean;
}

/** @throws PathError when there is no such file */
async function rolloutFile({ path, name, fromFolder }: Found): Promise<RolloutFile> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) throw new PathError(`${path}: there is no such file.`);
  return {
    name,
    fromFolder,
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

/** All files below a folder; links to folders are not followed, since they may lead back. */
async function walk(path: string, name: string): Promise<Found[]> {
  const out: Found[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (isHidden(entry.name)) continue;
    const child = { path: join(path, entry.name), name: `${name}/${entry.name}` };
    if (entry.isDirectory()) out.push(...(await walk(child.path, child.name)));
    else if (entry.isFile() || (await stat(child.path).catch(() => undefined))?.isFile()) {
      out.push({ ...child, fromFolder: true });
    }
  }
  return out;
}

/**
 * The files at the paths; a folder becomes the files below it that the lab can read, by step and name.
 * @throws PathError when there is no such file, or none in a folder
 */
export async function rolloutFiles(paths: readonly string[]): Promise<RolloutFile[]> {
  const found: Found[] = [];
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    if (!info?.isDirectory()) {
      found.push({ path, name: path, fromFolder: false });
      continue;
    }
    const files = folderFiles(await walk(path, basename(resolve(path))));
    if (files.length === 0) {
      throw new PathError(`${path}: the folder holds no .jsonl, .json or .parquet file.`);
    }
    for (const file of files) found.push(file);
  }
  return Promise.all(found.map(rolloutFile));
}
