/**
 * What the runs of a class say together of one claim: thirty intervals against the truth, one pooled estimate, and
 * who disagrees. Contract: pure, float64; estimates and standard errors are on the claim's working scale, where they
 * are nearest to normal; nothing here looks at responses.
 *
 * - A seat's interval: 95 % at a number of prompts fixed beforehand (Student's t), so that 95 of 100 should hold the
 *   truth. The page's own intervals are wider, because they are valid at every look and share a page's 5 %.
 * - Pooled: seats are independent repetitions of one experiment (random groups: Wolter 2007, Introduction to Variance
 *   Estimation, chapter 2). Mean weighted by prompts; its variance from the spread between the seats alone, Student's t
 *   with one degree of freedom less than seats. Not weighted by 1/se²: standard errors of variances grow with their
 *   estimates, and such weights favour the small ones.
 * - Do the seats differ by more than their standard errors explain? Cochran's Q (1954), chi-squared.
 * - Who disagrees: each seat against the pooled estimate of all others (externally studentised residual, Viechtbauer
 *   & Cheung 2010), 5 % shared by all seats (Bonferroni).
 * - Share of intervals that hold the truth, with its exact binomial interval (Clopper & Pearson 1934).
 */
import { fixedInterval, type Measured } from '../math/stats/anytime';
import {
  chiSquaredTail,
  incompleteBeta,
  studentCdf,
  studentQuantile,
} from '../math/stats/distributions';

export const ALPHA = 0.05;

export interface SeatEstimate extends Measured {
  seat: number;
}

export interface PooledSeat {
  seat: number;
  estimate: number;
  /** null: without a standard error */
  interval: [number, number] | null;
  /** whether the interval holds the truth, or the pooled estimate of the others where the truth is not known */
  covers: boolean | null;
  /** p-value against the others, two-sided, not yet shared; null where there are too few */
  against: number | null;
  disagrees: boolean;
}

export interface Pool {
  seats: PooledSeat[];
  /** what the intervals are held against */
  against: 'truth' | 'others';
  covered: { hits: number; of: number; share: [number, number] } | null;
  /** null: fewer than two seats */
  pooled: { estimate: number; standardError: number; interval: [number, number] } | null;
  /** null: fewer than two seats with a standard error */
  spread: { q: number; df: number; p: number } | null;
}

/** Mean weighted by prompts, and its variance from the spread between the seats. */
function pooledOf(seats: readonly SeatEstimate[]): { mean: number; variance: number } {
  const total = seats.reduce((sum, { clusters }) => sum + clusters, 0);
  const mean = seats.reduce(
    (sum, { clusters, estimate }) => sum + (clusters / total) * estimate,
    0,
  );
  const squares = seats.reduce(
    (sum, { clusters, estimate }) => sum + ((clusters / total) * (estimate - mean)) ** 2,
    0,
  );
  const k = seats.length;
  return { mean, variance: k > 1 ? (k / (k - 1)) * squares : NaN };
}

/** Of `hits` in `of`: the exact 95 % interval of the share. */
export function exactShare(hits: number, of: number): [number, number] {
  /** x with I_x(a, b) = p, by halving */
  const quantile = (p: number, a: number, b: number): number => {
    let [low, high] = [0, 1];
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (incompleteBeta(middle, a, b) < p) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return [
    hits === 0 ? 0 : quantile(ALPHA / 2, hits, of - hits + 1),
    hits === of ? 1 : quantile(1 - ALPHA / 2, hits + 1, of - hits),
  ];
}

/** @param truth on the working scale; null where it is not known */
export function pool(given: readonly SeatEstimate[], truth: number | null): Pool {
  const usable = given.filter(
    ({ estimate, clusters }) => Number.isFinite(estimate) && clusters > 0,
  );
  const k = usable.length;
  const seats = usable.map((own): PooledSeat => {
    const interval = fixedInterval(own, ALPHA);
    const others = usable.filter((other) => other !== own);
    const rest = others.length > 1 ? pooledOf(others) : null;
    const target = truth ?? rest?.mean ?? null;
    const covers =
      interval === null || target === null ? null : interval[0] <= target && target <= interval[1];
    let against: number | null = null;
    if (rest !== null && own.standardError > 0) {
      const t = (own.estimate - rest.mean) / Math.sqrt(own.standardError ** 2 + rest.variance);
      against = 2 * studentCdf(-Math.abs(t), Math.min(own.df, others.length - 1));
    }
    const { seat, estimate } = own;
    return {
      seat,
      estimate,
      interval,
      covers,
      against,
      disagrees: against !== null && against * k < ALPHA,
    };
  });
  const held = seats.filter(({ covers }) => covers !== null);
  const hits = held.filter(({ covers }) => covers).length;
  const { mean, variance } = pooledOf(usable);
  const standardError = Math.sqrt(variance);
  const half = k > 1 ? standardError * studentQuantile(1 - ALPHA / 2, k - 1) : NaN;
  const certain = usable.filter(({ standardError: se }) => se > 0);
  const df = certain.length - 1;
  const weight = certain.reduce((sum, { standardError: se }) => sum + se ** -2, 0);
  const centre =
    certain.reduce((sum, { standardError: se, estimate }) => sum + estimate / se ** 2, 0) / weight;
  const q = certain.reduce(
    (sum, { standardError: se, estimate }) => sum + ((estimate - centre) / se) ** 2,
    0,
  );
  return {
    seats,
    against: truth === null ? 'others' : 'truth',
    covered:
      held.length === 0 ? null : { hits, of: held.length, share: exactShare(hits, held.length) },
    pooled: k > 1 ? { estimate: mean, standardError, interval: [mean - half, mean + half] } : null,
    spread: df < 1 ? null : { q, df, p: chiSquaredTail(q, df) },
  };
}
