/**
 * A JSON document, parsed whole: an array of responses, one response, a batch in columns, or an object that
 * holds one of these under a name of its own (`rollouts`, `data`, `samples`, ...).
 */
import { collectBytes, wholeFile } from '../bytes';
import { isRow } from '../fields';
import { RecordError, RolloutFileError } from '../problems';
import { hasLogProbs } from '../record';
import { decodeText, parseJson } from '../text';
import type { Content, Format, Head } from './format';
import { unipoRows } from './unipo';

/** JSON is parsed whole; JSONL is not limited by bytes. */
export const MAX_JSON_BYTES = 256 * 2 ** 20;

/**
 * True for a document of one value. JSON Lines also begin with "{", and may be called `.json`: their first line
 * is a value by itself.
 */
function isDocument({ name, text }: Head): boolean {
  if (text.startsWith('[')) return !isArrayLine(text);
  if (!text.startsWith('{')) return false;
  const end = text.indexOf('\n');
  // All that can be seen is one line.
  if (end < 0) return isWrapper(text) || /\.json(\.\w+)?$/i.test(name);
  const line = text.slice(0, end).trim();
  try {
    JSON.parse(line);
    // A document in one line, or lines.
    return text.slice(end).trim() === '' && isWrapper(line);
  } catch {
    // Pretty-printed: the line stops where a name or a value comes next.
    return /[{[,:]$/.test(line);
  }
}

/** A first line that is an array by itself, with another behind it, belongs to JSON Lines. */
function isArrayLine(text: string): boolean {
  const end = text.indexOf('\n');
  if (end < 0 || text.slice(end).trim() === '') return false;
  try {
    JSON.parse(text.slice(0, end));
    return true;
  } catch {
    return false;
  }
}

/** `{"data": [...` and the like, which may be longer than what is seen of it. */
function isWrapper(text: string): boolean {
  return /^\{\s*"[^"]*"\s*:\s*(\[\s*\{|\{)/.test(text);
}

/** Responses under a name of their own; null where the value is a response, or nobody knows what. */
function wrapped(value: unknown): unknown[] | null {
  if (!isRow(value) || hasLogProbs(value)) return null;
  const known = splitOf(value) ?? unipoRows(value);
  if (known) return known;
  const inside = Object.keys(value)
    .map((name) => value[name])
    .filter((one) => (Array.isArray(one) && one.some(isRow)) || (isRow(one) && hasLogProbs(one)));
  const [only] = inside;
  if (inside.length !== 1 || only === undefined) return null;
  return Array.isArray(only) ? (only as unknown[]) : [only];
}

/** pandas' `to_json(orient="split")`: names of columns, and rows as arrays. */
function splitOf(value: Record<string, unknown>): unknown[] | null {
  const { columns, data } = value;
  if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray)) return null;
  return (data as unknown[][]).map((cells) =>
    Object.fromEntries(columns.map((name, i) => [String(name), cells[i]])),
  );
}

/** The records of a parsed document or line. */
export function recordsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  return wrapped(value) ?? [value];
}

function parseDocument(name: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const several = /after JSON|Extra data|unexpected character/i.test(error.message);
    const message =
      several && /^\s*\{/.test(text)
        ? 'holds several pretty-printed JSON objects behind each other. Write one per line: json.dumps(row) without indent, or "jq -c . FILE".'
        : error.message;
    throw new RolloutFileError(wholeFile(name, message), { cause: error });
  }
}

export async function readDocument({ file, all }: Content): Promise<unknown> {
  const advice = 'A JSON document is parsed whole; write JSONL (one response per line) instead.';
  const bytes = await collectBytes(file.name, all, MAX_JSON_BYTES, advice);
  return parseDocument(file.name, decodeText(file.name, bytes));
}

export const json: Format<'json'> = {
  id: 'json',
  recognise: isDocument,
  async *read(content) {
    const records = recordsOf(await readDocument(content));
    yield {
      unit: 'item',
      records: records.map((value, i) => ({ index: i + 1, value: () => value })),
    };
  },
};
