/**
 * Estimates with standard errors for any smooth function of sums over prompts: the delete-one-prompt
 * jackknife (Quenouille 1956; Tukey 1958; as a cluster-robust variance, Bell & McCaffrey 2002; CV3 of
 * MacKinnon, Nielsen & Webb 2023). No replications, no seed: the same data give the same interval, always.
 *
 * The estimate is the jackknife's: less of the bias of order 1/n that logarithms and quotients of sums have.
 * Degrees of freedom follow from how evenly the prompts weigh in: 2 n / (kurtosis of their influence - 1), n for
 * normal ones. Where few prompts carry most of the variance, the standard error is itself uncertain, and the
 * interval is wider for it.
 *
 * Contract: clusters are exchangeable; all-zero clusters were not observed. A function that is not defined
 * somewhere near the data (NaN for all, or with one prompt left out) gives an estimate without a standard error.
 */
import type { Measured } from './anytime';
import type { ClusterSums } from './clusters';
import { blocked, observed } from './clusters';

/** A function of the totals [K]; NaN where it is not defined. May be any smooth map, closed form or not. */
export type TotalsFunction = (totals: Float64Array) => number;

/** More prompts than this are dealt into that many blocks, which are as independent as they are. */
const MAX_DELETIONS = 1500;
/** Fewer prompts than this carry no interval: their spread says too little about the spread. */
export const MIN_PROMPTS = 20;
const MIN_DF = 3;

/** Of each function, from one pass over the deletions. */
export function jackknife(sums: ClusterSums, functions: readonly TotalsFunction[]): Measured[] {
  const seen = observed(sums);
  const own = blocked(seen, MAX_DELETIONS);
  const n = own.clusters;
  const totals = Float64Array.from(own.columns, (column) => column.reduce((a, b) => a + b, 0));
  const whole = functions.map((f) => f(totals));
  const without = functions.map(() => new Float64Array(n));
  const rest = new Float64Array(totals.length);
  for (let g = 0; g < n; g++) {
    for (let k = 0; k < rest.length; k++) {
      rest[k] = totals[k] - own.columns[k][g];
    }
    functions.forEach((f, i) => {
      (without[i] as Float64Array)[g] = n > 1 ? f(rest) : NaN;
    });
  }
  return functions.map((_, i) =>
    fromDeletions(whole[i], without[i] as Float64Array, seen.clusters),
  );
}

export function jackknifeOf(sums: ClusterSums, f: TotalsFunction): Measured {
  return jackknife(sums, [f])[0];
}

/**
 * @param whole the statistic of all data
 * @param without [n] the statistic without one cluster (or block) each
 * @param clusters prompts that it rests on: more than n where they were dealt into blocks
 */
export function fromDeletions(
  whole: number,
  without: Float64Array,
  clusters = without.length,
): Measured {
  const n = without.length;
  if (n < 2 || !without.every(Number.isFinite) || !Number.isFinite(whole)) {
    return { estimate: whole, standardError: NaN, clusters, df: NaN };
  }
  const mean = without.reduce((sum, x) => sum + x / n, 0);
  let squares = 0;
  let fourths = 0;
  for (const x of without) {
    const square = (x - mean) ** 2;
    squares += square;
    fourths += square * square;
  }
  const kurtosis = squares > 0 ? (n * fourths) / (squares * squares) : 3;
  const enough = clusters >= MIN_PROMPTS && squares > 0;
  return {
    estimate: whole - (n - 1) * (mean - whole),
    standardError: enough ? Math.sqrt(((n - 1) / n) * squares) : NaN,
    clusters,
    df: Math.max(MIN_DF, Math.min(n - 1, (2 * n) / Math.max(kurtosis - 1, 1e-9))),
  };
}
