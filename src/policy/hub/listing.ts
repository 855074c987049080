/**
 * What a repository holds. Contract: a few small requests, made because a person asked for them; a revision is resolved
 * to a commit where the place has such; what the server says is checked by schema. A hub answers from its API; a server
 * without one is asked for the names that a model's files have.
 */
import * as v from 'valibot';
import { FetchError } from '../fetch';
import {
  DTYPES,
  repositoryPathSchema,
  type Repository,
  type RepositoryFile,
} from '../foreign/repository';
import {
  cardAddress,
  fileAddress,
  isCommit,
  listingAddress,
  nameOf,
  refOf,
  type Place,
} from './address';
import { DESCRIPTIONS, firstDataName, graphNames, graphsOf, isOfUse, NEEDED } from './graphs';
import { ConnectionError, hostOf, MissingError, request, smallBody, type Fetch } from './request';

/** Bytes of a listing; the largest known has about 2 MB. */
const MAX_LISTING = 16e6;
/** Bytes of a small file that the lab reads as text. */
export const MAX_DESCRIPTION = 64e6;
/** Bytes of a graph and its data: what a runtime of 4 GB can hold beside what it computes. */
export const MAX_MODEL = 2 ** 31;

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const licence = v.union([v.string(), v.array(v.string())]);
const answerSchema = v.object({
  sha: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  siblings: v.pipe(
    v.array(
      v.object({
        rfilename: v.string(),
        size: v.optional(v.nullable(size)),
        lfs: v.optional(
          v.nullable(v.object({ sha256: v.optional(sha256), size: v.optional(size) })),
        ),
      }),
    ),
    v.maxLength(50_000),
  ),
  tags: v.optional(v.array(v.string())),
  cardData: v.optional(v.nullable(v.object({ license: v.optional(v.nullable(licence)) }))),
});

/** As it is listed, and what may still change at the server. */
export interface Listing {
  repository: Repository;
  place: Place;
}

type Remote = Exclude<Place, { kind: 'folder' }>;

/** @throws FetchError with a sentence: not there, no graph, too large, no list */
export async function listRepository(
  place: Remote,
  fetcher: Fetch,
  signal?: AbortSignal,
): Promise<Listing> {
  const listing =
    (await fromApi(place, fetcher, signal)) ?? (await byNames(place, fetcher, signal));
  checkUsable(listing.repository);
  return listing;
}

/** @throws FetchError where the lab cannot run it, whatever its files say */
export function checkUsable({ ref, files, graphs }: Repository): void {
  const name = nameOf(ref);
  const missing = NEEDED.filter((needed) => !files.some(({ path }) => path === needed));
  if (missing.length > 0) {
    throw new FetchError(
      `${name} has no ${missing.join(' and no ')}: the lab reads models in Hugging Face layout, with config.json, ` +
        'tokenizer.json and onnx/model.onnx.',
    );
  }
  if (graphs.length === 0) {
    throw new FetchError(
      `${name} has no ONNX graph under the usual names (onnx/model.onnx, onnx/model_q4.onnx, ...). Look for an ` +
        'ONNX version of it, often under onnx-community.',
    );
  }
}

async function fromApi(
  place: Remote,
  fetcher: Fetch,
  signal: AbortSignal | undefined,
): Promise<Listing | null> {
  const address = listingAddress(place);
  if (address === null) return null;
  const name = nameOf(refOf(place));
  let text: string;
  try {
    const response = await request(fetcher, address, { what: `the list of ${name}`, signal });
    // A server that answers every address with its start page has no list.
    const json = response.headers.get('content-type')?.includes('json') ?? false;
    if (place.kind === 'server' && !json) {
      await response.body?.cancel();
      return null;
    }
    text = await smallBody(response, `The list of ${name}`, MAX_LISTING);
  } catch (error) {
    // Not every server has an API, nor lets pages of others read its answer that it has none.
    if (
      place.kind === 'server' &&
      (error instanceof MissingError || error instanceof ConnectionError)
    ) {
      signal?.throwIfAborted();
      return null;
    }
    throw error;
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), answerSchema), text);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new FetchError(
      `${hostOf(address)} does not list ${name} as a hub does: ${v.getDotPath(issue) ?? 'the answer'}: ${issue.message}`,
    );
  }
  const { sha, siblings, tags, cardData } = parsed.output;
  const files = siblings.flatMap(({ rfilename, size, lfs }): RepositoryFile[] =>
    isOfUse(rfilename) && v.is(repositoryPathSchema, rfilename)
      ? [{ path: rfilename, bytes: lfs?.size ?? size ?? 0, sha256: lfs?.sha256 ?? null }]
      : [],
  );
  const pinned: Remote = { ...place, revision: sha };
  return {
    place: pinned,
    repository: {
      ref: refOf(pinned),
      revision: sha,
      files,
      graphs: graphsOf(files),
      licence: licenceOf(cardData?.license, tags),
      card: cardAddress(pinned),
    },
  };
}

function licenceOf(
  given: v.InferOutput<typeof licence> | null | undefined,
  tags: readonly string[] = [],
): string | null {
  const names =
    given === null || given === undefined
      ? tags.filter((tag) => tag.startsWith('license:')).map((tag) => tag.slice('license:'.length))
      : [given].flat();
  return names.length === 0 ? null : names.join(', ').slice(0, 100);
}

/** One request for each name that a model's file may have; of a graph's names the first that is there. */
async function byNames(
  place: Remote,
  fetcher: Fetch,
  signal: AbortSignal | undefined,
): Promise<Listing> {
  const find = async (name: string): Promise<RepositoryFile[]> => {
    const bytes = await sizeOf(place, name, fetcher, signal);
    return bytes === null ? [] : [{ path: name, bytes, sha256: null }];
  };
  // The one that is never missing: whether there is a repository at all.
  const config = await find('config.json');
  if (config.length === 0) {
    throw new FetchError(
      `${nameOf(refOf(place))} has no config.json: asked for ${fileAddress(place, 'config.json')}.`,
    );
  }
  const others = [...DESCRIPTIONS.filter((name) => name !== 'config.json'), 'model.safetensors'];
  const found = await Promise.all([
    ...others.map(find),
    ...DTYPES.map((dtype) => firstGraph(graphNames(dtype), find)),
  ]);
  const files = [config, ...found].flat();
  const revision = isCommit(place.revision) ? place.revision : null;
  return {
    place,
    repository: {
      ref: refOf(place),
      revision,
      files,
      graphs: graphsOf(files),
      licence: null,
      card:
        (await sizeOf(place, 'README.md', fetcher, signal)) === null ? null : cardAddress(place),
    },
  };
}

/** With its data, as far as they are numbered without a gap. */
async function firstGraph(
  names: readonly string[],
  find: (name: string) => Promise<RepositoryFile[]>,
): Promise<RepositoryFile[]> {
  for (const name of names) {
    const graph = await find(name);
    if (graph.length === 0) continue;
    const files = [...graph];
    for (let part = 0; ; part++) {
      const data = await find(`${firstDataName(name)}${part === 0 ? '' : `_${part}`}`);
      if (data.length === 0) return files;
      files.push(...data);
    }
  }
  return [];
}

/** Bytes as the server says; 0 where it does not; null: no such file. */
async function sizeOf(
  place: Remote,
  name: string,
  fetcher: Fetch,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  try {
    const asked = { what: name, method: 'HEAD', signal } as const;
    const response = await request(fetcher, fileAddress(place, name), asked);
    // The start page in place of a file that is not there.
    if (response.headers.get('content-type')?.includes('text/html')) return null;
    const bytes = Number(response.headers.get('content-length'));
    return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0;
  } catch (error) {
    if (error instanceof MissingError) return null;
    throw error;
  }
}
