/**
 * Where a model lies: what a person writes, and the text that settings and links hold (`ModelRef`). Contract: a text
 * that names no place is a FetchError that says what may stand there; nothing is fetched.
 */
import { FetchError } from '../fetch';
import { modelRefSchema, partsOf, type ModelRef } from '../foreign/repository';
import * as v from 'valibot';

/** The public hub. */
export const HUB = 'https://huggingface.co';

export type Place =
  /** revision: a branch, a tag or a commit */
  | { kind: 'hub'; id: string; revision: string }
  /** base without its closing slash; revision as in `base/resolve/REVISION/file` */
  | { kind: 'server'; base: string; revision: string }
  | { kind: 'folder'; name: string };

const MAIN = 'main';
const COMMIT = /^[0-9a-f]{40}$/;
export const isCommit = (revision: string): boolean => COMMIT.test(revision);

const WHAT =
  'Write OWNER/NAME of the hub (with @REVISION for another one than main), or the https address of a ' +
  'server that has the hub’s layout.';

/** @throws FetchError */
export function readPlace(text: string): Place {
  const typed = text.trim();
  const place = readRef(typed) ?? readUrl(typed) ?? readRef(`hub:${typed}`);
  if (place === null) {
    throw new FetchError(`“${typed.slice(0, 80)}” names no model. ${WHAT}`);
  }
  return place;
}

/** null: no ref */
function readRef(ref: string): Place | null {
  if (!v.is(modelRefSchema, ref)) return null;
  const { repository } = partsOf(ref);
  const at = repository.indexOf(':');
  const rest = repository.slice(at + 1);
  switch (repository.slice(0, at)) {
    case 'folder':
      return { kind: 'folder', name: rest };
    case 'server':
      return readUrl(rest);
    default: {
      const [id, revision] = rest.split('@');
      return { kind: 'hub', id, revision: revision ?? MAIN };
    }
  }
}

function readUrl(text: string): Place | null {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  // Names and passwords of accounts have no place in a link.
  if (url.username !== '' || url.password !== '') return null;
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const split = parts.findIndex((part) => ['resolve', 'tree', 'blob'].includes(part));
  const before = split < 0 ? parts : parts.slice(0, split);
  const revision = (split < 0 ? undefined : parts[split + 1]) ?? MAIN;
  if (url.origin === HUB) {
    return before.length === 2 ? readRef(`hub:${before.join('/')}@${revision}`) : null;
  }
  return { kind: 'server', base: [url.origin, ...before].join('/'), revision };
}

/** @param commit what the revision was resolved to, where that is known */
export function refOf(place: Place, commit: string | null = null): ModelRef {
  switch (place.kind) {
    case 'folder':
      return `folder:${place.name}`;
    case 'hub':
      return `hub:${place.id}@${commit ?? place.revision}`;
    case 'server': {
      const revision = commit ?? place.revision;
      return `server:${place.base}${revision === MAIN ? '' : `/resolve/${revision}`}`;
    }
  }
}

/** Under which people know it: "owner/name", "host/path", the folder. */
export function nameOf(ref: ModelRef): string {
  const place = readPlace(ref);
  switch (place.kind) {
    case 'folder':
      return place.name;
    case 'hub':
      return place.id;
    case 'server':
      return place.base.replace(/^https?:\/\//, '');
  }
}

/** Address of a file. */
export function fileAddress(place: Exclude<Place, { kind: 'folder' }>, path: string): string {
  const base = place.kind === 'hub' ? `${HUB}/${place.id}` : place.base;
  const parts = path.split('/').map(encodeURIComponent).join('/');
  return `${base}/resolve/${encodeURIComponent(place.revision)}/${parts}`;
}

/** Address of what a hub says about a repository; null: such a place has no owner and name. */
export function listingAddress(place: Exclude<Place, { kind: 'folder' }>): string | null {
  const revision = encodeURIComponent(place.revision);
  if (place.kind === 'hub') {
    return `${HUB}/api/models/${place.id}/revision/${revision}?blobs=true`;
  }
  const url = new URL(place.base);
  const parts = url.pathname.split('/').filter((part) => part !== '');
  if (parts.length < 2) return null;
  const above = [url.origin, ...parts.slice(0, -2)].join('/');
  return `${above}/api/models/${parts.slice(-2).join('/')}/revision/${revision}?blobs=true`;
}

export function cardAddress(place: Place): string | null {
  switch (place.kind) {
    case 'folder':
      return null;
    case 'hub':
      return `${HUB}/${place.id}/tree/${place.revision}`;
    case 'server':
      return fileAddress(place, 'README.md');
  }
}
