/**
 * Text formats: lines of a byte stream, and JSON as Python writes it. Contract: line numbers start at 1 and
 * count blank lines; CRLF and a byte-order mark are accepted; text that is not UTF-8 is an error.
 */
import { wholeFile } from './bytes';
import { parseObject } from './numbers';
import { NOT_A_NUMBER_MARK } from './record';
import { RecordError, RolloutFileError } from './problems';

/** A response of 100,000 tokens with three log-probs and texts stays well below this. */
export const MAX_LINE_BYTES = 64 * 2 ** 20;

export interface LineBatch {
  /** number of the first line, from 1 */
  first: number;
  lines: Uint8Array[];
}

const NEWLINE = 10;

function notUtf8(name: string, cause: unknown): RolloutFileError {
  return new RolloutFileError(
    wholeFile(name, 'is not UTF-8 text. Expected JSONL, JSON or Parquet, optionally gzipped.'),
    { cause },
  );
}

/**
 * All complete lines of each chunk, good until the next batch is asked for; the last line need not end in a
 * newline.
 */
export async function* readLines(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<LineBatch> {
  /** the beginning of a line whose end has not come yet */
  let begun: Uint8Array[] = [];
  let length = 0;
  let next = 1;
  const hold = (part: Uint8Array) => {
    begun.push(part);
    length += part.length;
    if (length <= MAX_LINE_BYTES) return;
    throw new RolloutFileError({
      file: name,
      unit: 'line',
      index: next,
      field: null,
      message: `is longer than ${MAX_LINE_BYTES / 2 ** 20} MiB. JSONL has one response per line.`,
    });
  };
  const take = (): Uint8Array => {
    const line = joined(begun, length);
    begun = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      hold(chunk.subarray(from, end));
      lines.push(take());
      from = end + 1;
    }
    if (lines.length > 0) yield { first: next, lines };
    next += lines.length;
    // The chunk itself is not good for longer than this.
    hold(chunk.slice(from));
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
 * @throws RecordError when it is not JSON, RolloutFileError when it is not UTF-8
 */
export function parseLine(name: string, line: Uint8Array): unknown {
  try {
    return parseObject(line) ?? parseJson(decodeText(name, line));
  } catch (error) {
    if (error instanceof TypeError) throw notUtf8(name, error);
    throw error;
  }
}

export function decodeText(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw notUtf8(name, error);
  }
}

const STRING_OR_BARE_WORD = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

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
    const reason = error instanceof Error ? error.message : String(error);
    throw new RecordError(
      null,
      `is not valid JSON (${reason.slice(0, 160)}). If this is the end of the file, the file may have been cut.`,
    );
  }
}
