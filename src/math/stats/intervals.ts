/**
 * Estimates with the intervals that a page draws: standard errors are the jackknife's over prompts (`jackknife.ts`),
 * intervals hold at every look (`anytime.ts`), so that they may be drawn while a run grows. Contract: nothing depends
 * on a seed.
 */
import { compensatedSum } from '../summation';
import { ALPHA, anytimeInterval, tuningOf, type Measured } from './anytime';
import type { ClusterSums } from './clusters';
import { jackknifeOf, type TotalsFunction } from './jackknife';

export interface Estimate extends Measured {
  /** 95 %, at every look; null with too few prompts, without spread, or where not defined */
  interval: [number, number] | null;
}

/** Estimates with 95 % time-uniform intervals, tuned to a run of `planned` prompts. */
export class PromptIntervals {
  private readonly planned: number | null;

  constructor({ planned }: { planned?: number | undefined } = {}) {
    this.planned = planned ?? null;
  }

  /** @param sums per-prompt sums; all-zero prompts are left out */
  estimate(sums: ClusterSums, statistic: TotalsFunction): Estimate {
    return this.around(jackknifeOf(sums, statistic));
  }

  around(measured: Measured): Estimate {
    const r = tuningOf(this.planned ?? measured.clusters);
    return { ...measured, interval: anytimeInterval(measured, r, ALPHA) };
  }

  /** The statistic on the whole data, without an interval. */
  value(sums: ClusterSums, statistic: TotalsFunction): number {
    return statistic(Float64Array.from(sums.columns, (column) => compensatedSum(column)));
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

/** Wilson's score interval for a share, 95 %, for one look at independent trials. */
export function wilson(hits: number, n: number, z = 1.96): [number, number] {
  if (n === 0) return [0, 1];
  const share = hits / n;
  const center = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, center - half), Math.min(1, center + half)];
}
