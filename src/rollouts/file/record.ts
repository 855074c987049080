/**
 * One response as a file gives it. Contract: `parseRecord` takes any JSON value and returns a checked record or
 * throws `RecordError` naming the field; it reads known fields only and never walks the rest of the object.
 * Masked tokens are dropped here, and so is `response`, whose tokens say the same.
 *
 * What is required stops the record where it is wrong; what is optional costs that column for that response
 * where it has gaps (`lost`). Two columns for one thing that disagree are an error with both names.
 */
import * as v from 'valibot';
import {
  disagree,
  exactly,
  FIELD_NAMES,
  fieldsOf,
  isList,
  isRow,
  missing,
  pick,
  scalar,
  show,
  type FieldName,
  type Fields,
  type NameCounts,
  type Value,
} from './fields';
import { RecordError } from './problems';
import {
  areIds,
  areLogProbs,
  checkCopies,
  constantOf,
  hasGap,
  idsOf,
  list,
  logProbs,
  maskOf,
  numbersOf,
  sameLength,
  textsOf,
  type Kept,
  type List,
} from './token-arrays';
import { missingHint, withoutLogProbs, whatIsThere } from './trainers';

/** Format version that this reader writes about and reads; a record without `v` counts as 1. */
export const FORMAT_VERSION = 1;

export interface RolloutRecord {
  group: string | number;
  /** how the group was found */
  groupFrom: 'column' | 'prompt' | 'promptTokens';
  step: number | null;
  sample: number | null;
  /** [L] each, masked tokens left out; L >= 1. Good until the next line is parsed. */
  logpOld: Float64Array;
  logpNew: Float64Array;
  logpSampler: Float64Array | null;
  /** true: the file has one policy of the trainer; logpOld is the sampler's, logpNew the trainer's */
  mismatch: boolean;
  logpRef: Float64Array | null;
  entropyOld: Float64Array | null;
  entropyNew: Float64Array | null;
  collisionOld: Float64Array | null;
  collisionNew: Float64Array | null;
  /** [L] 1 = the sequence ratio is over it, as Tinker's `sequence_ratio_mask` has it */
  ratioMask: Float64Array | null;
  tokenIds: Int32Array | null;
  tokens: string[] | null;
  /** per-token advantages: their mean */
  advantage: number | null;
  /** [L] only where they are not all the same */
  tokenAdvantage: Float64Array | null;
  reward: number | null;
  /** what the reward is made of, in the order of the file */
  rewardParts: Float64Array | null;
  prompt: string | null;
  /** largest number of response tokens that the trainer allows */
  maxCompletionLength: number | null;
  /** as the file says; without that, false where the response is as long as it may be */
  finished: boolean;
  /** whether the file says so, or says how long a response may be */
  endKnown: boolean;
  maskedTokens: number;
  /** optional columns that this response does without, because of gaps in them */
  lost: { name: string; meaning: FieldName }[];
  /** false: the trainer's sample mask leaves this response out of the loss */
  trained: boolean;
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

const metaSchema = v.object({
  max_completion_length: v.nullish(v.union([positiveSchema, v.bigint()])),
  finish_reason: v.nullish(v.string()),
});

interface Meta {
  maxCompletionLength: number | null;
  finishReason: string | null;
}

function metaOf(fields: Fields): Meta {
  const found = pick(fields, 'meta');
  if (!found) return { maxCompletionLength: null, finishReason: null };
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
    finishReason: reason ?? null,
  };
}

/** Words for "cut before it ended by itself"; any other reason to finish is an end. */
const CUT = new Set(['length', 'truncated', 'max_tokens', 'max_length', 'abort', 'aborted']);
/** slime's `Sample.Status`; other words say nothing of the end */
const STATUS = new Map([
  ['completed', false],
  ['truncated', true],
  ['aborted', true],
]);

/** Whether one field says that the response was cut; null where it says nothing. */
function cutBy(field: FieldName, { value, written }: Value): boolean | null {
  if (field === 'truncated') {
    if (value === true || value === 1) return true;
    if (value === false || value === 0) return false;
    throw new RecordError(written, `is ${show(value)}; it must be true or false.`);
  }
  // SGLang: {"type": "length", "length": 512}
  const word = isRow(value) ? value['type'] : value;
  if (typeof word !== 'string' || word === '') return null;
  const name = word.toLowerCase();
  return field === 'status' ? (STATUS.get(name) ?? null) : CUT.has(name);
}

/** Whether the response was cut, by every field that says so; null where none does. */
function cutOf(fields: Fields, meta: Meta): boolean | null {
  let first: { value: Value; cut: boolean } | null = null;
  const say = (value: Value, cut: boolean | null) => {
    if (cut === null) return;
    if (first !== null && first.cut !== cut) {
      throw new RecordError(
        value.written,
        `says that the response was ${cut ? 'cut' : 'not cut'}, but "${first.value.written}" says the opposite. Keep the one that is true.`,
      );
    }
    first ??= { value, cut };
  };
  for (const field of ['finish_reason', 'truncated', 'status'] as const) {
    for (const value of fields[field] ?? []) say(value, cutBy(field, value));
  }
  if (meta.finishReason) {
    const value = { value: meta.finishReason, written: 'meta.finish_reason' };
    say(value, cutBy('finish_reason', value));
  }
  return (first as { cut: boolean } | null)?.cut ?? null;
}

/** tokens up to the last response token: padding behind it is masked, as tool output within is */
function completionLength(length: number, keep: Uint8Array | null): number {
  return keep ? keep.lastIndexOf(1) + 1 : length;
}

const GROUP_WANTED =
  'a non-empty text or a number that holds every digit (write larger ones as text)';

/** Names for prompts that have none: the same tokens, the same name. */
function nameOfIds(ids: ArrayLike<unknown>, length: number): string {
  let a = 0x811c9dc5;
  let b = 0x1234567;
  for (let t = 0; t < length; t++) {
    const id = Number(ids[t]);
    a = Math.imul(a ^ id, 0x01000193);
    b = Math.imul(b ^ (id + t), 0x85ebca6b);
    b ^= b >>> 13;
  }
  const hex = (x: number) => (x >>> 0).toString(16).padStart(8, '0');
  return `prompt of ${length} tokens ${hex(a)}${hex(b)}`;
}

function promptText(fields: Fields): string | null {
  const found = pick(fields, 'prompt');
  if (!found) return null;
  const { value, written } = found;
  if (typeof value === 'string') return value;
  if (isList(value) && areIds(value)) return null;
  // A chat: messages as objects.
  if (typeof value === 'object') return JSON.stringify(value);
  throw new RecordError(written, `is ${show(value)}; it must be a text.`);
}

/** The ids in front of the response, where a file has no group: those of one prompt are one group. */
function promptTokens(fields: Fields, keep: Uint8Array | null, length: number): string | null {
  for (const { value } of fields.prompt ?? []) {
    if (isList(value) && areIds(value)) return nameOfIds(value, value.length);
  }
  for (const { value } of [...(fields.token_ids ?? []), ...(fields.tokens ?? [])]) {
    if (!isList(value) || !areIds(value)) continue;
    const first = value.length === length ? (keep?.indexOf(1) ?? 0) : value.length - length;
    if (first > 0) return nameOfIds(value, first);
  }
  return null;
}

function stepOf(fields: Fields): number | null {
  return scalar(fields, 'step', countSchema, COUNT_WANTED);
}

type Group = Pick<RolloutRecord, 'group' | 'groupFrom'>;

const NO_PROMPT =
  'Without one, responses to one prompt are told by the ids in front of the response; that takes the mask that says where it begins, such as "token_loss_mask".';

function groupOfFields(fields: Fields, keep: Uint8Array | null, length: number): Group {
  const group = scalar(fields, 'group', groupSchema, GROUP_WANTED);
  if (group !== null) return { group, groupFrom: 'column' };
  // verl's "index" is the prompt's; beside a group it is the sample's.
  if (pick(fields, 'sample')?.written === 'index') {
    const index = scalar(fields, 'sample', groupSchema, GROUP_WANTED);
    if (index !== null) return { group: index, groupFrom: 'column' };
  }
  const text = promptText(fields);
  if (text !== null && text !== '') return { group: text, groupFrom: 'prompt' };
  const tokens = promptTokens(fields, keep, length);
  if (tokens !== null) return { group: tokens, groupFrom: 'promptTokens' };
  const ids = pick(fields, 'token_ids')?.value;
  throw missing('group', keep === null && isList(ids) && areIds(ids) ? NO_PROMPT : '');
}

/** The group of a record that is bad in another way; null where it cannot be told. */
export function groupOf(input: unknown): Pick<RolloutRecord, 'group' | 'step'> | null {
  if (!isRow(input)) return null;
  try {
    const fields = fieldsOf(input);
    return { group: groupOfFields(fields, null, 0).group, step: stepOf(fields) };
  } catch {
    return null;
  }
}

const LOG_PROB_FIELDS = ['logp_old', 'logp_new', 'logp_sampler'] as const;
/** Enough to tell a response: nothing else has such a field. */
const TELLING = LOG_PROB_FIELDS.flatMap((field) => FIELD_NAMES[field] as readonly string[]);

/** The columns of log-probs that an object has. */
export function logProbNames(row: object): string[] {
  return TELLING.filter((name) => Object.hasOwn(row, name));
}

/** Whether the value is a response at all, good or bad. */
export function hasLogProbs(input: unknown): boolean {
  return isRow(input) && logProbNames(input).length > 0;
}

function numberOf(found: Value, wanted: string): number {
  const { value, written } = found;
  const x = typeof value === 'bigint' ? Number(value) : typeof value === 'boolean' ? +value : value;
  if (typeof x === 'number' && Number.isFinite(x)) return x;
  throw new RecordError(written, `is ${show(value)}; it must be ${wanted}.`);
}

/** A reward, or the sum of a reward per token; true and false are 1 and 0. */
function rewardIn(found: Value): number {
  const { value, written } = found;
  if (isList(value)) {
    const { length } = value;
    return numbersOf({ values: value, written }, { keep: null, kept: length }).reduce(
      (sum, x) => sum + x,
      0,
    );
  }
  if (isRow(value)) {
    throw new RecordError(
      written,
      'is an object of several rewards; write the number that advantages are made of.',
    );
  }
  return numberOf(found, 'a finite number');
}

/** NeMo-RL's `rewards` may be those of other samples; `filtered_rewards` are those that were trained on. */
const REPLACED: ReadonlyMap<string, string> = new Map([['filtered_rewards', 'rewards']]);

function rewardOf(fields: Fields): number | null {
  const all = fields.reward ?? [];
  const replaced = new Set(all.map(({ written }) => REPLACED.get(written)));
  const [first, ...others] = all.filter(({ written }) => !replaced.has(written));
  if (!first) return null;
  const reward = rewardIn(first);
  for (const other of others) {
    if (Math.abs(rewardIn(other) - reward) > 1e-6 * Math.max(1, Math.abs(reward))) {
      throw disagree(first, other);
    }
  }
  return reward;
}

/** [k] one per reward function: an array, or an object by name; what is wrong costs this column only. */
function rewardPartsOf(fields: Fields, lost: RolloutRecord['lost']): Float64Array | null {
  const found = pick(fields, 'reward_parts');
  if (found === null) return null;
  const { value, written } = found;
  const values: unknown[] = isList(value)
    ? Array.from(value)
    : isRow(value)
      ? Object.values(value)
      : [];
  const parts = values.map((x) => (typeof x === 'boolean' ? +x : x));
  if (parts.length > 0 && parts.every((x) => typeof x === 'number' && Number.isFinite(x))) {
    return Float64Array.from(parts, Number);
  }
  lost.push({ name: written, meaning: 'reward_parts' });
  return null;
}

interface Advantage {
  advantage: number;
  tokenAdvantage: Float64Array | null;
}

/** One advantage, or one per token: verl, NeMo-RL and OpenRLHF repeat the response's at each. */
function advantageIn(found: Value, reference: List, tokens: Kept): Advantage | null {
  const { value, written } = found;
  if (!isList(value)) {
    return { advantage: numberOf(found, 'a finite number'), tokenAdvantage: null };
  }
  const values: List = { values: value, written };
  if (value.length === 1 && reference.values.length !== 1) {
    return {
      advantage: numberOf({ value: value[0], written }, 'a finite number'),
      tokenAdvantage: null,
    };
  }
  sameLength(reference, values);
  if (hasGap(values, tokens)) return null;
  const own = numbersOf(values, tokens);
  const constant = constantOf(own);
  if (constant !== null) return { advantage: constant, tokenAdvantage: null };
  return { advantage: own.reduce((sum, x) => sum + x, 0) / own.length, tokenAdvantage: own };
}

function advantageOf(fields: Fields, reference: List, tokens: Kept, lost: RolloutRecord['lost']) {
  const nothing = { advantage: null, tokenAdvantage: null };
  const [first, ...others] = fields.advantage ?? [];
  if (!first) return nothing;
  const found = advantageIn(first, reference, tokens);
  if (found === null) {
    lost.push({ name: first.written, meaning: 'advantage' });
    return nothing;
  }
  for (const other of others) {
    const { advantage } = advantageIn(other, reference, tokens) ?? found;
    if (Math.abs(advantage - found.advantage) > 1e-6 * Math.max(1, Math.abs(advantage))) {
      throw disagree(first, other);
    }
  }
  return found;
}

/** NeMo-RL: `sample_loss_mask` 0 = not in the loss; slime: `remove_sample`. */
function isTrained(fields: Fields): boolean {
  const mask = pick(fields, 'sample_mask');
  if (mask && numberOf(mask, '0 or 1') === 0) return false;
  return pick(fields, 'remove_sample')?.value !== true;
}

type TokenIds = Pick<RolloutRecord, 'tokenIds' | 'tokens'>;

/** Ids and texts, for the inspector; slime's `tokens` are ids of prompt and response. */
function tokensOf(
  fields: Fields,
  reference: List,
  tokens: Kept,
  lost: RolloutRecord['lost'],
): TokenIds {
  const out: TokenIds = { tokenIds: null, tokens: null };
  const { length } = reference.values;
  const ids = pick(fields, 'token_ids');
  if (ids && isList(ids.value)) {
    const own: List = { values: ids.value, written: ids.written };
    if (ids.written === FIELD_NAMES.token_ids[0]) sameLength(reference, own);
    if (own.values.length !== length || hasGap(own, tokens)) {
      lost.push({ name: own.written, meaning: 'token_ids' });
    } else out.tokenIds = idsOf(own, tokens);
  }
  const texts = list(fields, 'tokens');
  if (texts === null) return out;
  if (areIds(texts.values) && texts.values.length >= length) {
    const tail = Array.prototype.slice.call(
      texts.values,
      texts.values.length - length,
    ) as unknown[];
    out.tokenIds ??= idsOf({ values: tail, written: texts.written }, tokens);
    return out;
  }
  sameLength(reference, texts);
  if (hasGap(texts, tokens)) lost.push({ name: texts.written, meaning: 'tokens' });
  else out.tokens = textsOf(texts, tokens);
  return out;
}

/** The ratio does without a reference policy, so whatever is wrong with its column costs that column only. */
function referenceOf(fields: Fields, reference: List, tokens: Kept, lost: RolloutRecord['lost']) {
  const found = pick(fields, 'logp_ref');
  if (found === null) return null;
  const { value, written } = found;
  if (isList(value) && value.length === reference.values.length) {
    const own: List = { values: value, written };
    if (!hasGap(own, tokens) && areLogProbs(value, tokens)) return logProbs(own, tokens);
  }
  lost.push({ name: written, meaning: 'logp_ref' });
  return null;
}

interface Policies {
  old: List;
  next: List;
  sampler: List | null;
  mismatch: boolean;
}

/**
 * slime calls the trainer's log-probs of before the update `log_probs`, as verl calls those of after. Where
 * "logp_new" stands beside it and nothing else is old, it is the former.
 */
function oldLogProbs(fields: Fields): void {
  const [first, second, ...more] = fields.logp_new ?? [];
  if (fields.logp_old || first?.written !== 'logp_new' || more.length > 0) return;
  if (second?.written !== 'log_probs') return;
  fields.logp_new = [first];
  fields.logp_old = [second];
}

/**
 * Which column is which policy. Files with one policy of the trainer and the sampler's (NeMo-RL, AReaL,
 * OpenRLHF, slime, verl's bypass mode) are read as sampler against trainer.
 */
function policiesOf(fields: Fields, row: object): Policies {
  const old = list(fields, 'logp_old');
  const next = list(fields, 'logp_new');
  const sampler = list(fields, 'logp_sampler');
  if (old && next) return { old, next, sampler, mismatch: false };
  const trainer = old ?? next;
  if (trainer && sampler) return { old: sampler, next: trainer, sampler: null, mismatch: true };
  const present = trainer ?? sampler;
  if (present === null) throw withoutLogProbs(row) ?? missing('logp_old', whatIsThere(row));
  throw missing(
    next ? 'logp_old' : old ? 'logp_new' : 'logp_old',
    missingHint(present.written) || whatIsThere(row),
  );
}

/** The column that a person named is the mask, whatever it is called, and the only one. */
function takeMask(fields: Fields, row: Record<string, unknown>, name: string): void {
  const value = row[name];
  if (!Object.hasOwn(row, name) || value === null || value === undefined) {
    throw new RecordError(name, 'is missing, and was asked for as the mask (--mask).');
  }
  fields.mask = [{ value, written: name }];
  delete fields.tool_mask;
}

/**
 * @param names counts the columns that the record has
 * @param mask the column to take as the mask; null = by name, and masks that disagree are an error
 * @throws RecordError
 */
export function parseRecord(
  input: unknown,
  names?: NameCounts,
  mask: string | null = null,
): RolloutRecord {
  if (!isRow(input)) {
    throw new RecordError(null, `holds ${show(input)}; each response must be one JSON object.`);
  }
  const fields = fieldsOf(input, names);
  const version = scalar(fields, 'v', finiteNumber, 'a number');
  if (version !== null && version !== FORMAT_VERSION) {
    throw new RecordError(
      'v',
      `is ${version}; this lab reads version ${FORMAT_VERSION}. Do not mix versions in one file.`,
    );
  }
  oldLogProbs(fields);
  if (mask !== null) takeMask(fields, input, mask);
  const { old, next, sampler, mismatch } = policiesOf(fields, input);
  sameLength(old, next);
  if (sampler) sameLength(old, sampler);

  const taken = maskOf(fields, old);
  const keep = taken?.keep ?? null;
  const { length } = old.values;
  const kept = keep ? keep.reduce((sum, k) => sum + k, 0) : length;
  const tokens: Kept = { keep, kept };
  const { group, groupFrom } = groupOfFields(fields, keep, length);
  const trained = isTrained(fields);
  if (kept === 0 && trained) {
    throw new RecordError(
      taken?.written ?? old.written,
      taken
        ? 'masks every token; a response needs at least one.'
        : 'is empty; a response needs at least one token.',
    );
  }
  for (const field of LOG_PROB_FIELDS) checkCopies(fields, field, tokens);
  const lost: RolloutRecord['lost'] = [];
  const optional = (name: FieldName, read: (values: List, tokens: Kept) => Float64Array) => {
    const values = list(fields, name);
    if (values === null) return null;
    sameLength(old, values);
    if (!hasGap(values, tokens)) return read(values, tokens);
    lost.push({ name: values.written, meaning: name });
    return null;
  };
  const reward = rewardOf(fields);
  const { advantage, tokenAdvantage } = advantageOf(fields, old, tokens, lost);
  if (advantage === null && reward === null) {
    throw new RecordError(
      'advantage',
      'is missing, and so is "reward". One of them is needed; from rewards the lab computes group advantages.',
    );
  }
  const meta = metaOf(fields);
  const maxCompletionLength =
    meta.maxCompletionLength ??
    scalar(fields, 'max_completion_length', positiveSchema, 'a whole number from 1');
  const cut = cutOf(fields, meta);
  const response = pick(fields, 'response');
  if (response?.written === FIELD_NAMES.response[0]) {
    scalar(fields, 'response', textSchema, 'a text');
  }
  const sample = pick(fields, 'sample');
  return {
    group,
    groupFrom,
    step: stepOf(fields),
    sample:
      sample?.written === FIELD_NAMES.sample[0]
        ? scalar(fields, 'sample', countSchema, COUNT_WANTED)
        : countOrNull(sample?.value),
    logpOld: logProbs(old, tokens),
    logpNew: logProbs(next, tokens),
    logpSampler: sampler && optional('logp_sampler', logProbs),
    mismatch,
    logpRef: referenceOf(fields, old, tokens, lost),
    entropyOld: optional('entropy_old', numbersOf),
    entropyNew: optional('entropy_new', numbersOf),
    collisionOld: optional('collision_old', numbersOf),
    collisionNew: optional('collision_new', numbersOf),
    ratioMask: optional('ratio_mask', numbersOf),
    ...tokensOf(fields, old, tokens, lost),
    advantage,
    tokenAdvantage,
    reward,
    rewardParts: rewardPartsOf(fields, lost),
    prompt: promptText(fields),
    maxCompletionLength,
    finished: !(
      cut ??
      (maxCompletionLength !== null && completionLength(length, keep) >= maxCompletionLength)
    ),
    endKnown: cut !== null || maxCompletionLength !== null,
    maskedTokens: length - kept,
    lost,
    trained,
  };
}

function countOrNull(value: unknown): number | null {
  const count = typeof value === 'bigint' ? exactly(value) : value;
  return v.is(countSchema, count) ? count : null;
}
