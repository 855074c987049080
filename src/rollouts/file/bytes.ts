/**
 * Bytes of a file, wherever it comes from. Contract: `RolloutFile` is what a source must offer; a browser's
 * `File` becomes one by `fromBlob`, Node's by an adapter outside `src`. Nothing here knows the format.
 */
import { RolloutFileError, type Problem } from './problems';

export interface RolloutFile {
  name: string;
  /** bytes */
  size: number;
  /** chunks are good until the next one is asked for */
  stream(): AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;
  /** bytes start..end (end exclusive), for formats read out of order */
  slice(start: number, end: number): Promise<ArrayBuffer>;
  /** one of a folder's files, not picked by itself: left out where it holds no rollouts */
  fromFolder?: boolean;
}

export function fromBlob(name: string, blob: Blob): RolloutFile {
  return {
    name,
    size: blob.size,
    stream: () => blob.stream(),
    slice: (start, end) => blob.slice(start, end).arrayBuffer(),
  };
}

export function wholeFile(name: string, message: string): Problem {
  return { file: name, unit: 'line', index: null, field: null, message };
}

export async function* chunksOf(
  source: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // Safari's ReadableStream is not async-iterable.
  if (!('getReader' in source)) {
    yield* source;
    return;
  }
  const reader = source.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Also on an early end: lets the source close its handle.
    await reader.cancel().catch(() => undefined);
  }
}

/** Raw chunks, counted. */
export async function* readBytes(
  file: RolloutFile,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunksOf(file.stream())) {
    signal?.throwIfAborted();
    onBytes(chunk.byteLength);
    yield chunk;
  }
}

/** All bytes, up to `limit`. */
export async function collectBytes(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
  advice: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.byteLength;
    if (total > limit) {
      throw new RolloutFileError(
        wholeFile(name, `holds more than ${Math.round(limit / 2 ** 20)} MiB. ${advice}`),
      );
    }
    parts.push(chunk.slice());
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}

/** Puts a chunk back in front of the rest; ending it early also ends the rest. */
export async function* prepend(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (first.byteLength > 0) yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* failing(error: unknown): AsyncGenerator<Uint8Array> {
  throw error;
}

/** Reads until at least `wanted` bytes are there (or the end), without losing any to an error behind them. */
export async function peek(
  chunks: AsyncGenerator<Uint8Array>,
  wanted: number,
): Promise<{
  head: Uint8Array;
  all: AsyncGenerator<Uint8Array>;
  /** for a caller that has seen enough: lets the source close its handle */
  close: () => Promise<unknown>;
}> {
  let head = new Uint8Array(0);
  let rest = chunks;
  while (head.byteLength < wanted) {
    let next;
    try {
      next = await chunks.next();
    } catch (error) {
      if (head.byteLength === 0) throw error;
      rest = failing(error);
      break;
    }
    const { done, value } = next;
    if (done) break;
    const joined = new Uint8Array(head.byteLength + value.byteLength);
    joined.set(head);
    joined.set(value, head.byteLength);
    head = joined;
  }
  return { head, all: prepend(head, rest), close: () => chunks.return(undefined) };
}
