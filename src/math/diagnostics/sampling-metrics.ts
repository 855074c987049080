/**
 * What trainers log of the mismatch between sampler and trainer. Contract: pure float64; figures of a batch on
 * one device; names are the libraries'.
 *
 * TRL 1.10.0.dev0 (f2cd577), `trl/trainer/grpo_trainer.py`, `_generate_and_score_completions`: `sampling/*`.
 * verl 0.10.0.dev (1dda039), `verl/trainer/ppo/rollout_corr_helper.py`, `compute_is_metrics`: `rollout_is_*`;
 * `compute_rs_metrics` and its caller `compute_rollout_rejection_mask`: `rollout_rs_*`.
 */
import type { FloatArray } from '../kernels';
import { rejectionStatistic, type RejectionId } from './rejection';

export interface TrlSamplingMetrics {
  'sampling/sampling_logp_difference/mean': number;
  'sampling/sampling_logp_difference/max': number;
  'sampling/importance_sampling_ratio/min': number;
  'sampling/importance_sampling_ratio/mean': number;
  'sampling/importance_sampling_ratio/max': number;
}

/** One weight per response, read at its first token, for weights of responses; else one per token. */
function perUnit(weights: Float64Array, offsets: Uint32Array, level: 'token' | 'sequence') {
  if (level === 'token') return weights;
  const out: number[] = [];
  for (let i = 0; i + 1 < offsets.length; i++) {
    const from = offsets[i];
    if (from < offsets[i + 1]) out.push(weights[from]);
  }
  return Float64Array.from(out);
}

function range(values: Float64Array): { min: number; max: number; mean: number } {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  for (const x of values) {
    if (x < min) min = x;
    if (x > max) max = x;
    sum += x;
  }
  return values.length === 0
    ? { min: 0, max: 0, mean: 0 }
    : { min, max, mean: sum / values.length };
}

/** @param weights [tokens] as TRL applies them, truncated or masked */
export function trlSamplingMetrics(
  logpOld: FloatArray,
  logpSampler: FloatArray,
  offsets: Uint32Array,
  weights: Float64Array,
  level: 'token' | 'sequence',
): TrlSamplingMetrics {
  const difference = range(Float64Array.from(logpOld, (a, t) => Math.abs(a - logpSampler[t])));
  const ratio = range(perUnit(weights, offsets, level));
  return {
    'sampling/sampling_logp_difference/mean': difference.mean,
    'sampling/sampling_logp_difference/max': difference.max,
    'sampling/importance_sampling_ratio/min': ratio.min,
    'sampling/importance_sampling_ratio/mean': ratio.mean,
    'sampling/importance_sampling_ratio/max': ratio.max,
  };
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

/**
 * @param bounds of `rollout_is_threshold`; low null = truncated from above only, for which verl counts "low"
 * below 1 / high; else weights outside are zero (IcePop)
 */
export function verlIsMetrics(
  logpOld: FloatArray,
  logpSampler: FloatArray,
  offsets: Uint32Array,
  level: 'token' | 'sequence',
  bounds: { low: number | null; high: number },
): VerlIsMetrics {
  const n = offsets.length - 1;
  const tokens = logpOld.length;
  const low = bounds.low ?? 1 / bounds.high;
  const raw = new Float64Array(tokens);
  const logs: number[] = [];
  for (let i = 0; i < n; i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let sum = 0;
    for (let t = from; t < to; t++) {
      const x = logpOld[t] - logpSampler[t];
      sum += x;
      raw[t] = Math.exp(Math.max(-LIMIT, Math.min(LIMIT, x)));
    }
    if (level === 'sequence') {
      raw.fill(Math.exp(Math.max(-LIMIT, Math.min(LIMIT, sum))), from, to);
      logs.push(sum);
    }
  }
  const weights = raw.map((w) =>
    bounds.low === null ? Math.min(w, bounds.high) : w >= bounds.low && w <= bounds.high ? w : 0,
  );
  const among = (values: Float64Array, test: (x: number) => boolean) =>
    values.reduce((sum, x) => sum + (test(x) ? 1 : 0), 0);
  const applied = range(weights);
  const maskedMean = (sum: number, count: number) => sum / (count + EPSILON);
  const mean = maskedMean(applied.mean * tokens, tokens);
  const squares = maskedMean(
    weights.reduce((sum, w) => sum + w * w, 0),
    tokens,
  );
  const center = mean + EPSILON;
  const perSequence = (values: Float64Array) =>
    Float64Array.from({ length: n }, (_, i) => {
      const [from, to] = [offsets[i], offsets[i + 1]];
      let sum = 0;
      for (let t = from; t < to; t++) sum += values[t];
      return maskedMean(sum, to - from);
    });
  const sequences = perSequence(weights);
  const rawSequences = perSequence(raw);
  const own = range(sequences);
  const spread = Math.sqrt(
    sequences.reduce((sum, x) => sum + (x - own.mean) ** 2, 0) / Math.max(n - 1, 1),
  );
  const [logLow, logHigh] = [Math.log(low), Math.log(bounds.high)];
  const log = range(Float64Array.from(logs));
  const share = (count: number, of: number) => (of > 0 ? count / of : 0);
  const byLevel =
    level === 'sequence'
      ? {
          rollout_is_max: Math.exp(Math.min(log.max, LIMIT)),
          rollout_is_min: Math.exp(log.min),
          rollout_is_ratio_fraction_high: share(logs.filter((x) => x > logHigh).length, n),
          rollout_is_ratio_fraction_low: share(logs.filter((x) => x < logLow).length, n),
        }
      : {
          rollout_is_max: applied.max,
          rollout_is_min: applied.min,
          rollout_is_ratio_fraction_high: maskedMean(
            among(raw, (x) => x > bounds.high),
            tokens,
          ),
          rollout_is_ratio_fraction_low: maskedMean(
            among(raw, (x) => x < low),
            tokens,
          ),
        };
  return {
    rollout_is_mean: mean,
    ...byLevel,
    rollout_is_std: tokens > 1 ? Math.sqrt(Math.max(0, squares - mean * mean)) : 0,
    rollout_is_eff_sample_size: 1 / (squares / (center * center)),
    rollout_is_seq_mean: own.mean,
    rollout_is_seq_std: n > 1 ? spread : 0,
    rollout_is_seq_max: own.max,
    rollout_is_seq_min: own.min,
    rollout_is_seq_max_deviation: sequences.reduce((max, x) => Math.max(max, Math.abs(x - 1)), 0),
    rollout_is_seq_fraction_high: share(
      among(rawSequences, (x) => x > bounds.high),
      n,
    ),
    rollout_is_seq_fraction_low: share(
      among(rawSequences, (x) => x < low),
      n,
    ),
  };
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
 * @param high,low as `rejectionMask` takes them
 */
export function verlRsMetrics(
  logpOld: FloatArray,
  logpSampler: FloatArray,
  offsets: Uint32Array,
  id: RejectionId,
  limits: { low: number | null; high: number },
): VerlRsMetrics {
  const { perToken, perResponse, least, most } = rejectionStatistic(
    logpOld,
    logpSampler,
    offsets,
    id,
    limits,
  );
  const tokens = perToken.length;
  const k1 = id.endsWith('k1');
  const filled = Array.from(perResponse.keys()).filter((i) => offsets[i] < offsets[i + 1]);
  const sequences = Float64Array.from(filled, (i) => perResponse[i]);
  const n = sequences.length;
  const maskedMean = (of: (x: number) => number) =>
    perToken.reduce((sum, x) => sum + of(x), 0) / (tokens + EPSILON);
  const share = (test: (x: number) => boolean) =>
    sequences.reduce((sum, x) => sum + (test(x) ? 1 : 0), 0) / Math.max(n, 1);
  const isHigh = (x: number) => x > most;
  const isLow = (x: number) => k1 && x < least;
  const byToken = id.startsWith('token');
  const shown = range(byToken ? perToken : sequences);
  const fraction = (test: (x: number) => boolean) =>
    byToken ? maskedMean((x) => (test(x) ? 1 : 0)) : share(test);
  const limited = (x: number) => Math.max(k1 ? least : 0, Math.min(most, x));
  const center = maskedMean(limited);
  const own = range(sequences);
  const spread = sequences.reduce((sum, x) => sum + (x - own.mean) ** 2, 0) / Math.max(n - 1, 1);
  const touched = filled.filter((i) => {
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      if (isHigh(perToken[t]) || isLow(perToken[t])) return true;
    }
    return false;
  }).length;
  const figures: Partial<Record<RsFigure, number>> = {
    mean: maskedMean((x) => x),
    max: shown.max,
    min: shown.min,
    fraction_high: fraction(isHigh),
    fraction_low: fraction(isLow),
    std:
      tokens > 1 ? Math.sqrt(Math.max(0, maskedMean((x) => limited(x) ** 2) - center * center)) : 0,
    seq_mean: own.mean,
    seq_std: n > 1 ? Math.sqrt(spread) : 0,
    seq_max: own.max,
    seq_min: own.min,
    seq_max_deviation: sequences.reduce((max, x) => Math.max(max, Math.abs(x)), 0),
    seq_fraction_high: share(isHigh),
    ...(k1 ? { seq_fraction_low: share(isLow) } : {}),
    masked_fraction: maskedMean((x) => (isHigh(x) || isLow(x) ? 1 : 0)),
    seq_masked_fraction: touched / Math.max(n, 1),
  };
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`rollout_rs_${id}_${name}`, value]),
  ) as VerlRsMetrics;
}
