/**
 * Weights against the mismatch between the engine that sampled and the policy that trains:
 * rho_t = pi_old(y_t) / pi_sampler(y_t). Contract: pure float64; results are [tokens] and multiply token
 * losses without being differentiated.
 *
 * TRL (`vllm_importance_sampling_mode`): token or sequence, truncate or mask; the sequence ratio is the
 * product over tokens. verl (`rollout_corr_helper.py`): TIS (truncate at a bound), IcePop (zero outside a
 * band), rejection by mean k1; OPSM (DeepSeek-V3.2) is TRL's `get_off_policy_mask`.
 */
import type { FloatArray } from '../kernels';
import { sequenceSums } from './divergence';

export interface MismatchRule {
  level: 'token' | 'sequence';
  /** what happens to a weight outside min .. max */
  outside: 'truncate' | 'mask';
  min?: number;
  max: number;
}

/** verl clamps log-ratios here before the exponential. */
const LOG_RATIO_LIMIT = 20;

/** [tokens] log rho_t = log pi_old - log pi_sampler */
export function mismatchLogRatio(logpOld: FloatArray, logpSampler: FloatArray): Float64Array {
  const out = new Float64Array(logpOld.length);
  for (let t = 0; t < out.length; t++) {
    out[t] = logpOld[t] - logpSampler[t];
  }
  return out;
}

/** @returns [tokens] the weight each token's loss is multiplied with */
export function mismatchWeights(
  logpOld: FloatArray,
  logpSampler: FloatArray,
  offsets: Uint32Array,
  rule: MismatchRule,
): Float64Array {
  const log = mismatchLogRatio(logpOld, logpSampler);
  if (rule.level === 'sequence') {
    sequenceSums(log, offsets).forEach((sum, i) => {
      log.fill(sum, offsets[i], offsets[i + 1]);
    });
  }
  const { min = 0, max } = rule;
  return log.map((x) => {
    const weight = Math.exp(Math.max(-LOG_RATIO_LIMIT, Math.min(LOG_RATIO_LIMIT, x)));
    if (weight >= min && weight <= max) return weight;
    if (rule.outside === 'mask') return 0;
    return weight > max ? max : min;
  });
}

/**
 * verl's `rollout_is_eff_sample_size` of applied weights, token by token: 1 / mean((w / mean w)^2).
 */
export function verlEffectiveSampleSize(weights: ArrayLike<number>): number {
  let sum = 0;
  let squares = 0;
  const n = weights.length;
  for (let i = 0; i < n; i++) sum += weights[i];
  const center = sum / (n + 1e-8) + 1e-8;
  for (let i = 0; i < n; i++) squares += (weights[i] / center) ** 2;
  return (n + 1e-8) / squares;
}

/**
 * verl's rejection by `seq_mean_k1`: what the code tests is mean(-log rho) in [log lower, log upper]. The
 * documentation describes the geometric mean of rho in [lower, upper]: the sign differs, and so does the
 * answer for asymmetric bounds.
 * @returns [n] true = kept
 */
export function rejectByMeanK1(
  logpOld: FloatArray,
  logpSampler: FloatArray,
  offsets: Uint32Array,
  lower: number,
  upper: number,
  reading: 'code' | 'documentation',
): boolean[] {
  const sums = sequenceSums(mismatchLogRatio(logpOld, logpSampler), offsets);
  return Array.from(sums, (sum, i) => {
    const mean = sum / (offsets[i + 1] - offsets[i]);
    const statistic = reading === 'code' ? -mean : mean;
    return statistic >= Math.log(lower) && statistic <= Math.log(upper);
  });
}

/**
 * Off-policy sequence mask (DeepSeek-V3.2, TRL `off_policy_mask_threshold`): drops a response with a
 * negative advantage whose mean of log pi_sampler - log pi_theta exceeds delta.
 * @returns [n] true = kept
 */
export function offPolicySequenceMask(
  logpSampler: FloatArray,
  logpNew: FloatArray,
  offsets: Uint32Array,
  advantage: Float64Array,
  delta: number,
): boolean[] {
  const sums = sequenceSums(mismatchLogRatio(logpSampler, logpNew), offsets);
  return Array.from(sums, (sum, i) => {
    const length = Math.max(offsets[i + 1] - offsets[i], 1);
    return advantage[i] >= 0 || sum / length <= delta;
  });
}
