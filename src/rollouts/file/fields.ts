/**
 * Fields of a response by their names and aliases. Contract: known fields only, own properties only; what is
 * wrong is a `RecordError` that names the field as it was written. Scalars go through valibot.
 */
import * as v from 'valibot';
import { RecordError } from './problems';

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

export type Fields = Record<string, unknown>;

export function isFields(input: unknown): input is Fields {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** Python writes these bare words; the reader turns them into strings with this mark in front. */
export const NOT_A_NUMBER_MARK = '\u0000not-json:';

export function show(value: unknown): string {
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
export function pick(fields: Fields, name: FieldName): { value: unknown; written: string } | null {
  for (const written of FIELD_NAMES[name]) {
    if (!Object.hasOwn(fields, written)) continue;
    const value = fields[written];
    if (value !== null && value !== undefined) return { value, written };
  }
  return null;
}

export function missing(name: FieldName): RecordError {
  const [canonical, ...aliases] = FIELD_NAMES[name];
  const also = aliases.length > 0 ? ` (or ${aliases.join(', ')})` : '';
  return new RecordError(canonical, `is missing. Every response needs "${canonical}"${also}.`);
}

/** Parquet gives 64-bit integers as BigInt; those that are no exact float64 are names, as text. */
function exactly(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export function scalar<T>(
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
