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

export interface RejectionStatistic {
  /** [tokens]; of a response's statistic, that of its response */
  perToken: Float64Array;
  /** [n] the response's statistic; of a token's, verl's masked mean over the response */
  perResponse: Float64Array;
  /** what is kept lies within, both included; nats */
  least: number;
  most: number;
}

/** @param high of k1: a ratio; else the largest divergence, nats. @param low of k1 only; null = 1 / high */
export function rejectionStatistic(
  logpOld: FloatArray,
  logpSampler: FloatArray,
  offsets: Uint32Array,
  id: RejectionId,
  { low, high }: { low: number | null; high: number },
): RejectionStatistic {
  const estimator = id.slice(-2) as keyof typeof STATISTICS;
  const statistic = STATISTICS[estimator];
  const perToken = Float64Array.from(logpOld, (a, t) =>
    statistic(Math.max(-LIMIT, Math.min(LIMIT, a - logpSampler[t]))),
  );
  const perResponse = new Float64Array(offsets.length - 1);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let sum = 0;
    let max = -Infinity;
    for (let t = from; t < to; t++) {
      sum += perToken[t];
      if (perToken[t] > max) max = perToken[t];
    }
    // verl's masked mean has 1e-8 beside the number of tokens.
    const mean = sum / (to - from + 1e-8);
    perResponse[i] = id.startsWith('seq_max') ? max : id.startsWith('seq_sum') ? sum : mean;
    if (!id.startsWith('token')) perToken.fill(perResponse[i], from, to);
  }
  const k1 = estimator === 'k1';
  return {
    perToken,
    perResponse,
    least: k1 ? Math.log(low ?? 1 / high) : -Infinity,
    most: k1 ? Math.log(high) : high,
  };
}

/** Parameters are those of `rejectionStatistic`. */
export function rejectionMask(...parameters: Parameters<typeof rejectionStatistic>): Uint8Array {
  const { perToken, least, most } = rejectionStatistic(...parameters);
  return Uint8Array.from(perToken, (x) => (x >= least && x <= most ? 1 : 0));
}
