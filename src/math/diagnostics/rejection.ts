/**
 * verl's rejection by `rollout_rs`: tokens or responses whose sampler and trainer disagree leave the response
 * mask, and with it every mean. Contract: pure float64; [tokens] 1 = kept.
 *
 * Source: verl 0.10.0.dev (1dda039), `verl/trainer/ppo/rollout_corr_helper.py`, `compute_rollout_rejection_mask`.
 * With x = log pi_old - log pi_sampler, limited to +-20: k1 = -x, k2 = x^2 / 2, k3 = e^x - 1 - x. The bounds of
 * k1 are ratios, whose logarithms are compared with -x; one upper bound u means 1/u..u. k2 and k3 have an upper
 * bound only.
 */
import type { FloatArray } from '../kernels';

export const REJECTION_IDS = [
  'token_k1',
  'token_k2',
  'token_k3',
  'seq_sum_k1',
  'seq_sum_k2',
  'seq_sum_k3',
  'seq_mean_k1',
  'seq_mean_k2',
  'seq_mean_k3',
  'seq_max_k2',
  'seq_max_k3',
] as const;
export type RejectionId = (typeof REJECTION_IDS)[number];

const LIMIT = 20;

const STATISTICS = {
  k1: (x: number) => -x,
  k2: (x: number) => 0.5 * x * x,
  k3: (x: number) => Math.exp(x) - 1 - x,
} as const;

/** @param high of k1: a ratio; else the largest divergence, nats. @param low of k1 only; null = 1 / high */
export function rejectionMask(
  logpOld: FloatArray,
  logpSampler: FloatArray,
  offsets: Uint32Array,
  id: RejectionId,
  { low, high }: { low: number | null; high: number },
): Uint8Array {
  const estimator = id.slice(-2) as keyof typeof STATISTICS;
  const statistic = STATISTICS[estimator];
  const least = estimator === 'k1' ? Math.log(low ?? 1 / high) : -Infinity;
  const most = estimator === 'k1' ? Math.log(high) : high;
  const passes = (x: number) => x >= least && x <= most;
  const at = (t: number) => {
    const x = logpOld[t] - logpSampler[t];
    return statistic(Math.max(-LIMIT, Math.min(LIMIT, x)));
  };
  const kept = new Uint8Array(logpOld.length);
  if (id.startsWith('token')) return kept.map((_, t) => (passes(at(t)) ? 1 : 0));
  for (let i = 0; i + 1 < offsets.length; i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let sum = 0;
    let max = -Infinity;
    for (let t = from; t < to; t++) {
      const own = at(t);
      sum += own;
      if (own > max) max = own;
    }
    const whole = id.startsWith('seq_max')
      ? max
      : // verl's masked mean has 1e-8 beside the number of tokens.
        id.startsWith('seq_mean')
        ? sum / (to - from + 1e-8)
        : sum;
    if (passes(whole)) kept.fill(1, from, to);
  }
  return kept;
}
