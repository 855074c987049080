/**
 * Columns by the names that trainers give them. Contract: own properties only; one pass over a record's names
 * finds every field, so more names cost nothing; what is wrong is a `RecordError` that names the field as it
 * was written. Names that nobody here reads are counted, never walked. Sources: docs/export/schemas.md.
 */
import * as v from 'valibot';
import { RecordError } from './problems';

/** Canonical name first; where a record has several names of one field, the earlier one counts. */
export const FIELD_NAMES = {
  logp_old: [
    'logp_old',
    'old_per_token_logps',
    'old_log_probs',
    'old_log_prob',
    'old_logprobs',
    'prev_logprobs',
    'prox_logp',
    'action_log_probs',
  ],
  logp_new: [
    'logp_new',
    'per_token_logps',
    'log_prob',
    'log_probs',
    'new_log_probs',
    'new_logprobs',
    'curr_logprobs',
  ],
  logp_sampler: [
    'logp_sampler',
    'sampling_per_token_logps',
    'rollout_per_token_logps',
    'rollout_log_probs',
    'rollout_logprobs',
    'generation_logprobs',
    'completion_logprobs',
    'inference_logprobs',
    'logprobs',
  ],
  logp_ref: [
    'logp_ref',
    'ref_per_token_logps',
    'ref_log_prob',
    'ref_log_probs',
    'ref_logprobs',
    'ref_logp',
    'reference_policy_logprobs',
    'base_action_log_probs',
  ],
  entropy_old: ['entropy_old', 'entropys'],
  entropy_new: ['entropy_new'],
  collision_old: ['collision_old'],
  collision_new: ['collision_new'],
  group: ['group', 'uid', 'prompt_id', 'group_index', 'group_id'],
  reward: [
    'reward',
    'filtered_rewards',
    'rewards',
    'score',
    'scores',
    'token_level_scores',
    'rm_scores',
  ],
  reward_parts: ['reward_parts', 'rewards_per_func', 'reward_components'],
  advantage: ['advantage', 'advantages'],
  mask: [
    'mask',
    'response_mask',
    'completion_mask',
    'loss_mask',
    'token_loss_mask',
    'action_mask',
    'response_masks',
    'loss_masks',
    'action_masks',
  ],
  tool_mask: ['tool_mask'],
  ratio_mask: ['ratio_mask', 'sequence_ratio_mask'],
  sample_mask: ['sample_loss_mask'],
  remove_sample: ['remove_sample'],
  token_ids: ['token_ids', 'responses', 'completion_ids', 'response_ids'],
  tokens: ['tokens'],
  step: ['step', 'global_step', 'global_steps', 'rollout_id'],
  sample: ['sample', 'sample_index', 'index', 'idx'],
  prompt: ['prompt', 'prompts', 'prompt_ids', 'input'],
  response: ['response', 'completion', 'output'],
  finish_reason: ['finish_reason', 'stop_reason'],
  truncated: ['truncated', 'is_truncated'],
  status: ['status'],
  max_completion_length: ['max_completion_length', 'max_response_length'],
  meta: ['meta'],
  v: ['v'],
} as const;
export type FieldName = keyof typeof FIELD_NAMES;

const FIELD_OF = new Map<string, FieldName>(
  (Object.entries(FIELD_NAMES) as [FieldName, readonly string[]][]).flatMap(([field, names]) =>
    names.map((name) => [name, field] as const),
  ),
);

/** The field that a column of this name is read as; undefined where it is not read. */
export function fieldOf(name: string): FieldName | undefined {
  return FIELD_OF.get(name);
}

/** What the name of a column that is not read speaks of. */
export type ColumnTopic = 'masks' | 'log-probs' | 'advantages' | 'rewards' | 'entropies';

/** Columns of trainers that hold another thing than the lab needs, and what. */
export const KNOWN_UNREAD: ReadonlyMap<string, { about: ColumnTopic; why: string }> = new Map(
  [
    {
      about: 'log-probs' as const,
      why: 'of a teacher; neither ratio nor penalty is against it',
      names: ['teacher_log_probs', 'teacher_logprobs'],
    },
    {
      about: 'masks' as const,
      why: 'tells padding from text, prompts among it, not which tokens the loss takes; that is for "response_mask"',
      names: ['attention_mask', 'prompt_mask'],
    },
    {
      about: 'rewards' as const,
      why: 'rewards before or after a change of the trainer’s; the lab takes those that advantages are made of',
      names: ['token_level_rewards', 'raw_reward', 'raw_rewards', 'reward_extra_info'],
    },
  ].flatMap(({ names, about, why }) => names.map((name) => [name, { about, why }] as const)),
);

/** What an unknown name speaks of, and what to rename it to. */
const SUSPICIOUS: readonly { about: ColumnTopic; pattern: RegExp; why: string }[] = [
  {
    about: 'masks',
    pattern: /mask/i,
    why: 'if it says which tokens the loss takes, rename it to "mask" (1 = taken)',
  },
  {
    about: 'log-probs',
    pattern: /log_?-?p(?:rob|s?$|s?_)|logprob|logits?(?:$|_)/i,
    why: 'rename it to "logp_old", "logp_new", "logp_sampler" or "logp_ref" if it is one of these',
  },
  {
    about: 'advantages',
    pattern: /advantage|(?:^|_)advs?(?:$|_)/i,
    why: 'rename it to "advantage" if the loss takes it',
  },
  {
    about: 'rewards',
    pattern: /reward|score/i,
    why: 'rename it to "reward" if advantages are made of it',
  },
];

/** What the name of an unread column speaks of; null where it cannot change the numbers. */
export function topicOf(
  name: string,
): { about: ColumnTopic; kind: 'known' | 'unknown'; why: string } | null {
  const known = KNOWN_UNREAD.get(name);
  if (known) return { ...known, kind: 'known' };
  const found = SUSPICIOUS.find(({ pattern }) => pattern.test(name));
  return found ? { about: found.about, kind: 'unknown', why: found.why } : null;
}

export type Row = Record<string, unknown>;

export function isRow(input: unknown): input is Row {
  return typeof input === 'object' && input !== null && !Array.isArray(input) && !isTyped(input);
}

export interface Value {
  value: unknown;
  /** the column's name in the file */
  written: string;
}

/** The fields of one response; several values where several names of a field are there. */
export type Fields = Partial<Record<FieldName, Value[]>>;

/** So many different names are counted; a file with more has no columns. */
const MOST_NAMES = 4096;

/** How many records have each name, null left out; `count` takes the names of one record. */
export class NameCounts {
  readonly counts = new Map<string, number>();

  count(name: string): void {
    const before = this.counts.get(name);
    if (before === undefined && this.counts.size >= MOST_NAMES) return;
    this.counts.set(name, (before ?? 0) + 1);
  }
}

/** @param names counts every name that has a value */
export function fieldsOf(row: Row, names?: NameCounts): Fields {
  const fields: Fields = {};
  for (const written of Object.keys(row)) {
    const value = row[written];
    if (value === null || value === undefined) continue;
    names?.count(written);
    const field = FIELD_OF.get(written);
    if (field === undefined) continue;
    const others = fields[field];
    if (others === undefined) fields[field] = [{ value, written }];
    else {
      others.push({ value, written });
      const order: readonly string[] = FIELD_NAMES[field];
      others.sort((a, b) => order.indexOf(a.written) - order.indexOf(b.written));
    }
  }
  return fields;
}

export function isTyped(value: unknown): value is ArrayLike<number | bigint> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** An array, of JavaScript's or of a typed kind. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || isTyped(value);
}

/** Python writes these bare words; the reader turns them into strings with this mark in front. */
export const NOT_A_NUMBER_MARK = '\u0000not-json:';

export function show(value: unknown): string {
  if (typeof value === 'string') {
    if (value.startsWith(NOT_A_NUMBER_MARK)) return value.slice(NOT_A_NUMBER_MARK.length);
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`;
  }
  if (value === null) return 'null';
  if (isList(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return String(value);
}

/** The field's value under its first name that is there. */
export function pick(fields: Fields, name: FieldName): Value | null {
  return fields[name]?.[0] ?? null;
}

export function missing(name: FieldName, hint = ''): RecordError {
  const [canonical, ...aliases] = FIELD_NAMES[name];
  const also = aliases.length > 0 ? ` (or ${aliases.join(', ')})` : '';
  return new RecordError(
    canonical,
    `is missing. Every response needs "${canonical}"${also}.${hint === '' ? '' : ` ${hint}`}`,
  );
}

/** Two columns for one thing: which of them is true cannot be told here. */
export function disagree(first: Value, second: Value, place = ''): RecordError {
  return new RecordError(
    `${second.written}${place}`,
    `disagrees with "${first.written}${place}"; both are read as "${FIELD_OF.get(first.written) ?? ''}". ` +
      'Keep the one that the loss takes.',
  );
}

/** Parquet gives 64-bit integers as BigInt; those that are no exact float64 are names, as text. */
export function exactly(value: bigint): number | string {
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
