/**
 * One response as a file gives it. Contract: `parseRecord` takes any JSON value and returns a checked record or
 * throws `RecordError` naming the field; it reads known fields only and never walks the rest of the object.
 * Masked tokens are dropped here, and so is `response`, whose tokens say the same.
 */
import * as v from 'valibot';
import { FIELD_NAMES, isFields, missing, pick, scalar, show, type Fields } from './fields';
import { RecordError } from './problems';
import { list, logProbs, maskOf, sameLength, tokenIdsOf, tokensOf } from './token-arrays';

/** Format version that this reader writes about and reads; a record without `v` counts as 1. */
export const FORMAT_VERSION = 1;

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
