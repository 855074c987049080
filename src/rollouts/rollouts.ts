/**
 * `Rollouts`: the one data type between every source and every experiment.
 *
 * Structure of arrays. Token arrays have one entry per *response* token (prompts and padding never
 * enter), sequence arrays one entry per response. Sequence i owns tokens offsets[i] .. offsets[i + 1].
 * Log-probs are natural logarithms (nats). Contract: values are never changed after construction;
 * sources concatenate batches with `concatRollouts`.
 */
import type { FloatArray } from '../math/kernels';

export type { FloatArray };

/** Names of the token columns that a source may leave out. */
export const OPTIONAL_TOKEN_COLUMNS = [
  'logpSampler',
  'logpRef',
  'tokenAdvantage',
  'entropyOld',
  'entropyNew',
  'collisionOld',
  'collisionNew',
] as const;

/** One more column per token: `width` numbers each, such as one per layer; row t is token t's. */
export interface TokenTable {
  width: number;
  /** [tokens x width], row-major; floats or integers */
  values: FloatArray | Int32Array;
}

/** The table of the tokens that a sequence ratio is over, 1 or 0 each (Tinker's `sequence_ratio_mask`). */
export const RATIO_MASK = 'ratio_mask';

/** The table of log pi_theta where every token goes to the experts that pi_old sends it to, nats. */
export const REPLAYED = 'logp.replayed';

/** Log of the probability, at temperature 1, that the sampler's top-p kept for each token. */
export const LOG_KEPT = 'sampler.logKept';

export interface Rollouts {
  /** [n + 1], ascending, offsets[0] = 0 */
  offsets: Uint32Array;
  /** [tokens]; -1 where the source knows no ids */
  tokenIds: Int32Array;
  /** [tokens] log pi_old(y_t | x, y_<t) */
  logpOld: FloatArray;
  /** [tokens] log pi_theta(y_t | x, y_<t) */
  logpNew: FloatArray;
  /**
   * [tokens] log-prob under the engine that sampled, where that is another one than pi_old; NaN in every
   * token of a response that has none (`withSampler` leaves those out)
   */
  logpSampler?: FloatArray;
  /** [tokens] log-prob under the reference policy that a penalty is against */
  logpRef?: FloatArray;
  /** [tokens] where a trainer's advantages differ within a response; `advantage` is then their mean */
  tokenAdvantage?: FloatArray;
  /** [tokens] Shannon entropy of the next-token distribution under pi_old, nats */
  entropyOld?: FloatArray;
  entropyNew?: FloatArray;
  /** [tokens] collision probability sum_v p_v^2 under pi_old */
  collisionOld?: FloatArray;
  collisionNew?: FloatArray;
  /** what else a source knows of each token, by name: `router.old`, `router.new` */
  tables?: Record<string, TokenTable>;
  /** [n] index into `prompts`: responses to one prompt share it */
  group: Uint32Array;
  /** [n] */
  reward: Float64Array;
  /** [n x k] what the reward is made of, row-major, where a source has k of them apart; k = length / n */
  rewardParts?: Float64Array;
  /** [n] */
  advantage: Float64Array;
  /** [n] 1 = the response ended by itself, 0 = cut at the length limit */
  finished: Uint8Array;
  /** one text (or id) per group */
  prompts: string[];
  /** token id -> text, where the source has one */
  vocabulary?: readonly string[];
  /** [tokens] text of each token, where the source has texts rather than a vocabulary */
  tokenTexts?: string[];
}

export function sequenceCount(rollouts: Rollouts): number {
  return rollouts.offsets.length - 1;
}

export function tokenCount(rollouts: Rollouts): number {
  return rollouts.offsets.at(-1) as number;
}

/** Every typed array of the rollouts, for who copies, moves or weighs them. */
export function columnsOf(
  rollouts: Rollouts,
): (FloatArray | Int32Array | Uint32Array | Uint8Array)[] {
  const { tables = {}, ...rest } = rollouts;
  const all: unknown[] = [...Object.values(rest), ...Object.values(tables).map((t) => t.values)];
  return all.filter(
    (column): column is FloatArray | Int32Array | Uint32Array | Uint8Array =>
      ArrayBuffer.isView(column) && !(column instanceof DataView),
  );
}

export function emptyRollouts(): Rollouts {
  return {
    offsets: new Uint32Array(1),
    tokenIds: new Int32Array(0),
    logpOld: new Float32Array(0),
    logpNew: new Float32Array(0),
    group: new Uint32Array(0),
    reward: new Float64Array(0),
    advantage: new Float64Array(0),
    finished: new Uint8Array(0),
    prompts: [],
  };
}

function concatFloats(parts: readonly FloatArray[]): FloatArray {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const wide = parts.some((part) => part instanceof Float64Array);
  const out = wide ? new Float64Array(length) : new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function concatTables(parts: readonly TokenTable[]): TokenTable | undefined {
  const [first] = parts;
  if (!first || parts.some(({ width }) => width !== first.width)) return undefined;
  const { width } = first;
  const columns = parts.map(({ values }) => values);
  if (columns.every((column) => column instanceof Int32Array)) {
    const values = new Int32Array(columns.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const column of columns) {
      values.set(column, at);
      at += column.length;
    }
    return { width, values };
  }
  const floats = columns.map((c) => (c instanceof Int32Array ? Float64Array.from(c) : c));
  return { width, values: concatFloats(floats) };
}

/**
 * Batches of one source, end to end. Groups are renumbered: groups of different parts stay different.
 * An optional column or table survives only if every non-empty part has it, in the same width.
 */
export function concatRollouts(parts: readonly Rollouts[]): Rollouts {
  const filled = parts.filter((part) => sequenceCount(part) > 0);
  const [first] = filled;
  if (!first) return emptyRollouts();
  if (filled.length === 1) return first;

  const n = filled.reduce((sum, part) => sum + sequenceCount(part), 0);
  const tokens = filled.reduce((sum, part) => sum + tokenCount(part), 0);
  const out: Rollouts = {
    offsets: new Uint32Array(n + 1),
    tokenIds: new Int32Array(tokens),
    logpOld: concatFloats(filled.map((part) => part.logpOld)),
    logpNew: concatFloats(filled.map((part) => part.logpNew)),
    group: new Uint32Array(n),
    reward: new Float64Array(n),
    advantage: new Float64Array(n),
    finished: new Uint8Array(n),
    prompts: filled.flatMap((part) => part.prompts),
  };
  if (first.vocabulary) out.vocabulary = first.vocabulary;
  for (const column of OPTIONAL_TOKEN_COLUMNS) {
    const columns = filled.map((part) => part[column]);
    if (columns.every((c) => c !== undefined)) out[column] = concatFloats(columns);
  }
  for (const name of Object.keys(first.tables ?? {})) {
    const tables = filled.flatMap((part) => part.tables?.[name] ?? []);
    const table = tables.length === filled.length ? concatTables(tables) : undefined;
    if (table) out.tables = { ...out.tables, [name]: table };
  }
  const rewards = filled.flatMap(({ rewardParts }) => rewardParts ?? []);
  const widths = new Set(
    filled.map((part) => (part.rewardParts?.length ?? 0) / sequenceCount(part)),
  );
  if (rewards.length === filled.length && widths.size === 1) {
    out.rewardParts = Float64Array.from(concatFloats(rewards));
  }
  if (filled.every((part) => part.tokenTexts !== undefined)) {
    out.tokenTexts = filled.flatMap((part) => part.tokenTexts as string[]);
  }

  let sequence = 0;
  let token = 0;
  let groups = 0;
  for (const part of filled) {
    const count = sequenceCount(part);
    for (let i = 0; i < count; i++) {
      out.offsets[sequence + i + 1] = token + part.offsets[i + 1];
      out.group[sequence + i] = groups + part.group[i];
    }
    out.tokenIds.set(part.tokenIds, token);
    out.reward.set(part.reward, sequence);
    out.advantage.set(part.advantage, sequence);
    out.finished.set(part.finished, sequence);
    sequence += count;
    token += tokenCount(part);
    groups += part.prompts.length;
  }
  return out;
}

/** The responses at `chosen` (ascending) as rollouts of their own; prompts and groups keep their numbers. */
export function selectResponses(rollouts: Rollouts, chosen: readonly number[]): Rollouts {
  const offsets = new Uint32Array(chosen.length + 1);
  chosen.forEach((i, k) => {
    const length = rollouts.offsets[i + 1] - rollouts.offsets[i];
    offsets[k + 1] = offsets[k] + length;
  });
  const tokens = offsets[chosen.length];
  const perToken = <T extends FloatArray | Int32Array>(from: T, to: T): T => {
    chosen.forEach((i, k) => {
      to.set(from.subarray(rollouts.offsets[i], rollouts.offsets[i + 1]), offsets[k]);
    });
    return to;
  };
  const floats = (column: FloatArray): FloatArray =>
    column instanceof Float32Array
      ? perToken<FloatArray>(column, new Float32Array(tokens))
      : perToken<FloatArray>(column, new Float64Array(tokens));
  const out: Rollouts = {
    offsets,
    tokenIds: perToken(rollouts.tokenIds, new Int32Array(tokens)),
    logpOld: floats(rollouts.logpOld),
    logpNew: floats(rollouts.logpNew),
    group: Uint32Array.from(chosen, (i) => rollouts.group[i]),
    reward: Float64Array.from(chosen, (i) => rollouts.reward[i]),
    advantage: Float64Array.from(chosen, (i) => rollouts.advantage[i]),
    finished: Uint8Array.from(chosen, (i) => rollouts.finished[i]),
    prompts: rollouts.prompts,
  };
  for (const name of OPTIONAL_TOKEN_COLUMNS) {
    const column = rollouts[name];
    if (column) out[name] = floats(column);
  }
  const { rewardParts } = rollouts;
  if (rewardParts) {
    const k = rewardParts.length / sequenceCount(rollouts);
    out.rewardParts = Float64Array.from(
      chosen.flatMap((i) => Array.from(rewardParts.subarray(i * k, (i + 1) * k))),
    );
  }
  if (rollouts.vocabulary) out.vocabulary = rollouts.vocabulary;
  const texts = rollouts.tokenTexts;
  if (texts) {
    out.tokenTexts = chosen.flatMap((i) =>
      texts.slice(rollouts.offsets[i], rollouts.offsets[i + 1]),
    );
  }
  return out;
}

/** The first n, in their order; all of them where there are no more. */
export function firstResponses(rollouts: Rollouts, n: number): Rollouts {
  if (n >= sequenceCount(rollouts)) return rollouts;
  return selectResponses(rollouts, [...Array(n).keys()]);
}

export type WithSampler = Rollouts & { logpSampler: FloatArray };

/** The responses whose sampler's log-probs are known, all of them where none lacks any; null where all do. */
export function withSampler(rollouts: Rollouts): WithSampler | null {
  const { logpSampler, offsets } = rollouts;
  if (!logpSampler) return null;
  const n = sequenceCount(rollouts);
  const known: number[] = [];
  for (let i = 0; i < n; i++) {
    if (!Number.isNaN(logpSampler[offsets[i]])) known.push(i);
  }
  if (known.length === n) return { ...rollouts, logpSampler };
  if (known.length === 0) return null;
  return selectResponses(rollouts, known) as WithSampler;
}

/** Text of token t, for people. */
export function tokenText(rollouts: Rollouts, t: number): string {
  const id = rollouts.tokenIds[t];
  return rollouts.tokenTexts?.[t] ?? rollouts.vocabulary?.[id] ?? (id >= 0 ? `#${id}` : '·');
}

/**
 * A source of Rollouts, batch by batch. Contract: batch i is a function of the source's settings and
 * of i alone, so a run that was interrupted goes on from its last finished batch, and a run that is
 * repeated repeats its numbers.
 */
export interface SourceHooks {
  signal: AbortSignal;
  onPhase(phase: 'loading' | 'sampling' | 'scoring'): void;
  onLoad(loaded: { bytes: number; total: number | null; what: string }): void;
}

export interface RolloutSource {
  readonly batches: number;
  readonly totalSequences: number;
  batch(index: number, hooks: SourceHooks): Promise<Rollouts>;
  /** Nobody waits for a batch: whatever works ahead pauses, until the next one is asked for. */
  rest?(): void;
}

/** Names of the token columns in files: `logpSampler` is `logp_sampler` there. */
export type TokenColumn = 'logpOld' | 'logpNew' | (typeof OPTIONAL_TOKEN_COLUMNS)[number];

export const TOKEN_COLUMNS: readonly TokenColumn[] = [
  'logpOld',
  'logpNew',
  ...OPTIONAL_TOKEN_COLUMNS,
];

export function fileName(column: TokenColumn): string {
  return column.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export interface PresentColumn {
  column: TokenColumn;
  /** as in files */
  name: string;
  values: FloatArray;
  /** float32: written with fewer digits */
  single: boolean;
}

/** The float columns that these rollouts have, in a fixed order. */
export function presentColumns(rollouts: Rollouts): PresentColumn[] {
  return TOKEN_COLUMNS.flatMap((column) => {
    const values = rollouts[column];
    if (values === undefined) return [];
    return [{ column, name: fileName(column), values, single: values instanceof Float32Array }];
  });
}
