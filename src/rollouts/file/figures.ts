/**
 * The figures of an analysis as sums over responses: added to batch by batch, merged over parts, sent as JSON.
 * Contract: a response's terms depend on that response alone and sums are exact, so however responses are split
 * over files, parts and machines, the figures are the same to the last digit. Memory does not grow with the
 * responses. What the figures are: `Figures`.
 */
import * as v from 'valibot';
import type { OffPolicyMetrics } from '../../math/diagnostics/perplexity';
import { VERL_EPSILON } from '../../math/objectives/arithmetic';
import { counted } from '../../math/objectives/clip-statistics';
import { applyResponse, sequenceCoefficients } from '../../math/objectives/evaluate';
import {
  kindOf,
  RESPONSE_IDS,
  recommended,
  type ResponseId,
  type ObjectiveSettings,
  type Overrides,
} from '../../math/objectives/registry';
import type { Library, ResponseView, SurrogateBuffers } from '../../math/objectives/types';
import { ExactSum, type NotFinite } from '../../math/summation';
import { sequenceCount, type Rollouts } from '../rollouts';

/** Log-ratios beyond this are clamped before they are squared or exponentiated (verl's SAFETY_BOUND). */
const LOG_RATIO_LIMIT = 20;
/** verl's masked means have this beside each count. */
const VERL_COUNT_EPSILON = 1e-8;
/** what verl's truncated importance sampling cuts weights at, by default */
const TIS_MAX = 2;

export interface ObjectiveAnalysis {
  trl: { loss: number; clip_low: number | null; clip_high: number | null } | null;
  verl: { loss: number; clip_fraction: number | null } | null;
}

/** verl's off-policy metrics of old against sampler, and what its truncation at 2 leaves. */
export interface MismatchAnalysis extends OffPolicyMetrics {
  eff_sample_size_token_tis_2: number;
  eff_sample_size_seq_tis_2: number;
}

/** All of an analysis but its rows, one per response. */
export interface Figures {
  n_sequences: number;
  n_tokens: number;
  objectives: Record<ResponseId, ObjectiveAnalysis>;
  /** KL(old || theta), mean over tokens */
  kl: { k1: number; k2: number; k3: number };
  chi2: { token: number; sequence: number };
  mismatch: MismatchAnalysis | null;
}

export interface Clip {
  low?: number;
  high?: number;
}

const SUMS = ['k1', 'k2', 'k3', 'chi2Token', 'chi2Sequence'] as const;
const MISMATCH_SUMS = [
  'k1',
  'k3',
  'logPplTraining',
  'logPplRollout',
  'pplTraining',
  'pplRollout',
  'difference',
  'absolute',
  'pplRatio',
  'chi2Token',
  'chi2Sequence',
  'tokenWeight',
  'tokenSquare',
  'sequenceWeight',
  'sequenceSquare',
] as const;
/** `...Tokens`: where TRL counts a ratio of the response, its tokens, which count where advantages are of tokens */
const OBJECTIVE_SUMS = ['loss', 'low', 'high', 'lowTokens', 'highTokens'] as const;

type Sums<Name extends string> = Record<Name, ExactSum>;

const sums = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, new ExactSum()])) as Sums<Name>;

function mergeSums<Name extends string>(into: Sums<Name>, from: Sums<Name>): void {
  for (const name of Object.keys(into) as Name[]) into[name].merge(from[name]);
}

const clamped = (x: number) => Math.max(-LOG_RATIO_LIMIT, Math.min(LOG_RATIO_LIMIT, x));

/** A response that tells which sides a library counts. */
const PROBE: ResponseView = {
  batch: {
    offsets: Uint32Array.of(0, 1),
    logpOld: Float64Array.of(-1),
    logpNew: Float64Array.of(-1),
    advantage: Float64Array.of(1),
  },
  from: 0,
  to: 1,
  advantage: 1,
  library: 'trl',
};

/** One objective in one library's convention. */
class ObjectiveSums {
  readonly sums = sums(OBJECTIVE_SUMS);
  private readonly coefficients = new Map<number, number>();

  constructor(
    readonly library: Library,
    /** Dr.GRPO's constant left out: it divides the total */
    readonly settings: ObjectiveSettings,
  ) {}

  static of(id: ResponseId, library: Library, clip: Clip): ObjectiveSums | null {
    const settings = recommended(id, library, { ...clip, length: 1 } satisfies Overrides);
    return settings && new ObjectiveSums(library, settings);
  }

  /** its mean is over tokens, not over responses */
  private get overTokens(): boolean {
    const { surrogate, aggregation } = this.settings;
    return aggregation.kind === 'token-mean' && !kindOf(surrogate).perSequence(surrogate);
  }

  private get constant(): boolean {
    const { surrogate, aggregation } = this.settings;
    const { perSequence } = kindOf(surrogate);
    return aggregation.kind === 'seq-mean-token-sum-norm' && !perSequence(surrogate);
  }

  /** what the aggregation makes of the response were it the only one, sums over tokens as they are */
  private coefficient(length: number): number {
    if (this.overTokens) return 1;
    let known = this.coefficients.get(length);
    if (known === undefined) {
      known = sequenceCoefficients(this.settings, Uint32Array.of(0, length))[0];
      this.coefficients.set(length, known);
    }
    return known;
  }

  add(response: ResponseView, out: SurrogateBuffers): void {
    const { surrogate, library } = { ...this.settings, library: this.library };
    const kind = kindOf(surrogate);
    const own = { ...response, library };
    applyResponse(surrogate, own, out);
    const { from, to } = response;
    let loss = 0;
    for (let t = from; t < to; t++) loss += out.loss[t];
    this.sums.loss.add(loss * this.coefficient(to - from));
    const { trl, verl } = kind.count;
    const count =
      library === 'trl'
        ? trl
        : verl && ((s: typeof surrogate, r: ResponseView) => verl(s, r, out.gate));
    if (!count) return;
    const found = counted(surrogate, own, count);
    // TRL counts a ratio that exists once per response once per response, unless advantages are of tokens.
    if (library === 'trl' && kind.coupled(surrogate)) {
      this.sums.lowTokens.add(found.low ?? 0);
      this.sums.highTokens.add(found.high);
      found.low = (found.low ?? 0) / (to - from);
      found.high /= to - from;
    }
    this.sums.low.add(found.low ?? 0);
    this.sums.high.add(found.high);
  }

  private loss(n: number, tokens: number, length: number): number {
    const total = this.sums.loss.value / (this.overTokens ? tokens : n);
    return this.constant ? total / length : total;
  }

  /** @param byToken advantages are of tokens, so that TRL counts tokens */
  trl(n: number, tokens: number, length: number, byToken: boolean): ObjectiveAnalysis['trl'] {
    const { surrogate } = this.settings;
    const kind = kindOf(surrogate);
    const shared = kind.coupled(surrogate);
    const among = shared && !byToken ? n : tokens;
    const low = shared && byToken ? this.sums.lowTokens : this.sums.low;
    const high = shared && byToken ? this.sums.highTokens : this.sums.high;
    const counts = kind.count.trl?.(surrogate, PROBE) ?? null;
    return {
      loss: this.loss(n, tokens, length),
      clip_low: counts === null || counts.low === null ? null : low.value / among,
      clip_high: counts === null ? null : high.value / among,
    };
  }

  verl(n: number, tokens: number, length: number): ObjectiveAnalysis['verl'] {
    const counts = kindOf(this.settings.surrogate).count.verl !== null;
    return {
      loss: this.loss(n, tokens, length),
      clip_fraction: counts ? this.sums.high.value / (tokens + VERL_EPSILON) : null,
    };
  }
}

/** verl's `rollout_is_eff_sample_size` from sums of weights. */
function effectiveSize(n: number, weight: number, square: number): number {
  const center = weight / (n + VERL_COUNT_EPSILON) + VERL_COUNT_EPSILON;
  return (n + VERL_COUNT_EPSILON) / (square / (center * center));
}

/** The sampler against the trainer, over the responses whose sampler is known. */
class MismatchSums {
  n = 0;
  tokens = 0;
  most = -Infinity;
  least = Infinity;
  readonly sums = sums(MISMATCH_SUMS);

  add(sampler: ArrayLike<number>, trainer: ArrayLike<number>, from: number, to: number): void {
    const length = to - from;
    let [k1, k3, chi2, weight, square] = [0, 0, 0, 0, 0];
    let [training, rollout, logRho] = [0, 0, 0];
    for (let t = from; t < to; t++) {
      const [a, b] = [sampler[t], trainer[t]];
      const d = b - a;
      k1 -= d;
      k3 += Math.expm1(d) - d;
      logRho += d;
      chi2 += Math.exp(2 * clamped(d));
      const w = Math.min(TIS_MAX, Math.exp(clamped(d)));
      weight += w;
      square += w * w;
      rollout += a;
      training += b;
    }
    const logRollout = -rollout / (length + VERL_COUNT_EPSILON);
    const logTraining = -training / (length + VERL_COUNT_EPSILON);
    const difference = logTraining - logRollout;
    const whole = Math.min(TIS_MAX, Math.exp(clamped(logRho)));
    const { sums: s } = this;
    s.k1.add(k1);
    s.k3.add(k3);
    s.logPplTraining.add(logTraining);
    s.logPplRollout.add(logRollout);
    s.pplTraining.add(Math.exp(logTraining));
    s.pplRollout.add(Math.exp(logRollout));
    s.difference.add(difference);
    s.absolute.add(Math.abs(difference));
    s.pplRatio.add(Math.exp(difference));
    s.chi2Token.add(chi2);
    s.chi2Sequence.add(Math.exp(2 * clamped(logRho)));
    s.tokenWeight.add(weight);
    s.tokenSquare.add(square);
    s.sequenceWeight.add(whole * length);
    s.sequenceSquare.add(whole * whole * length);
    this.n++;
    this.tokens += length;
    this.most = Math.max(this.most, difference);
    this.least = Math.min(this.least, difference);
  }

  merge(other: MismatchSums): void {
    this.n += other.n;
    this.tokens += other.tokens;
    this.most = Math.max(this.most, other.most);
    this.least = Math.min(this.least, other.least);
    mergeSums(this.sums, other.sums);
  }

  figures(): MismatchAnalysis | null {
    const { n, tokens, sums: s } = this;
    if (n === 0) return null;
    const shrink = tokens / (tokens + VERL_COUNT_EPSILON);
    return {
      training_ppl: s.pplTraining.value / n,
      training_log_ppl: s.logPplTraining.value / n,
      kl: (s.k1.value / tokens) * shrink,
      k3_kl: (s.k3.value / tokens) * shrink,
      rollout_ppl: s.pplRollout.value / n,
      rollout_log_ppl: s.logPplRollout.value / n,
      log_ppl_diff: s.difference.value / n,
      log_ppl_abs_diff: s.absolute.value / n,
      log_ppl_diff_max: this.most,
      log_ppl_diff_min: this.least,
      ppl_ratio: s.pplRatio.value / n,
      chi2_token: (s.chi2Token.value / tokens) * shrink - 1,
      chi2_seq: s.chi2Sequence.value / n - 1,
      eff_sample_size_token_tis_2: effectiveSize(tokens, s.tokenWeight.value, s.tokenSquare.value),
      eff_sample_size_seq_tis_2: effectiveSize(
        tokens,
        s.sequenceWeight.value,
        s.sequenceSquare.value,
      ),
    };
  }
}

const sumSchema = v.array(v.union([v.number(), v.picklist(['Infinity', '-Infinity', 'NaN'])]));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sumsSchema = <const Names extends readonly string[]>(names: Names) =>
  v.object(
    Object.fromEntries(names.map((name) => [name, sumSchema])) as Record<
      Names[number],
      typeof sumSchema
    >,
  );

/** What `toJSON` writes. */
export const figuresSchema = v.object({
  clip: v.object({ low: v.nullable(v.number()), high: v.nullable(v.number()) }),
  n: count,
  tokens: count,
  longest: count,
  maxCompletionLength: v.nullable(count),
  byToken: v.boolean(),
  sums: sumsSchema(SUMS),
  objectives: v.record(v.string(), sumsSchema(OBJECTIVE_SUMS)),
  mismatch: v.object({
    n: count,
    tokens: count,
    most: v.nullable(v.number()),
    least: v.nullable(v.number()),
    sums: sumsSchema(MISMATCH_SUMS),
  }),
});
export type FiguresJson = v.InferOutput<typeof figuresSchema>;

export class FigureTally {
  private n = 0;
  private tokens = 0;
  private longest = 0;
  private maxCompletionLength: number | null = null;
  /** some responses have advantages of single tokens */
  private byToken = false;
  private readonly sums = sums(SUMS);
  private readonly mismatch = new MismatchSums();
  /** by name: "gspo trl" */
  private readonly objectives = new Map<string, ObjectiveSums>();

  /** @param clip replaces the clip band of ratio-clipping objectives; left out = each library's own */
  constructor(private readonly clip: Clip = {}) {
    for (const id of RESPONSE_IDS) {
      for (const library of ['trl', 'verl'] as const) {
        const objective = ObjectiveSums.of(id, library, clip);
        if (objective) this.objectives.set(`${id} ${library}`, objective);
      }
    }
  }

  /** @param maxCompletionLength of the files, where they have one: Dr.GRPO's constant */
  add(rollouts: Rollouts, maxCompletionLength: number | null): void {
    const { offsets, logpOld, logpNew, logpSampler, advantage } = rollouts;
    const tokens = offsets.at(-1) as number;
    const out: SurrogateBuffers = {
      loss: new Float64Array(tokens),
      slope: new Float64Array(tokens),
      weight: new Float64Array(tokens),
      gate: new Float64Array(tokens),
    };
    if (rollouts.tokenAdvantage) this.byToken = true;
    const objectives = [...this.objectives.values()];
    for (let i = 0; i < sequenceCount(rollouts); i++) {
      const from = offsets[i];
      const to = offsets[i + 1];
      if (to === from) continue;
      this.addDivergences(logpOld, logpNew, from, to);
      if (logpSampler && !Number.isNaN(logpSampler[from])) {
        this.mismatch.add(logpSampler, logpOld, from, to);
      }
      const response: ResponseView = {
        batch: rollouts,
        from,
        to,
        advantage: advantage[i],
        library: 'trl',
      };
      for (const objective of objectives) objective.add(response, out);
      this.n++;
      this.longest = Math.max(this.longest, to - from);
    }
    this.tokens += tokens;
    this.limit(maxCompletionLength);
  }

  private limit(length: number | null): void {
    if (length === null) return;
    this.maxCompletionLength = Math.max(this.maxCompletionLength ?? 0, length);
  }

  private addDivergences(
    old: ArrayLike<number>,
    next: ArrayLike<number>,
    from: number,
    to: number,
  ): void {
    let [k1, k2, k3, chi2, logRho] = [0, 0, 0, 0, 0];
    for (let t = from; t < to; t++) {
      const d = next[t] - old[t];
      k1 -= d;
      k2 += 0.5 * d * d;
      k3 += Math.expm1(d) - d;
      chi2 += Math.exp(2 * clamped(d));
      logRho += d;
    }
    this.sums.k1.add(k1);
    this.sums.k2.add(k2);
    this.sums.k3.add(k3);
    this.sums.chi2Token.add(chi2);
    this.sums.chi2Sequence.add(Math.exp(2 * clamped(logRho)));
  }

  /** @throws RangeError where the two were told different clip ranges */
  merge(other: FigureTally): void {
    if (this.clip.low !== other.clip.low || this.clip.high !== other.clip.high) {
      throw new RangeError(
        'These parts were analysed with different clip ranges (--eps-low, --eps-high); analyse them with the same.',
      );
    }
    this.n += other.n;
    this.tokens += other.tokens;
    this.longest = Math.max(this.longest, other.longest);
    this.limit(other.maxCompletionLength);
    this.byToken ||= other.byToken;
    mergeSums(this.sums, other.sums);
    this.mismatch.merge(other.mismatch);
    for (const [name, objective] of this.objectives) {
      const theirs = other.objectives.get(name);
      if (theirs) mergeSums(objective.sums, theirs.sums);
    }
  }

  figures(): Figures {
    const { n, tokens, sums: s } = this;
    const length = this.maxCompletionLength ?? this.longest;
    const objectives = RESPONSE_IDS.map((id) => [
      id,
      {
        trl: this.objectives.get(`${id} trl`)?.trl(n, tokens, length, this.byToken) ?? null,
        verl: this.objectives.get(`${id} verl`)?.verl(n, tokens, length) ?? null,
      },
    ]);
    return {
      n_sequences: n,
      n_tokens: tokens,
      objectives: Object.fromEntries(objectives) as Figures['objectives'],
      kl: { k1: s.k1.value / tokens, k2: s.k2.value / tokens, k3: s.k3.value / tokens },
      chi2: {
        token: s.chi2Token.value / tokens - 1,
        sequence: s.chi2Sequence.value / n - 1,
      },
      mismatch: this.mismatch.figures(),
    };
  }

  toJSON(): FiguresJson {
    const finite = (x: number) => (Number.isFinite(x) ? x : null);
    const list = <Name extends string>(of: Sums<Name>) =>
      Object.fromEntries(
        (Object.keys(of) as Name[]).map((name) => [name, of[name].toJSON()]),
      ) as Record<Name, (number | NotFinite)[]>;
    const { n, tokens, most, least } = this.mismatch;
    return {
      clip: { low: this.clip.low ?? null, high: this.clip.high ?? null },
      n: this.n,
      tokens: this.tokens,
      longest: this.longest,
      maxCompletionLength: this.maxCompletionLength,
      byToken: this.byToken,
      sums: list(this.sums),
      objectives: Object.fromEntries(
        [...this.objectives].map(([name, objective]) => [name, list(objective.sums)]),
      ),
      mismatch: {
        n,
        tokens,
        most: finite(most),
        least: finite(least),
        sums: list(this.mismatch.sums),
      },
    };
  }

  /** @param json checked by `figuresSchema` */
  static from(json: FiguresJson): FigureTally {
    const { low, high } = json.clip;
    const tally = new FigureTally({
      ...(low === null ? {} : { low }),
      ...(high === null ? {} : { high }),
    });
    const load = <Name extends string>(
      into: Sums<Name>,
      from: Record<Name, readonly (number | string)[]>,
    ) => {
      for (const name of Object.keys(into) as Name[]) into[name].merge(ExactSum.from(from[name]));
    };
    tally.n = json.n;
    tally.tokens = json.tokens;
    tally.longest = json.longest;
    tally.maxCompletionLength = json.maxCompletionLength;
    tally.byToken = json.byToken;
    load(tally.sums, json.sums);
    const { mismatch } = tally;
    mismatch.n = json.mismatch.n;
    mismatch.tokens = json.mismatch.tokens;
    mismatch.most = json.mismatch.most ?? -Infinity;
    mismatch.least = json.mismatch.least ?? Infinity;
    load(mismatch.sums, json.mismatch.sums);
    for (const [name, objective] of tally.objectives) {
      const theirs = json.objectives[name];
      if (theirs) load(objective.sums, theirs);
    }
    return tally;
  }
}
