/**
 * One file from a server into a keep, piece by piece. Contract: what has come is kept, whatever happens; asked again,
 * it goes on from there by a range request, and from the beginning where the server has no ranges or another file;
 * a file that is larger than it may be ends with a FetchError and is not kept.
 */
import { FetchError } from '../fetch';
import type { RepositoryFile } from '../foreign/repository';
import { ConnectionError, hostOf, request, type Fetch } from './request';

/** Where the pieces go. */
export interface Sink {
  /** bytes that are there */
  bytes: number;
  /** what the server called this version of the file; null: nothing */
  etag: string | null;
  append(piece: Uint8Array<ArrayBuffer>, etag: string | null): Promise<void>;
  /** back to nothing */
  clear(): Promise<void>;
}

export interface Download {
  fetcher: Fetch;
  url: string;
  file: RepositoryFile;
  /** bytes that it may have at most */
  most: number;
  sink: Sink;
  /** bytes of the file that are there */
  onBytes(bytes: number): void;
  signal?: AbortSignal | undefined;
  /** ms before each further try after a cut; tests are impatient */
  pauses?: readonly number[];
}

/** Bytes that are kept at a time. */
const PIECE = 4e6;
const PAUSES = [500, 2000, 5000];

const megabytes = (bytes: number) => `${(bytes / 1e6).toPrecision(3)} MB`;

/** @throws FetchError; an aborted signal's reason */
export async function download(wanted: Download): Promise<void> {
  const { file, sink, signal, pauses = PAUSES } = wanted;
  for (let tries = 0; ; tries++) {
    const before = sink.bytes;
    try {
      await attempt(wanted);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ConnectionError)) throw error;
      // Some hosts refuse ranges to pages of other sites, and the browser says no more than that it failed.
      if (before > 0 && sink.bytes === before && tries > 0) await sink.clear();
      if (tries >= pauses.length) {
        const have = sink.bytes > 0 ? ` ${megabytes(sink.bytes)} of ${file.path} are kept.` : '';
        throw new ConnectionError(`${error.message}${have}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, pauses[tries]));
      signal?.throwIfAborted();
    }
  }
}

async function attempt({ fetcher, url, file, most, sink, onBytes, signal }: Download) {
  const from = sink.bytes;
  if (from > 0 && from === file.bytes) return;
  const headers: Record<string, string> = from > 0 ? { Range: `bytes=${from}-` } : {};
  const response = await request(fetcher, url, { what: file.path, headers, signal }).catch(
    async (error: unknown) => {
      // Nothing beyond what is there: the file is shorter than it was.
      if (from > 0 && error instanceof FetchError && error.message.includes('status 416')) {
        await sink.clear();
        return request(fetcher, url, { what: file.path, signal });
      }
      throw error;
    },
  );
  const etag = response.headers.get('etag');
  if (sink.bytes > 0 && !continues(response, from, sink.etag)) {
    await sink.clear();
    if (response.status === 206) {
      await response.body?.cancel();
      throw new ConnectionError(`${file.path} has changed at ${hostOf(url)} while it was fetched.`);
    }
  }
  const claimed = sink.bytes + Number(response.headers.get('content-length'));
  if (claimed > most) {
    await response.body?.cancel();
    throw tooLarge(file.path, hostOf(url), claimed, most);
  }
  let waiting: Uint8Array[] = [];
  let held = 0;
  const flush = async () => {
    if (held === 0) return;
    const piece = new Uint8Array(held);
    let at = 0;
    for (const part of waiting) {
      piece.set(part, at);
      at += part.length;
    }
    [waiting, held] = [[], 0];
    await sink.append(piece, etag);
  };
  try {
    for (const reader = response.body?.getReader(); reader;) {
      const { done, value } = await reader.read();
      if (done) break;
      waiting.push(value);
      held += value.length;
      if (sink.bytes + held > most) {
        await reader.cancel();
        throw tooLarge(file.path, hostOf(url), sink.bytes + held, most);
      }
      if (held >= PIECE) await flush();
      onBytes(sink.bytes + held);
    }
  } catch (cause) {
    if (cause instanceof FetchError) {
      await sink.clear();
      throw cause;
    }
    await flush();
    signal?.throwIfAborted();
    throw new ConnectionError(`${file.path}: the connection to ${hostOf(url)} broke off.`, {
      cause,
    });
  }
  await flush();
  if (sink.bytes < file.bytes) {
    throw new ConnectionError(
      `${file.path}: ${hostOf(url)} sent ${sink.bytes} of ${file.bytes} bytes.`,
    );
  }
}

/** Whether an answer is the rest of what is there. Headers that the browser hides say nothing against it. */
function continues(response: Response, from: number, etag: string | null): boolean {
  if (response.status !== 206) return false;
  const now = response.headers.get('etag');
  if (etag !== null && now !== null && etag !== now) return false;
  const range = response.headers.get('content-range');
  return range === null || range.startsWith(`bytes ${from}-`);
}

const tooLarge = (path: string, host: string, bytes: number, most: number) =>
  new FetchError(
    `${path} of ${host} has ${megabytes(bytes)} or more; at most ${megabytes(most)} can be used in a tab.`,
  );
