/**
 * What trainers log of the mismatch between sampler and trainer. Contract: pure float64; figures of a batch on
 * one device; names are the libraries'. Added to batch by batch; what is kept are moments, so that parts merge to
 * the last digit.
 *
 * TRL 1.10.0.dev0 (f2cd577), `trl/trainer/grpo_trainer.py`, `_generate_and_score_completions`: `sampling/*`.
 * verl 0.10.0.dev (1dda039), `verl/trainer/ppo/rollout_corr_helper.py`, `compute_is_metrics`: `rollout_is_*`;
 * `compute_rs_metrics` and its caller `compute_rollout_rejection_mask`: `rollout_rs_*`.
 */
import type { FloatArray } from '../kernels';
import { NamedMoments } from './moments';
import { rejectionStatistic, type RejectionId } from './rejection';

/** Responses without tokens have no part in any figure. */
interface Columns {
  /** [n + 1] */
  offsets: Uint32Array;
  /** [tokens] nats */
  logpOld: FloatArray;
  logpSampler: FloatArray;
}

function* responses({ offsets }: Columns): Generator<[from: number, to: number, i: number]> {
  for (let i = 0; i + 1 < offsets.length; i++) {
    if (offsets[i] < offsets[i + 1]) yield [offsets[i], offsets[i + 1], i];
  }
}

export interface TrlSamplingMetrics {
  'sampling/sampling_logp_difference/mean': number;
  'sampling/sampling_logp_difference/max': number;
  'sampling/importance_sampling_ratio/min': number;
  'sampling/importance_sampling_ratio/mean': number;
  'sampling/importance_sampling_ratio/max': number;
}

/** TRL's `sampling/*`: `add` takes weights as TRL applies them, truncated or masked, [tokens]. */
export class TrlSampling {
  readonly moments = new NamedMoments(['difference', 'ratio']);

  constructor(private readonly level: 'token' | 'sequence') {}

  add(columns: Columns, weights: Float64Array): void {
    const { logpOld, logpSampler } = columns;
    const [difference, ratio] = [this.moments.of('difference'), this.moments.of('ratio')];
    for (const [from, to] of responses(columns)) {
      for (let t = from; t < to; t++) {
        difference.add(Math.abs(logpOld[t] - logpSampler[t]));
        if (this.level === 'token') ratio.add(weights[t]);
      }
      // One weight per response, read at its first token.
      if (this.level === 'sequence') ratio.add(weights[from]);
    }
  }

  metrics(): TrlSamplingMetrics {
    const [difference, ratio] = [this.moments.of('difference'), this.moments.of('ratio')];
    return {
      'sampling/sampling_logp_difference/mean': difference.mean,
      'sampling/sampling_logp_difference/max': difference.max,
      'sampling/importance_sampling_ratio/min': ratio.min,
      'sampling/importance_sampling_ratio/mean': ratio.mean,
      'sampling/importance_sampling_ratio/max': ratio.max,
    };
  }
}

export interface VerlIsMetrics {
  rollout_is_mean: number;
  rollout_is_max: number;
  rollout_is_min: number;
  rollout_is_ratio_fraction_high: number;
  rollout_is_ratio_fraction_low: number;
  rollout_is_std: number;
  rollout_is_eff_sample_size: number;
  rollout_is_seq_mean: number;
  rollout_is_seq_std: number;
  rollout_is_seq_max: number;
  rollout_is_seq_min: number;
  rollout_is_seq_max_deviation: number;
  rollout_is_seq_fraction_high: number;
  rollout_is_seq_fraction_low: number;
}

const EPSILON = 1e-8;
const LIMIT = 20;
const limited = (x: number) => Math.max(-LIMIT, Math.min(LIMIT, x));
const isTrue = (test: boolean) => (test ? 1 : 0);
/** verl's masked mean has 1e-8 beside the count. */
const maskedMean = (sum: number, count: number) => sum / (count + EPSILON);

/**
 * verl's `rollout_is_*`.
 * @param bounds of `rollout_is_threshold`; low null = truncated from above only, for which verl counts "low"
 * below 1 / high; else weights outside are zero (IcePop)
 */
export class VerlIs {
  readonly moments = new NamedMoments([
    'weights',
    'tokensHigh',
    'tokensLow',
    'logs',
    'logsHigh',
    'logsLow',
    'sequences',
    'sequencesHigh',
    'sequencesLow',
  ]);

  constructor(
    private readonly level: 'token' | 'sequence',
    private readonly bounds: { low: number | null; high: number },
  ) {}

  add(columns: Columns): void {
    const { logpOld, logpSampler } = columns;
    const { low: least, high } = this.bounds;
    const low = least ?? 1 / high;
    const of = (name: Parameters<typeof this.moments.of>[0]) => this.moments.of(name);
    const apply = (w: number) =>
      least === null ? Math.min(w, high) : w >= least && w <= high ? w : 0;
    for (const [from, to] of responses(columns)) {
      let log = 0;
      for (let t = from; t < to; t++) log += logpOld[t] - logpSampler[t];
      const shared = Math.exp(limited(log));
      let [sum, raw] = [0, 0];
      for (let t = from; t < to; t++) {
        const w =
          this.level === 'sequence' ? shared : Math.exp(limited(logpOld[t] - logpSampler[t]));
        raw += w;
        sum += apply(w);
        of('weights').add(apply(w));
        of('tokensHigh').add(isTrue(w > high));
        of('tokensLow').add(isTrue(w < low));
      }
      of('logs').add(log);
      of('logsHigh').add(isTrue(log > Math.log(high)));
      of('logsLow').add(isTrue(log < Math.log(low)));
      const mean = maskedMean(raw, to - from);
      of('sequences').add(maskedMean(sum, to - from));
      of('sequencesHigh').add(isTrue(mean > high));
      of('sequencesLow').add(isTrue(mean < low));
    }
  }

  metrics(): VerlIsMetrics {
    const of = (name: Parameters<typeof this.moments.of>[0]) => this.moments.of(name);
    const [weights, logs, sequences] = [of('weights'), of('logs'), of('sequences')];
    const mean = maskedMean(weights.sum, weights.n);
    const squares = maskedMean(weights.sumOfSquares, weights.n);
    const center = mean + EPSILON;
    const byLevel =
      this.level === 'sequence'
        ? {
            rollout_is_max: Math.exp(Math.min(logs.max, LIMIT)),
            rollout_is_min: Math.exp(logs.min),
            rollout_is_ratio_fraction_high: of('logsHigh').mean,
            rollout_is_ratio_fraction_low: of('logsLow').mean,
          }
        : {
            rollout_is_max: weights.max,
            rollout_is_min: weights.min,
            rollout_is_ratio_fraction_high: maskedMean(of('tokensHigh').sum, weights.n),
            rollout_is_ratio_fraction_low: maskedMean(of('tokensLow').sum, weights.n),
          };
    return {
      rollout_is_mean: mean,
      ...byLevel,
      rollout_is_std: weights.n > 1 ? Math.sqrt(Math.max(0, squares - mean * mean)) : 0,
      rollout_is_eff_sample_size: 1 / (squares / (center * center)),
      rollout_is_seq_mean: sequences.mean,
      rollout_is_seq_std: sequences.sd,
      rollout_is_seq_max: sequences.max,
      rollout_is_seq_min: sequences.min,
      rollout_is_seq_max_deviation: Math.max(
        Math.abs(sequences.max - 1),
        Math.abs(sequences.min - 1),
      ),
      rollout_is_seq_fraction_high: of('sequencesHigh').mean,
      rollout_is_seq_fraction_low: of('sequencesLow').mean,
    };
  }
}

type RsFigure =
  | 'mean'
  | 'max'
  | 'min'
  | 'fraction_high'
  | 'fraction_low'
  | 'std'
  | 'seq_mean'
  | 'seq_std'
  | 'seq_max'
  | 'seq_min'
  | 'seq_max_deviation'
  | 'seq_fraction_high'
  | 'seq_fraction_low'
  | 'masked_fraction'
  | 'seq_masked_fraction';
export type VerlRsMetrics = Partial<Record<`rollout_rs_${RejectionId}_${RsFigure}`, number>>;

/**
 * What verl logs with `rollout_rs` set to one option. A statistic of responses stands at each of their tokens, so
 * that `_mean` and `_std` weigh by length; `_std` is of the statistic limited to its bounds, from below by 0 where
 * there is no lower bound. `_seq_fraction_low` exists for k1 only, as there.
 * @param limits high, low as `rejectionMask` takes them
 */
export class VerlRs {
  readonly moments = new NamedMoments([
    'tokens',
    'limited',
    'tokensHigh',
    'tokensLow',
    'sequences',
    'sequencesHigh',
    'sequencesLow',
    'touched',
  ]);

  constructor(
    private readonly id: RejectionId,
    private readonly limits: { low: number | null; high: number },
  ) {}

  private get k1(): boolean {
    return this.id.endsWith('k1');
  }

  add(columns: Columns): void {
    const { logpOld, logpSampler, offsets } = columns;
    const { perToken, perResponse, least, most } = rejectionStatistic(
      logpOld,
      logpSampler,
      offsets,
      this.id,
      this.limits,
    );
    const of = (name: Parameters<typeof this.moments.of>[0]) => this.moments.of(name);
    const floor = this.k1 ? least : 0;
    const isHigh = (x: number) => x > most;
    const isLow = (x: number) => this.k1 && x < least;
    for (const [from, to, i] of responses(columns)) {
      let touched = false;
      for (let t = from; t < to; t++) {
        const x = perToken[t];
        of('tokens').add(x);
        of('limited').add(Math.max(floor, Math.min(most, x)));
        of('tokensHigh').add(isTrue(isHigh(x)));
        of('tokensLow').add(isTrue(isLow(x)));
        touched ||= isHigh(x) || isLow(x);
      }
      of('sequences').add(perResponse[i]);
      of('sequencesHigh').add(isTrue(isHigh(perResponse[i])));
      of('sequencesLow').add(isTrue(isLow(perResponse[i])));
      of('touched').add(isTrue(touched));
    }
  }

  metrics(): VerlRsMetrics {
    const of = (name: Parameters<typeof this.moments.of>[0]) => this.moments.of(name);
    const [tokens, bounded, sequences] = [of('tokens'), of('limited'), of('sequences')];
    const byToken = this.id.startsWith('token');
    const shown = byToken ? tokens : sequences;
    const center = maskedMean(bounded.sum, tokens.n);
    const spread = maskedMean(bounded.sumOfSquares, tokens.n) - center * center;
    const [high, low] = [of('tokensHigh').sum, of('tokensLow').sum];
    const figures: Partial<Record<RsFigure, number>> = {
      mean: maskedMean(tokens.sum, tokens.n),
      max: shown.max,
      min: shown.min,
      fraction_high: byToken ? maskedMean(high, tokens.n) : of('sequencesHigh').mean,
      fraction_low: byToken ? maskedMean(low, tokens.n) : of('sequencesLow').mean,
      std: tokens.n > 1 ? Math.sqrt(Math.max(0, spread)) : 0,
      seq_mean: sequences.mean,
      seq_std: sequences.sd,
      seq_max: sequences.max,
      seq_min: sequences.min,
      seq_max_deviation: Math.max(Math.abs(sequences.max), Math.abs(sequences.min)),
      seq_fraction_high: of('sequencesHigh').mean,
      ...(this.k1 ? { seq_fraction_low: of('sequencesLow').mean } : {}),
      masked_fraction: maskedMean(high + low, tokens.n),
      seq_masked_fraction: of('touched').mean,
    };
    return Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [`rollout_rs_${this.id}_${name}`, value]),
    ) as VerlRsMetrics;
  }
}
