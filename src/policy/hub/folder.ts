/**
 * A folder of the person's own as a repository. Contract: nothing is read but names and sizes; the files stay where they
 * are until a run wants them.
 */
import { FetchError } from '../fetch';
import type { FolderFile, Repository, RepositoryFile } from '../foreign/repository';
import { refOf } from './address';
import { graphsOf, isOfUse } from './graphs';
import { checkUsable } from './listing';

export interface Folder {
  repository: Repository;
  blobs: ReadonlyMap<string, Blob>;
}

/** @throws FetchError where there is no model in it */
export function openFolder(name: string, given: readonly FolderFile[]): Folder {
  const root = rootOf(given);
  const blobs = new Map<string, Blob>();
  for (const { path, blob } of given) {
    const below = path.startsWith(root) ? path.slice(root.length) : null;
    if (below !== null && isOfUse(below)) blobs.set(below, blob);
  }
  const files: RepositoryFile[] = [...blobs].map(([path, { size }]) => ({
    path,
    bytes: size,
    sha256: null,
  }));
  const ref = refOf({ kind: 'folder', name: nameFor(name, root) });
  const repository: Repository = {
    ref,
    revision: null,
    files,
    graphs: graphsOf(files),
    licence: null,
    card: null,
  };
  checkUsable(repository);
  return { repository, blobs };
}

/** The folder that holds `config.json`, nearest to the top; with its closing slash. */
function rootOf(given: readonly FolderFile[]): string {
  const configs = given
    .map(({ path }) => path)
    .filter((path) => path === 'config.json' || path.endsWith('/config.json'))
    .sort((a, b) => a.split('/').length - b.split('/').length);
  const [config] = configs;
  if (config === undefined) {
    throw new FetchError(
      'The folder has no config.json: choose the one that holds config.json, tokenizer.json and the ONNX files.',
    );
  }
  return config.slice(0, -'config.json'.length);
}

/** The name of the folder itself, without what a ref cannot hold. */
function nameFor(name: string, root: string): string {
  const own = root.split('/').at(-2) ?? name;
  const clean = own
    .replaceAll(/[\\/:*?"<>|]/g, '-')
    .replaceAll('..', '-')
    .trim()
    .slice(0, 100);
  return clean === '' ? 'folder' : clean;
}
