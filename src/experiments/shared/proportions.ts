/**
 * Shares of responses with intervals that know about prompts. Contract: a share that is 0 or 1 in every
 * prompt has no spread; its interval is the rule of three over the prompts, at every look.
 */
import { ALPHA } from '../../math/stats/anytime';
import type { PromptIntervals } from '../../math/stats/intervals';
import { addToCluster, newClusterSums, type ClusterSums } from '../../math/stats/clusters';
import { type Estimate } from '../../math/stats/intervals';
import { MIN_PROMPTS, type TotalsFunction } from '../../math/stats/jackknife';
import { meanStatistic } from '../../math/stats/statistics';

export interface Grouped {
  /** [n] cluster of each response: its prompt (`promptClusters`) */
  cluster: Uint32Array;
}

/** Accumulates terms per prompt. */
export class PromptSums {
  readonly sums: ClusterSums;
  constructor(
    private readonly cluster: Uint32Array,
    columns: number,
  ) {
    let clusters = 0;
    for (const g of cluster) clusters = Math.max(clusters, g + 1);
    this.sums = newClusterSums(clusters, columns);
  }

  /** @param i response whose prompt the terms belong to */
  add(i: number, terms: readonly number[]): void {
    addToCluster(this.sums, this.cluster[i], terms);
  }
}

/**
 * Upper end, valid at every look, of a share that was 0 in all of n prompts: the uniform mixture of likelihoods
 * (Robbins 1970) reaches 1/alpha at 1 - (alpha / (n + 1))^(1/n). The time-uniform rule of three.
 */
export const noneSeen = (n: number, alpha = ALPHA): number => 1 - (alpha / (n + 1)) ** (1 / n);

/** Fills in the interval where nothing, or everything, was hit. */
export function withRuleOfThree(estimate: Estimate): Estimate {
  if (estimate.interval !== null || estimate.clusters < MIN_PROMPTS) return estimate;
  const width = noneSeen(estimate.clusters);
  if (estimate.estimate === 0) return { ...estimate, interval: [0, width] };
  if (estimate.estimate === 1) return { ...estimate, interval: [1 - width, 1] };
  return estimate;
}

/** Share of `members` that pass the test, each counting by its weight. */
export function proportion(
  data: Grouped,
  members: ArrayLike<number>,
  test: (i: number) => boolean,
  intervals: PromptIntervals,
  weightOf: (i: number) => number = () => 1,
): Estimate {
  const sums = new PromptSums(data.cluster, 2);
  for (let k = 0; k < members.length; k++) {
    const i = members[k];
    const weight = weightOf(i);
    sums.add(i, [weight, test(i) ? weight : 0]);
  }
  return withRuleOfThree(intervals.estimate(sums.sums, meanStatistic));
}

/** (n1, hits1, n2, hits2) -> difference of shares */
const difference: TotalsFunction = (totals) => {
  const [n1, h1, n2, h2] = [0, 1, 2, 3].map((k) => totals[k]) as [number, number, number, number];
  return n1 > 0 && n2 > 0 ? h1 / n1 - h2 / n2 : NaN;
};

/** Share that passes the test among the first set minus that among the second. */
export function shareDifference(
  data: Grouped,
  test: (i: number) => boolean,
  first: (i: number) => boolean,
  second: (i: number) => boolean,
  intervals: PromptIntervals,
  weightOf: (i: number) => number = () => 1,
): Estimate {
  const sums = new PromptSums(data.cluster, 4);
  for (let i = 0; i < data.cluster.length; i++) {
    const weight = weightOf(i);
    const hit = test(i) ? weight : 0;
    if (first(i)) sums.add(i, [weight, hit, 0, 0]);
    else if (second(i)) sums.add(i, [0, 0, weight, hit]);
  }
  return intervals.estimate(sums.sums, difference);
}
