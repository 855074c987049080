/**
 * How the Shannon entropy of a softmax changes with its logits. Contract: pure float64, nats.
 *
 * For p = softmax(z) and q = softmax(z + delta), to first order in delta (the covariance of log-probs and logit change,
 * Hao et al. 2025; Cui et al. 2025):
 *
 *     H(q) - H(p) = -Cov_{v ~ p}(log p_v, delta_v) + O(delta^2)
 *
 * A constant in delta changes nothing, so log q - log p will do in its place. Since E_p[log p] = -H(p) is known, one
 * token y ~ p estimates the covariance without bias from its log-probs alone: -(log p_y + H(p)) (log q_y - log p_y).
 */
import { CompensatedSum } from './summation';

function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const z = Float64Array.from(logits);
  const top = z.reduce((most, x) => Math.max(most, x), -Infinity);
  const total = new CompensatedSum();
  for (const x of z) total.add(Math.exp(x - top));
  const logTotal = top + Math.log(total.value);
  return z.map((x) => x - logTotal);
}

function expectation(logp: Float64Array, of: (v: number) => number): number {
  const sum = new CompensatedSum();
  logp.forEach((x, v) => {
    if (x > -Infinity) sum.add(Math.exp(x) * of(v));
  });
  return sum.value;
}

export interface EntropyChange {
  /** H(q) - H(p) */
  change: number;
  /** -Cov_p(log p, log q - log p) */
  firstOrder: number;
}

/**
 * Exactly, from all logits of one place: the oracle of the estimate by one token.
 * @param before [vocabulary] finite, or -Infinity in both for a token that is never drawn
 * @param after [vocabulary]
 */
export function entropyChange(before: ArrayLike<number>, after: ArrayLike<number>): EntropyChange {
  const p = logSoftmax(before);
  const q = logSoftmax(after);
  const entropy = (x: Float64Array) => -expectation(x, (v) => x[v]);
  const own = entropy(p);
  return {
    change: entropy(q) - own,
    firstOrder: -expectation(p, (v) => (p[v] + own) * (q[v] - p[v])),
  };
}

/**
 * The first-order change as one token tells it; its mean over tokens that p drew is `firstOrder`.
 * @param logp log p_y @param entropy H(p) @param logRatio log q_y - log p_y
 */
export function firstOrderBySample(logp: number, entropy: number, logRatio: number): number {
  return -(logp + entropy) * logRatio;
}
