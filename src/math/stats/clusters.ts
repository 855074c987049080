/**
 * Intervals for smooth statistics of clustered data: the studentised cluster bootstrap (bootstrap-t,
 * Efron & Tibshirani 1993, ch. 12; clusters as in Cameron, Gelbach & Miller 2008).
 *
 * Why this one: responses to one prompt are dependent, so prompts are what is resampled; a variance is
 * skewed, so percentile intervals miss on one side, while bootstrap-t of the *logarithm* is second-order
 * accurate. Every statistic here is a smooth function of sums over clusters (a count, a sum, a sum of
 * squares, ...), so a replication costs O(clusters * columns) and never touches tokens again.
 *
 * Contract: a statistic must be homogeneous of degree 0 in the totals (doubling the data changes
 * nothing); clusters are exchangeable. More than MAX_BLOCKS clusters are dealt round-robin into that
 * many blocks of clusters, which are as independent as the clusters are: the interval stays valid and
 * the cost stays bounded.
 */
import { Random, STREAM } from '../philox';
import { compensatedSum } from '../summation';
import { quantileOfNext } from './quantiles';

export const MAX_BLOCKS = 300;
/** Fewer clusters than this carry no interval: their spread says too little about the spread. */
export const MIN_CLUSTERS = 20;
export const DEFAULT_REPLICATIONS = 999;
/** Share of replications in which the statistic must be defined, or there is no interval. */
const MIN_DEFINED = 0.9;

/** Sums per cluster: columns[k][g] is the k-th sum over cluster g. */
export interface ClusterSums {
  clusters: number;
  columns: Float64Array[];
}

/**
 * A smooth function of the totals [K]. Writes d statistic / d total into `gradient` [K], every entry.
 * Returns NaN where it is not defined (then the replication is left out).
 */
export type SmoothStatistic = (totals: Float64Array, gradient: Float64Array) => number;

export interface Estimate {
  estimate: number;
  /** cluster-robust (linearised) standard error of `estimate`; NaN where not defined */
  standardError: number;
  /** null with fewer than MIN_CLUSTERS clusters, without spread, or where not defined */
  interval: [number, number] | null;
  /** clusters that contribute anything */
  clusters: number;
}

export function newClusterSums(clusters: number, columns: number): ClusterSums {
  return { clusters, columns: Array.from({ length: columns }, () => new Float64Array(clusters)) };
}

/** Adds `terms` [K] to cluster g. */
export function addToCluster(sums: ClusterSums, g: number, terms: readonly number[]): void {
  terms.forEach((term, k) => {
    const column = sums.columns[k] as Float64Array;
    column[g] = (column[g] as number) + term;
  });
}

/** The columns of several sums over the same clusters, side by side. */
export function joinSums(...parts: readonly ClusterSums[]): ClusterSums {
  const clusters = parts[0]?.clusters ?? 0;
  if (parts.some((part) => part.clusters !== clusters)) {
    throw new RangeError('Sums over different clusters cannot be joined.');
  }
  return { clusters, columns: parts.flatMap((part) => part.columns) };
}

/** Drops clusters whose columns are all zero: they were not observed (not in this bin). */
export function observed(sums: ClusterSums): ClusterSums {
  // plain loops here and below: every estimate passes over every prompt
  const seen = new Uint8Array(sums.clusters);
  for (const column of sums.columns) {
    for (let g = 0; g < seen.length; g++) if (column[g] !== 0) seen[g] = 1;
  }
  const keep: number[] = [];
  for (let g = 0; g < seen.length; g++) if (seen[g] === 1) keep.push(g);
  if (keep.length === sums.clusters) return sums;
  return {
    clusters: keep.length,
    columns: sums.columns.map((column) => Float64Array.from(keep, (g) => column[g] as number)),
  };
}

/** Deals clusters round-robin into at most `limit` blocks. */
export function blocked(sums: ClusterSums, limit: number): ClusterSums {
  if (sums.clusters <= limit) return sums;
  const blocks = newClusterSums(limit, sums.columns.length);
  sums.columns.forEach((column, k) => {
    const out = blocks.columns[k] as Float64Array;
    let block = 0;
    for (let g = 0; g < sums.clusters; g++) {
      out[block] = (out[block] as number) + (column[g] as number);
      if (++block === limit) block = 0;
    }
  });
  return blocks;
}

/** sqrt(G / (G - 1) sum_g m_g (gradient . x_g)^2): the cluster-robust standard error. */
function linearisedError(
  { clusters, columns }: ClusterSums,
  multiplicity: Float64Array,
  gradient: Float64Array,
  influence: Float64Array,
): number {
  influence.fill(0);
  for (let k = 0; k < columns.length; k++) {
    const slope = gradient[k] as number;
    if (slope === 0) continue;
    const column = columns[k] as Float64Array;
    for (let g = 0; g < clusters; g++) {
      influence[g] = (influence[g] as number) + slope * (column[g] as number);
    }
  }
  let squares = 0;
  for (let g = 0; g < clusters; g++) {
    const own = influence[g] as number;
    squares += (multiplicity[g] as number) * own * own;
  }
  return Math.sqrt((squares * clusters) / (clusters - 1));
}

function weightedTotals(
  { clusters, columns }: ClusterSums,
  multiplicity: Float64Array,
  totals: Float64Array,
): void {
  for (let k = 0; k < columns.length; k++) {
    const column = columns[k] as Float64Array;
    let total = 0;
    for (let g = 0; g < clusters; g++) {
      total += (multiplicity[g] as number) * (column[g] as number);
    }
    totals[k] = total;
  }
}

export interface BootstrapOptions {
  seed: number;
  replications?: number;
  /** of the intervals; 0.95 unless told */
  level?: number;
}

/** Bootstrap-t intervals; all statistics of one instance share their resamples. */
export class ClusterBootstrap {
  private readonly replications: number;
  private readonly level: number;
  /** by number of clusters: one multiplicity vector per replication (floats: they multiply floats) */
  private readonly resamples = new Map<number, Float64Array[]>();

  constructor(private readonly options: BootstrapOptions) {
    this.replications = options.replications ?? DEFAULT_REPLICATIONS;
    this.level = options.level ?? 0.95;
  }

  /** @param allSums per-cluster sums; all-zero clusters are left out */
  estimate(allSums: ClusterSums, statistic: SmoothStatistic): Estimate {
    const seen = observed(allSums);
    const sums = blocked(seen, MAX_BLOCKS);
    const { clusters } = sums;
    const totals = new Float64Array(sums.columns.length);
    const gradient = new Float64Array(sums.columns.length);
    const influence = new Float64Array(clusters);
    const once = new Float64Array(clusters).fill(1);
    weightedTotals(sums, once, totals);
    const estimate = statistic(totals, gradient);
    const standardError = clusters > 1 ? linearisedError(sums, once, gradient, influence) : NaN;
    const result: Estimate = {
      estimate,
      standardError,
      interval: null,
      clusters: seen.clusters,
    };
    if (!Number.isFinite(estimate) || !(standardError > 0) || clusters < MIN_CLUSTERS) {
      return result;
    }

    const pivots: number[] = [];
    for (const multiplicity of this.draws(clusters)) {
      weightedTotals(sums, multiplicity, totals);
      const value = statistic(totals, gradient);
      if (!Number.isFinite(value)) continue;
      const error = linearisedError(sums, multiplicity, gradient, influence);
      if (error > 0) pivots.push((value - estimate) / error);
    }
    if (pivots.length < MIN_DEFINED * this.replications) return result;
    const sorted = Float64Array.from(pivots).sort();
    const tail = (1 - this.level) / 2;
    result.interval = [
      estimate - quantileOfNext(sorted, 1 - tail) * standardError,
      estimate - quantileOfNext(sorted, tail) * standardError,
    ];
    return result;
  }

  /** The statistic on the whole data, without an interval. */
  value(sums: ClusterSums, statistic: SmoothStatistic): number {
    const totals = Float64Array.from(sums.columns, (column) => compensatedSum(column));
    return statistic(totals, new Float64Array(totals.length));
  }

  /** Multinomial resamples of `clusters` clusters; the same for the same seed. */
  private draws(clusters: number): Float64Array[] {
    const known = this.resamples.get(clusters);
    if (known) return known;
    const random = new Random(this.options.seed, STREAM.bootstrap, clusters);
    const draws = Array.from({ length: this.replications }, () => {
      const multiplicity = new Float64Array(clusters);
      for (let i = 0; i < clusters; i++) {
        // 32 bits over at most MAX_BLOCKS: bias below 1e-6
        const g = Math.floor((random.bits() / 2 ** 32) * clusters);
        multiplicity[g] = (multiplicity[g] as number) + 1;
      }
      return multiplicity;
    });
    this.resamples.set(clusters, draws);
    return draws;
  }
}

/** The same estimate on another scale: `back` must be increasing and differentiable. */
export function transformed(estimate: Estimate, back: (x: number) => number): Estimate {
  const step = 1e-6 * Math.max(1, Math.abs(estimate.estimate));
  const slope = (back(estimate.estimate + step) - back(estimate.estimate - step)) / (2 * step);
  return {
    ...estimate,
    estimate: back(estimate.estimate),
    standardError: estimate.standardError * slope,
    interval: estimate.interval && [back(estimate.interval[0]), back(estimate.interval[1])],
  };
}
