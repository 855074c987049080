/**
 * A lesson as a link carries it: deflated, as base64url. Contract: what a link carries is hostile; no more of it is
 * unpacked than a lesson may have, and what comes out still has to pass `readLesson`. Nothing here throws.
 */
import { fromBase64Url, toBase64Url } from '../link/bytes';
import { MAX_LESSON_LENGTH } from './lesson';

async function through(bytes: Uint8Array<ArrayBuffer>, stream: TransformStream, most = Infinity) {
  const reader = (
    new Blob([bytes]).stream().pipeThrough(stream) as ReadableStream<Uint8Array<ArrayBuffer>>
  ).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    length += next.value.length;
    if (length <= most) continue;
    await reader.cancel();
    return null;
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @param text a lesson's file */
export async function packLesson(text: string): Promise<string> {
  const packed = await through(
    new TextEncoder().encode(text),
    new CompressionStream('deflate-raw') as TransformStream,
  );
  return toBase64Url(packed ?? new Uint8Array());
}

/** The file, or a sentence that says why there is none. */
export async function unpackLesson(
  carried: string,
): Promise<{ text: string; refused: null } | { text: null; refused: string }> {
  const damaged = {
    text: null,
    refused: 'The lesson in the link is damaged. Copy the link again, whole.',
  };
  const bytes = fromBase64Url(carried);
  if (bytes === null) return damaged;
  try {
    const unpacked = await through(
      Uint8Array.from(bytes),
      new DecompressionStream('deflate-raw') as TransformStream,
      // a character has at most three bytes
      3 * MAX_LESSON_LENGTH,
    );
    if (unpacked === null) {
      const most = MAX_LESSON_LENGTH / 1000;
      return {
        text: null,
        refused: `A lesson has at most ${most} kB; the one in the link is larger.`,
      };
    }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(unpacked), refused: null };
  } catch {
    return damaged;
  }
}
