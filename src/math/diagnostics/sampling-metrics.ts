/**
 * What trainers log of the mismatch between sampler and trainer. Contract: pure float64; figures of a batch on
 * one device; names are the libraries'.
 *
 * TRL 1.10.0.dev0 (f2cd577), `trl/trainer/grpo_trainer.py`, `_generate_and_score_completions`: `sampling/*`.
 * verl 0.10.0.dev (1dda039), `verl/trainer/ppo/rollout_corr_helper.py`, `compute_is_metrics`: `rollout_is_*`.
 */
import type { FloatArray } from '../kernels';

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
