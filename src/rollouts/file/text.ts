/**
 * Text formats: lines of a byte stream, and JSON as Python writes it. Contract: line numbers start at 1 and
 * count blank lines; CRLF and a byte-order mark are accepted; text that is not UTF-8 is an error.
 */
import { wholeFile } from './bytes';
import { NOT_A_NUMBER_MARK } from './record';
import { RecordError, RolloutFileError } from './problems';

/** A response of 100,000 tokens with three log-probs and texts stays well below this. */
export const MAX_LINE_CHARACTERS = 64 * 2 ** 20;

export interface LineBatch {
  /** number of the first line, from 1 */
  first: number;
  lines: string[];
}

function notUtf8(name: string, cause: unknown): RolloutFileError {
  return new RolloutFileError(
    wholeFile(name, 'is not UTF-8 text. Expected JSONL, JSON or Parquet, optionally gzipped.'),
    { cause },
  );
}

/** All complete lines of each chunk; the last line need not end in a newline. */
export async function* readLines(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<LineBatch> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch (error) {
      throw notUtf8(name, error);
    }
  };
  let carry = '';
  let next = 1;
  for await (const chunk of chunks) {
    const parts = decode(chunk).split('\n');
    carry += parts[0] as string;
    if (carry.length > MAX_LINE_CHARACTERS) {
      throw new RolloutFileError({
        file: name,
        unit: 'line',
        index: next,
        field: null,
        message: `is longer than ${MAX_LINE_CHARACTERS / 2 ** 20} million characters. JSONL has one response per line.`,
      });
    }
    if (parts.length === 1) continue;
    const last = parts.pop() as string;
    parts[0] = carry;
    carry = last;
    yield { first: next, lines: parts };
    next += parts.length;
  }
  carry += decode();
  if (carry !== '') yield { first: next, lines: [carry] };
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
