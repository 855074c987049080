/**
 * Text formats: lines of a byte stream, and JSON as Python writes it. Contract: line numbers start at 1 and
 * count blank lines; CRLF and a byte-order mark are accepted; a line that is too long or not UTF-8 is bad by
 * itself, and the lines behind it are read.
 */
import { wholeFile } from './bytes';
import { parseObject } from './numbers';
import { NOT_A_NUMBER_MARK } from './fields';
import { RecordError, RolloutFileError } from './problems';
import { message } from '../../message';

/** A response of 100,000 tokens with three log-probs and texts stays well below this. */
export const MAX_LINE_BYTES = 64 * 2 ** 20;

export interface LineBatch {
  /** number of the first line, from 1 */
  first: number;
  /** null: longer than MAX_LINE_BYTES; always the last of its batch */
  lines: (Uint8Array | null)[];
}

const NEWLINE = 10;

const strict = new TextDecoder('utf-8', { fatal: true });

function notUtf8(name: string, cause: unknown): RolloutFileError {
  return new RolloutFileError(
    wholeFile(name, 'is not UTF-8 text. Expected JSONL, JSON or Parquet, optionally gzipped.'),
    { cause },
  );
}

/**
 * What begins neither as UTF-8 nor with a line of JSON is no text: other than of one line in which a byte
 * is wrong, nothing can be read of it.
 * @throws RolloutFileError
 */
export function refuseBinary(name: string, head: Uint8Array): void {
  if (/^[ \t]*\{\s*"/m.test(new TextDecoder().decode(head))) return;
  try {
    // The head may end within a character.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch (error) {
    throw notUtf8(name, error);
  }
}

/**
 * All complete lines of each chunk, good until the next batch is asked for; the last line need not end in a
 * newline. A line that is too long is told of at once, and what is left of it is read away.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LineBatch> {
  /** the beginning of a line whose end has not come yet */
  let begun: Uint8Array[] = [];
  let length = 0;
  /** until the end of a line that is too long */
  let draining = false;
  let next = 1;
  const take = (): Uint8Array => {
    const line = joined(begun, length);
    begun = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let lines: LineBatch['lines'] = [];
    const batch = (): LineBatch => {
      const full = { first: next, lines };
      next += lines.length;
      lines = [];
      return full;
    };
    let from = 0;
    while (from < chunk.length) {
      const end = chunk.indexOf(NEWLINE, from);
      const part = chunk.subarray(from, end < 0 ? undefined : end);
      if (!draining && length + part.length > MAX_LINE_BYTES) {
        begun = [];
        length = 0;
        draining = true;
        lines.push(null);
        yield batch();
      } else if (!draining) {
        // The chunk itself is not good for longer than this.
        begun.push(end < 0 ? part.slice() : part);
        length += part.length;
      }
      if (end < 0) break;
      if (!draining) lines.push(take());
      draining = false;
      from = end + 1;
    }
    if (lines.length > 0) yield batch();
  }
  if (length > 0) yield { first: next, lines: [take()] };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Blanks and nothing else. */
export function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 32 || (byte >= 9 && byte <= 13));
}

/**
 * What a line of JSONL holds, good until the next line is parsed.
 * @param line null = too long
 * @throws RecordError
 */
export function parseLine(line: Uint8Array | null): unknown {
  if (line === null) {
    throw new RecordError(
      null,
      `is longer than ${MAX_LINE_BYTES / 2 ** 20} MiB. JSONL has one response per line.`,
    );
  }
  try {
    return parseObject(line) ?? parseJson(strict.decode(line));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RecordError(null, 'is not UTF-8 text. Write the file as UTF-8.');
  }
}

export function decodeText(name: string, bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (error) {
    throw notUtf8(name, error);
  }
}

const STRING_OR_BARE_WORD = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/** What a text that is no JSON seems to be. */
function whyNot(text: string): string {
  const start = text.trimStart();
  if (!/^[[{"]/.test(start)) {
    return start.startsWith('<')
      ? 'It begins like HTML or XML: what was saved may be an error page of the server, not the file.'
      : 'It does not begin like JSON, with "{": write one JSON object per response and line.';
  }
  if (/\}\s*\{"/.test(start)) {
    return 'Several objects stand on one line: put a newline behind each ("jq -c . FILE").';
  }
  return 'If this is the end of the file, the file may have been cut.';
}

/**
 * JSON.parse that lets Python's bare NaN and Infinity through as marked strings, so that the field that
 * holds them can be named.
 * @throws RecordError when it is not JSON even so
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    let replaced = false;
    const marked = text.replace(STRING_OR_BARE_WORD, (word) => {
      if (word.startsWith('"')) return word;
      replaced = true;
      return JSON.stringify(NOT_A_NUMBER_MARK + word);
    });
    if (replaced) {
      try {
        return JSON.parse(marked) as unknown;
      } catch {
        // The first message is about the text as the person wrote it.
      }
    }
    throw new RecordError(
      null,
      `is not valid JSON (${message(error).slice(0, 160)}). ${whyNot(text)}`,
    );
  }
}
