/**
 * The token arrays of a response: equally long, and without the tokens that its masks leave out. Contract: what
 * is wrong is a `RecordError` that names array and place. Checked by plain loops: they hold nearly all of the
 * data, and a schema call per number would cost more than parsing the JSON.
 */
import { LOG_PROB_LIMIT } from '../../math/kernel-input';
import {
  disagree,
  isList,
  NOT_A_NUMBER_MARK,
  pick,
  show,
  type FieldName,
  type Fields,
  type Value,
} from './fields';
import { ImpossibleError } from './impossible';
import { RecordError } from './problems';

/** float32 log-softmax may exceed 0 by rounding; anything above this is not a log-prob. */
const LOGP_TOLERANCE = 1e-5;
/** Two copies of a column may differ by so much: one was written with fewer digits. */
const COPY_TOLERANCE = 1e-6;

export interface List {
  values: ArrayLike<unknown>;
  written: string;
}

/** Which tokens of a response count: `keep` [all tokens] 1 = counts, or null for all; `kept` of them. */
export interface Kept {
  keep: Uint8Array | null;
  kept: number;
}

function asList({ value, written }: Value): List {
  if (isList(value)) return { values: value, written };
  const one =
    typeof value === 'number'
      ? ' One number per response is a sum or a mean: write the tokens’ own, before that.'
      : typeof value === 'string' && /^\s*\[/.test(value)
        ? ' It is an array written as a text: put it through json.loads before the row is written.'
        : '';
  throw new RecordError(
    written,
    `is ${show(value)}; it must be an array with one entry per token.${one}`,
  );
}

export function list(fields: Fields, name: FieldName): List | null {
  const found = pick(fields, name);
  return found && asList(found);
}

export function sameLength(reference: List, other: List): void {
  if (reference.values.length === other.values.length) return;
  throw new RecordError(
    other.written,
    `has ${other.values.length} entries, but "${reference.written}" has ${reference.values.length}. ` +
      'All token arrays of a response must be equally long.',
  );
}

/** Whether every response token has a value that a log-prob can have. */
export function areLogProbs(values: ArrayLike<unknown>, { keep }: Pick<Kept, 'keep'>): boolean {
  for (let t = 0; t < values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const x = values[t];
    // Written so that NaN is none.
    if (!(typeof x === 'number' && x <= LOGP_TOLERANCE && x > -LOG_PROB_LIMIT)) return false;
  }
  return true;
}

const isBad = (x: number) => x > LOGP_TOLERANCE || x <= -LOG_PROB_LIMIT;

/** What a column with a value that no log-prob has holds, judged by all of its response tokens. */
function impossible({ values, written }: List, keep: Uint8Array | null): ImpossibleError {
  const places = Array.from({ length: values.length }, (_, t) => t).filter(
    (t) => keep?.[t] !== 0 && Number.isFinite(Number(values[t])),
  );
  return new ImpossibleError(written, {
    values: Float64Array.from(places, (t) => Number(values[t])),
    places,
    isBad,
  });
}

export function logProbs(given: List, { keep, kept }: Kept): Float64Array {
  const { values, written } = given;
  if (keep === null && values instanceof Float64Array && areLogProbs(values, { keep }))
    return values;
  const out = new Float64Array(kept);
  let k = 0;
  for (let t = 0; t < values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const x = values[t];
    if (typeof x !== 'number' || !Number.isFinite(x)) {
      throw new RecordError(
        `${written}[${t}]`,
        `is ${show(x)}; a log-prob must be a finite number. Mask the token out ("mask": 0) or ` +
          'find out where your trainer lost it.',
      );
    }
    if (isBad(x)) throw impossible(given, keep);
    out[k++] = x;
  }
  return out;
}

/** null, or what Python writes for a number that is none. */
function isNothing(x: unknown): boolean {
  return x === null || x === undefined || x === `${NOT_A_NUMBER_MARK}NaN` || Number.isNaN(x);
}

/** Whether a response token has nothing in this array: then the response does without the column. */
export function hasGap({ values }: List, { keep }: Kept): boolean {
  if (values instanceof Float64Array && keep === null) return false;
  for (let t = 0; t < values.length; t++) {
    if ((keep === null || keep[t] === 1) && isNothing(values[t])) return true;
  }
  return false;
}

/** Finite numbers of any size. */
export function numbersOf({ values, written }: List, { keep, kept }: Kept): Float64Array {
  const out = new Float64Array(kept);
  let k = 0;
  for (let t = 0; t < values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const x = values[t];
    if (typeof x !== 'number' || !Number.isFinite(x)) {
      throw new RecordError(`${written}[${t}]`, `is ${show(x)}; it must be a finite number.`);
    }
    out[k++] = x;
  }
  return out;
}

/** One value for all tokens, or null where they differ. */
export function constantOf(values: Float64Array): number | null {
  const first = values[0];
  for (let t = 1; t < values.length; t++) if (values[t] !== first) return null;
  return first;
}

/**
 * A second name of the same array must say the same of every response token.
 * @throws RecordError with both names
 */
export function checkCopies(fields: Fields, name: FieldName, { keep }: Kept): void {
  const all = fields[name];
  if (all === undefined || all.length < 2) return;
  const [first, ...others] = all.map(asList) as [List, ...List[]];
  for (const other of others) {
    sameLength(first, other);
    for (let t = 0; t < first.values.length; t++) {
      if (keep && keep[t] === 0) continue;
      const [a, b] = [first.values[t], other.values[t]];
      if (a === b || (isNothing(a) && isNothing(b))) continue;
      if (Math.abs(Number(a) - Number(b)) <= COPY_TOLERANCE) continue;
      throw disagree(
        { value: a, written: first.written },
        { value: b, written: other.written },
        `[${t}]`,
      );
    }
  }
}

function bitsOf({ values, written }: List): Uint8Array {
  return Uint8Array.from({ length: values.length }, (_, t) => {
    const x = values[t];
    const value = typeof x === 'bigint' ? Number(x) : x;
    if (value === 1 || value === true) return 1;
    if (value === 0 || value === false) return 0;
    throw new RecordError(`${written}[${t}]`, `is ${show(x)}; it must be 0 or 1.`);
  });
}

/**
 * Which tokens count. Masks of several names must agree; TRL's `tool_mask` (0 = written by a tool) comes on
 * top of its `completion_mask`, as in its loss.
 */
export function maskOf(
  fields: Fields,
  reference: List,
): { keep: Uint8Array; written: string } | null {
  let keep: Uint8Array | null = null;
  let written = '';
  for (const found of fields.mask ?? []) {
    const mask = asList(found);
    sameLength(reference, mask);
    const bits = bitsOf(mask);
    if (keep === null) {
      keep = bits;
      written = mask.written;
      continue;
    }
    const t = bits.findIndex((bit, i) => bit !== (keep as Uint8Array)[i]);
    if (t >= 0) {
      const { field, message } = disagree(
        { value: 0, written },
        { value: 0, written: mask.written },
        `[${t}]`,
      );
      throw new RecordError(
        field,
        `${message} (npm run analyze: --mask ${written}, or --mask ${mask.written})`,
      );
    }
  }
  const tool = list(fields, 'tool_mask');
  if (tool) {
    sameLength(reference, tool);
    const bits = bitsOf(tool);
    const before = keep;
    keep = before === null ? bits : bits.map((bit, t) => bit & before[t]);
    written = written === '' ? tool.written : `${written} and ${tool.written}`;
  }
  return keep && { keep, written };
}

function isId(x: unknown): boolean {
  const id = Number(x);
  return typeof x !== 'string' && Number.isSafeInteger(id) && id >= 0 && id <= 0x7fffffff;
}

/** @throws RecordError */
export function idsOf({ values, written }: List, { keep, kept }: Kept): Int32Array {
  const out = new Int32Array(kept);
  let k = 0;
  for (let t = 0; t < values.length; t++) {
    if (keep && keep[t] === 0) continue;
    if (!isId(values[t])) {
      throw new RecordError(
        `${written}[${t}]`,
        `is ${show(values[t])}; it must be a token id (0 or more).`,
      );
    }
    out[k++] = Number(values[t]);
  }
  return out;
}

/** Whether all entries are token ids. */
export function areIds(values: ArrayLike<unknown>): boolean {
  for (let t = 0; t < values.length; t++) if (!isId(values[t])) return false;
  return values.length > 0;
}

/** @throws RecordError */
export function textsOf({ values, written }: List, { keep }: Kept): string[] {
  const out: string[] = [];
  for (let t = 0; t < values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const text = values[t];
    if (typeof text !== 'string') {
      throw new RecordError(`${written}[${t}]`, `is ${show(text)}; it must be the token's text.`);
    }
    out.push(text);
  }
  return out;
}
