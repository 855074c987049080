/**
 * One response as a file gives it: field names, aliases, checks. Contract: `parseRecord` takes any JSON
 * value and returns a checked record or throws `RecordError` naming the field; it reads known fields only
 * and never walks the rest of the object. Masked tokens are dropped here, and so is `response`, whose
 * tokens say the same.
 *
 * Scalars go through valibot. The token arrays are checked by plain loops: they hold nearly all of the
 * data, and a schema call per number would cost more than parsing the JSON.
 */
import * as v from 'valibot';
import { LOG_PROB_LIMIT } from '../../math/kernel-input';
import { RecordError } from './problems';

/** Format version that this reader writes about and reads; a record without `v` counts as 1. */
export const FORMAT_VERSION = 1;

/** float32 log-softmax may exceed 0 by rounding; anything above this is not a log-prob. */
export const LOGP_TOLERANCE = 1e-5;

/** Canonical name first, then what TRL, verl and NeMo-RL call it. */
export const FIELD_NAMES = {
  logp_old: ['logp_old', 'old_per_token_logps', 'old_log_probs', 'prev_logprobs'],
  logp_new: ['logp_new', 'per_token_logps', 'log_prob', 'log_probs'],
  logp_sampler: [
    'logp_sampler',
    'sampling_per_token_logps',
    'rollout_log_probs',
    'generation_logprobs',
  ],
  group: ['group', 'uid', 'prompt_id'],
  reward: ['reward', 'score'],
  advantage: ['advantage'],
  mask: ['mask'],
  token_ids: ['token_ids'],
  tokens: ['tokens'],
  step: ['step'],
  sample: ['sample'],
  prompt: ['prompt'],
  response: ['response'],
  meta: ['meta'],
  v: ['v'],
} as const;
export type FieldName = keyof typeof FIELD_NAMES;

export interface RolloutRecord {
  group: string | number;
  step: number | null;
  sample: number | null;
  /** [L] each, masked tokens left out; L >= 1. Good until the next line is parsed. */
  logpOld: Float64Array;
  logpNew: Float64Array;
  logpSampler: Float64Array | null;
  tokenIds: Int32Array | null;
  tokens: string[] | null;
  advantage: number | null;
  reward: number | null;
  prompt: string | null;
  /** `meta.max_completion_length` */
  maxCompletionLength: number | null;
  /** as meta.finish_reason says; without it, false where the response is as long as meta allows */
  finished: boolean;
  maskedTokens: number;
}

type Fields = Record<string, unknown>;

function isFields(input: unknown): input is Fields {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** Python writes these bare words; the reader turns them into strings with this mark in front. */
export const NOT_A_NUMBER_MARK = '\u0000not-json:';

function show(value: unknown): string {
  if (typeof value === 'string') {
    if (value.startsWith(NOT_A_NUMBER_MARK)) return value.slice(NOT_A_NUMBER_MARK.length);
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`;
  }
  if (value === null) return 'null';
  if (Array.isArray(value) || value instanceof Float64Array) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return String(value);
}

/** The field's value under its first name that is there; undefined and null both mean absent. */
function pick(fields: Fields, name: FieldName): { value: unknown; written: string } | null {
  for (const written of FIELD_NAMES[name]) {
    if (!Object.hasOwn(fields, written)) continue;
    const value = fields[written];
    if (value !== null && value !== undefined) return { value, written };
  }
  return null;
}

function missing(name: FieldName): RecordError {
  const [canonical, ...aliases] = FIELD_NAMES[name];
  const also = aliases.length > 0 ? ` (or ${aliases.join(', ')})` : '';
  return new RecordError(canonical, `is missing. Every response needs "${canonical}"${also}.`);
}

const finiteNumber = v.pipe(v.number(), v.finite());
/** Larger numbers stand for several whole numbers each: groups of different names would be one. */
const groupSchema = v.union([
  v.pipe(v.string(), v.minLength(1)),
  v.pipe(
    finiteNumber,
    v.check((x) => Math.abs(x) <= Number.MAX_SAFE_INTEGER),
  ),
]);
const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positiveSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const textSchema = v.string();
const COUNT_WANTED = 'a whole number from 0 to 2^53 - 1';

/** Parquet gives 64-bit integers as BigInt; those that are no exact float64 are names, as text. */
function exactly(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function scalar<T>(
  fields: Fields,
  name: FieldName,
  schema: v.GenericSchema<unknown, T>,
  wanted: string,
): T | null {
  const found = pick(fields, name);
  if (!found) return null;
  const value = typeof found.value === 'bigint' ? exactly(found.value) : found.value;
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new RecordError(found.written, `is ${show(value)}; it must be ${wanted}.`);
}

interface List {
  values: ArrayLike<unknown>;
  written: string;
}

function list(fields: Fields, name: FieldName): List | null {
  const found = pick(fields, name);
  if (!found) return null;
  const { value, written } = found;
  if (Array.isArray(value)) return { values: value as unknown[], written };
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return { values: value as unknown as ArrayLike<unknown>, written };
  }
  throw new RecordError(
    written,
    `is ${show(value)}; it must be an array with one entry per token.`,
  );
}

function sameLength(reference: List, other: List): void {
  if (reference.values.length === other.values.length) return;
  throw new RecordError(
    other.written,
    `has ${other.values.length} entries, but "${reference.written}" has ${reference.values.length}. ` +
      'All token arrays of a response must be equally long.',
  );
}

function areLogProbs(values: Float64Array): boolean {
  for (let t = 0; t < values.length; t++) {
    const x = values[t] as number;
    // Written so that NaN is none.
    if (!(x <= LOGP_TOLERANCE && x > -LOG_PROB_LIMIT)) return false;
  }
  return true;
}

/** @param keep [all tokens] 1 = response token, or null for all */
function logProbs({ values, written }: List, keep: Uint8Array | null, kept: number): Float64Array {
  if (keep === null && values instanceof Float64Array && areLogProbs(values)) return values;
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
    if (x > LOGP_TOLERANCE) {
      throw new RecordError(
        `${written}[${t}]`,
        `is ${x}; a log-prob cannot be positive. Are these probabilities or negated log-probs?`,
      );
    }
    if (x <= -LOG_PROB_LIMIT) {
      throw new RecordError(
        `${written}[${t}]`,
        `is ${x}; no softmax gives a log-prob that low. Is it a filler? Mask the token out ("mask": 0).`,
      );
    }
    out[k++] = x;
  }
  return out;
}

function maskOf(fields: Fields, reference: List): Uint8Array | null {
  const mask = list(fields, 'mask');
  if (!mask) return null;
  sameLength(reference, mask);
  return Uint8Array.from({ length: mask.values.length }, (_, t) => {
    const x = mask.values[t];
    const value = typeof x === 'bigint' ? Number(x) : x;
    if (value === 1 || value === true) return 1;
    if (value === 0 || value === false) return 0;
    throw new RecordError(`mask[${t}]`, `is ${show(x)}; it must be 0 or 1.`);
  });
}

function tokenIdsOf(
  fields: Fields,
  reference: List,
  keep: Uint8Array | null,
  kept: number,
): Int32Array | null {
  const ids = list(fields, 'token_ids');
  if (!ids) return null;
  sameLength(reference, ids);
  const out = new Int32Array(kept);
  let k = 0;
  for (let t = 0; t < ids.values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const id = Number(ids.values[t]);
    if (!Number.isSafeInteger(id) || id < 0 || id > 0x7fffffff) {
      throw new RecordError(
        `token_ids[${t}]`,
        `is ${show(ids.values[t])}; it must be a token id (0 or more).`,
      );
    }
    out[k++] = id;
  }
  return out;
}

function tokensOf(fields: Fields, reference: List, keep: Uint8Array | null): string[] | null {
  const texts = list(fields, 'tokens');
  if (!texts) return null;
  sameLength(reference, texts);
  const out: string[] = [];
  for (let t = 0; t < texts.values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const text = texts.values[t];
    if (typeof text !== 'string') {
      throw new RecordError(`tokens[${t}]`, `is ${show(text)}; it must be the token's text.`);
    }
    out.push(text);
  }
  return out;
}

interface Meta {
  maxCompletionLength: number | null;
  /** null where the file does not say */
  cut: boolean | null;
}

const metaSchema = v.object({
  max_completion_length: v.nullish(v.union([positiveSchema, v.bigint()])),
  finish_reason: v.nullish(v.string()),
});

function metaOf(fields: Fields): Meta {
  const found = pick(fields, 'meta');
  if (!found) return { maxCompletionLength: null, cut: null };
  let { value } = found;
  // Parquet files often carry nested data as JSON text.
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value) as unknown;
    } catch {
      throw new RecordError('meta', 'is text that is not JSON; it must be an object.');
    }
  }
  const parsed = v.safeParse(metaSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue);
    throw new RecordError(path === null ? 'meta' : `meta.${path}`, `${issue.message}.`);
  }
  const { max_completion_length: length, finish_reason: reason } = parsed.output;
  return {
    maxCompletionLength: length === null || length === undefined ? null : Number(length),
    cut: reason ? reason === 'length' || reason === 'truncated' : null,
  };
}

/** tokens up to the last response token: padding behind it is masked, as tool output within is */
function completionLength(length: number, keep: Uint8Array | null): number {
  return keep ? keep.lastIndexOf(1) + 1 : length;
}

function groupAndStep(fields: Fields): Pick<RolloutRecord, 'group' | 'step'> {
  const wanted = 'a non-empty text or a number that holds every digit (write larger ones as text)';
  const group = scalar(fields, 'group', groupSchema, wanted);
  if (group === null) throw missing('group');
  return { group, step: scalar(fields, 'step', countSchema, COUNT_WANTED) };
}

/** The group of a record that is bad in another way; null where it cannot be told. */
export function groupOf(input: unknown): Pick<RolloutRecord, 'group' | 'step'> | null {
  if (!isFields(input)) return null;
  try {
    return groupAndStep(input);
  } catch {
    return null;
  }
}

/** Whether the value is a response at all, good or bad: nothing else has such a field. */
export function hasLogProbs(input: unknown): boolean {
  if (!isFields(input)) return false;
  const names = [...FIELD_NAMES.logp_old, ...FIELD_NAMES.logp_new];
  return names.some((name) => Object.hasOwn(input, name));
}

/** @throws RecordError */
export function parseRecord(input: unknown): RolloutRecord {
  if (!isFields(input)) {
    throw new RecordError(null, `holds ${show(input)}; each response must be one JSON object.`);
  }
  const fields = input;
  const version = scalar(fields, 'v', finiteNumber, 'a number');
  if (version !== null && version !== FORMAT_VERSION) {
    throw new RecordError(
      'v',
      `is ${version}; this lab reads version ${FORMAT_VERSION}. Do not mix versions in one file.`,
    );
  }
  const { group, step } = groupAndStep(fields);
  const old = list(fields, 'logp_old');
  if (!old) throw missing('logp_old');
  const next = list(fields, 'logp_new');
  if (!next) throw missing('logp_new');
  sameLength(old, next);
  const sampler = list(fields, 'logp_sampler');
  if (sampler) sameLength(old, sampler);

  const keep = maskOf(fields, old);
  const kept = keep ? keep.reduce((sum, k) => sum + k, 0) : old.values.length;
  if (kept === 0) {
    throw new RecordError(
      keep ? 'mask' : old.written,
      keep
        ? 'masks every token; a response needs at least one.'
        : 'is empty; a response needs at least one token.',
    );
  }
  const advantage = scalar(fields, 'advantage', finiteNumber, 'a finite number');
  const reward = scalar(fields, 'reward', finiteNumber, 'a finite number');
  if (advantage === null && reward === null) {
    throw new RecordError(
      'advantage',
      'is missing, and so is "reward". One of them is needed; from rewards the lab computes group advantages.',
    );
  }
  const meta = metaOf(fields);
  scalar(fields, 'response', textSchema, 'a text');
  return {
    group,
    step,
    sample: scalar(fields, 'sample', countSchema, COUNT_WANTED),
    logpOld: logProbs(old, keep, kept),
    logpNew: logProbs(next, keep, kept),
    logpSampler: sampler ? logProbs(sampler, keep, kept) : null,
    tokenIds: tokenIdsOf(fields, old, keep, kept),
    tokens: tokensOf(fields, old, keep),
    advantage,
    reward,
    prompt: scalar(fields, 'prompt', textSchema, 'a text'),
    maxCompletionLength: meta.maxCompletionLength,
    finished: !(
      meta.cut ??
      (meta.maxCompletionLength !== null &&
        completionLength(old.values.length, keep) >= meta.maxCompletionLength)
    ),
    maskedTokens: old.values.length - kept,
  };
}
