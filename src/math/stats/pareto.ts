/**
 * Pareto tails of importance weights: the shape k-hat of a generalised Pareto distribution fitted to the
 * largest weights (Zhang & Stephens 2009; as the diagnostic of PSIS, Vehtari et al. 2024). k < 0.5: the
 * variance of the weights is finite; k > 0.7: averages with these weights are not to be trusted.
 *
 * Contract: weights come as logarithms, so nothing overflows; too few or constant tails give NaN. The
 * standard error is the asymptotic one of the maximum likelihood, (1 + k) / sqrt(tail), for independent
 * weights and k > -1/2.
 */
import type { Measured } from './anytime';
import { normalQuantile } from './distributions';
import { fromDeletions } from './jackknife';

/** Fewer weights than this in the tail say nothing about its shape. */
export const MIN_TAIL = 10;
/** Above this shape averages with the weights are unreliable at any practical sample size. */
export const USABLE_K = 0.7;

export interface ParetoTail {
  k: number;
  /** asymptotic standard error of k */
  standardError: number;
  /** number of weights in the tail */
  tail: number;
}

/** How many of n weights make the tail: min(n / 5, 3 sqrt n), rounded up (PSIS). */
export function tailLength(n: number): number {
  return Math.ceil(Math.min(n / 5, 3 * Math.sqrt(n)));
}

/**
 * Shape of the generalised Pareto distribution of exceedances, by the quasi-Bayesian estimator of Zhang &
 * Stephens (2009): the profile likelihood averaged over a data-driven grid.
 * @param exceedances sorted ascending, > 0
 * @returns k > 0 for heavy tails (their -k); NaN for fewer than 2 or not positive ones
 */
export function generalisedParetoShape(exceedances: Float64Array): number {
  const n = exceedances.length;
  const largest = exceedances[n - 1];
  const quarter = exceedances[Math.max(0, Math.floor(n / 4 + 0.5) - 1)];
  if (n < 2 || !(quarter > 0) || !Number.isFinite(largest)) return NaN;
  const gridSize = 30 + Math.floor(Math.sqrt(n));
  const shapeAt = (theta: number): number => {
    let sum = 0;
    for (const x of exceedances) sum += Math.log1p(-theta * x);
    return sum / n;
  };
  const grid: number[] = [];
  const likelihood: number[] = [];
  for (let j = 1; j <= gridSize; j++) {
    const theta = 1 / largest + (1 - Math.sqrt(gridSize / (j - 0.5))) / (3 * quarter);
    const shape = shapeAt(theta);
    grid.push(theta);
    likelihood.push(n * (Math.log(-theta / shape) - shape - 1));
  }
  const best = Math.max(...likelihood.filter(Number.isFinite));
  let weight = 0;
  let theta = 0;
  likelihood.forEach((value, j) => {
    if (!Number.isFinite(value)) return;
    const own = Math.exp(value - best);
    weight += own;
    theta += own * grid[j];
  });
  return shapeAt(theta / weight);
}

/**
 * k-hat of the largest weights.
 * @param logWeights [n], any order
 * @returns k NaN below MIN_TAIL weights in the tail or where the tail is constant
 */
export function paretoTail(logWeights: ArrayLike<number>): ParetoTail {
  const sorted = Float64Array.from(logWeights).sort();
  const n = sorted.length;
  const tail = tailLength(n);
  if (tail < MIN_TAIL || n <= tail) return { k: NaN, standardError: NaN, tail };
  return tailOf(sorted.subarray(n - tail), sorted[n - tail - 1]);
}

/** k-hat of exp(sorted) above exp(threshold), both scaled by the largest. */
function tailOf(sorted: Float64Array, threshold: number): ParetoTail {
  const tail = sorted.length;
  const top = sorted[tail - 1];
  const base = Math.exp(threshold - top);
  // expm1 keeps the digits when all weights are near one another; a threshold that underflows is 0
  const exceedances = sorted.map((log) =>
    base > 0 ? base * Math.expm1(log - threshold) : Math.exp(log - top),
  );
  const k = generalisedParetoShape(exceedances);
  return { k, standardError: (1 + k) / Math.sqrt(tail), tail };
}

/** k-hat that n log-normal weights with this variance of the logarithm show, at their quantiles. */
export function logNormalParetoK(n: number, logVariance: number): number {
  const tail = tailLength(n);
  if (tail < MIN_TAIL || n <= tail || !(logVariance > 0)) return NaN;
  const sd = Math.sqrt(logVariance);
  const at = (rank: number): number => -sd * normalQuantile(rank / n);
  const sorted = Float64Array.from({ length: tail }, (_, i) => at(tail - i - 0.5));
  return tailOf(sorted, at(tail + 0.5)).k;
}

const BLOCKS = 30;

/**
 * k-hat where responses answer prompts: a response that was drawn twice (same prompt, same weight) counts once, or
 * ties would pose as a heavy tail; the standard error leaves out one block of prompts at a time.
 * @param cluster [n] prompt of each weight
 */
export function paretoByPrompts(
  logWeights: ArrayLike<number>,
  cluster: ArrayLike<number>,
): Measured & { tail: number; distinct: number } {
  const seen = new Map<number, Set<number>>();
  const values: number[] = [];
  const prompts: number[] = [];
  for (let i = 0; i < logWeights.length; i++) {
    const g = cluster[i];
    const own = logWeights[i];
    let known = seen.get(g);
    if (known === undefined) seen.set(g, (known = new Set()));
    if (known.has(own)) continue;
    known.add(own);
    values.push(own);
    prompts.push(g);
  }
  const whole = paretoTail(values);
  const order = new Map([...seen.keys()].map((g, k) => [g, k]));
  const blocks = Math.min(BLOCKS, order.size);
  const without = Float64Array.from(
    { length: blocks },
    (_, b) =>
      paretoTail(values.filter((_v, i) => (order.get(prompts[i]) as number) % blocks !== b)).k,
  );
  const measured = fromDeletions(whole.k, without, order.size);
  // the bias of k-hat is not of order 1/n: the jackknife would only add noise
  return { ...measured, estimate: whole.k, tail: whole.tail, distinct: values.length };
}
