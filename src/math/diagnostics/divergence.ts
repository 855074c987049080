/**
 * Divergences between two policies from log-probs of sampled tokens, and effective sample sizes of
 * weights. Contract: pure float64; the first argument is the policy that sampled.
 *
 * k1, k2, k3: Schulman (2020), "Approximating KL divergence". With samples from p and d = log q - log p,
 * KL(p || q) is estimated by k1 = -d, k2 = d^2 / 2, k3 = exp(d) - 1 - d.
 */
import type { FloatArray } from '../kernels';

export interface KlTerms {
  /** [tokens] each */
  k1: Float64Array;
  k2: Float64Array;
  k3: Float64Array;
}

/**
 * KL(sampler || other) per token. The penalty to a reference policy that trainers add (TRL's
 * `per_token_kl`, verl's `kl_penalty`) is `klTerms(theta, reference)`.
 */
export function klTerms(sampler: FloatArray, other: FloatArray): KlTerms {
  const tokens = sampler.length;
  const k1 = new Float64Array(tokens);
  const k2 = new Float64Array(tokens);
  const k3 = new Float64Array(tokens);
  for (let t = 0; t < tokens; t++) {
    const d = other[t] - sampler[t];
    k1[t] = -d;
    k2[t] = 0.5 * d * d;
    // expm1 keeps the digits that exp(d) - 1 - d would lose for small d.
    k3[t] = Math.expm1(d) - d;
  }
  return { k1, k2, k3 };
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return values.length === 0 ? NaN : sum / values.length;
}

/** [n] sums over each sequence. */
export function sequenceSums(values: ArrayLike<number>, offsets: Uint32Array): Float64Array {
  const out = new Float64Array(offsets.length - 1);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      sum += values[t];
    }
    out[i] = sum;
  }
  return out;
}

/** [n] means over each sequence; NaN for an empty one. */
export function sequenceMeans(values: ArrayLike<number>, offsets: Uint32Array): Float64Array {
  const out = sequenceSums(values, offsets);
  for (let i = 0; i < out.length; i++) {
    out[i] = out[i] / (offsets[i + 1] - offsets[i]);
  }
  return out;
}

/** Log-ratios beyond this are clamped before squaring (verl's SAFETY_BOUND). */
const LOG_RATIO_LIMIT = 20;

/**
 * Chi-square divergence E[w^2] - 1 of weights w = q / p under p (verl's `chi2_token`, `chi2_seq`).
 * @param logWeight log w per token, or summed per sequence
 */
export function chiSquare(logWeight: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < logWeight.length; i++) {
    const log = Math.max(-LOG_RATIO_LIMIT, Math.min(LOG_RATIO_LIMIT, logWeight[i]));
    sum += Math.exp(2 * log);
  }
  return logWeight.length === 0 ? NaN : sum / logWeight.length - 1;
}

/**
 * Kish's effective sample size over n: (sum w)^2 / (n sum w^2), in (0, 1]; 0 when every weight is 0. It does not
 * depend on the scale of the weights, so their squares need not fit into a float64.
 */
export function effectiveSampleShare(weights: ArrayLike<number>): number {
  let scale = 0;
  for (let i = 0; i < weights.length; i++) scale = Math.max(scale, Math.abs(weights[i]));
  if (scale === 0) return 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] / scale;
    sum += w;
    squares += w * w;
  }
  return (sum * sum) / (weights.length * squares);
}

/** The same from log weights: nor need the weights themselves fit. */
export function effectiveSampleShareOfLogs(logWeights: Float64Array): number {
  const largest = logWeights.reduce((a, b) => Math.max(a, b), -Infinity);
  return effectiveSampleShare(logWeights.map((x) => Math.exp(x - largest)));
}
