/**
 * The measurements of experiment `dependence`: lags, token parameters, ICC, laws over curves,
 * decomposition. Contract: pure; every interval from the one bootstrap that is passed in.
 */
import { meanVarianceWeights } from '../../math/stats/autocorrelation';
import {
  joinSums,
  newClusterSums,
  transformed,
  type ClusterBootstrap,
  type ClusterSums,
  type Estimate,
} from '../../math/stats/clusters';
import { variance as sampleVariance } from '../../math/stats/moments';
import { meanCoefficients, slopeCoefficients } from '../../math/stats/regression';
import { anova, intraclassCorrelation, logF, logVariance } from '../../math/stats/statistics';
import { compensatedSum } from '../../math/summation';
import {
  correlationStatistic,
  lawOf,
  lawStatistic,
  residualStatistic,
  type Law,
  type LawLayout,
} from './corrected-law';
import { MIN_SLOPE_POINTS, momentSums, type Curve, type Prepared } from '../shared/curves';
import type { ExperimentVerdict } from '../experiment';
import { sequenceMeans } from '../shared/input';
import { verdictOf } from '../shared/verdict';

export const LEVEL_RESOLUTION = 0.2;
export const TILT_RESOLUTION = 0.2;

export interface LagPoint {
  lag: number;
  pairs: number;
  /** correlation of d_t and d_{t+lag}, the prompt's part removed */
  autocorrelation: number;
  interval: [number, number] | null;
  /** white noise stays within +- band 95 % of the time: 1.96 / sqrt(pairs) */
  band: number;
}

/** One law against the measured variance. */
export interface LawCheck {
  /** measured over predicted, geometric mean over the points */
  level: Estimate | null;
  /** slope of log(measured / predicted) over log length */
  tilt: Estimate | null;
  /** fails when level or tilt does, holds when both hold */
  verdict: ExperimentVerdict;
}

export interface LawPoint {
  length: number;
  minLength: number;
  maxLength: number;
  sequences: number;
  /** Var[log s], nats^2 */
  measured: number;
  interval: [number, number] | null;
  naive: number;
  corrected: number;
}

export interface LawCurve {
  kind: Curve['kind'];
  points: LawPoint[];
  naive: LawCheck;
  corrected: LawCheck;
}

/** Parts of Var[log s] over all responses, nats^2; they add up to `total`. */
export interface Decomposition {
  total: number;
  /** sigma^2 mean(1/L): what independent tokens give */
  withinToken: number;
  autocorrelation: number;
  prompt: number;
  /** what the three leave: means that move with length or position, lags beyond the window, noise */
  residual: number;
}

/** Autocorrelations at lags 1 .. maxLag, each from its own pairs. */
export function lagPoints(
  bootstrap: ClusterBootstrap,
  lags: ClusterSums,
  responsePairs: ClusterSums,
  hasPairs: boolean,
  maxLag: number,
): LagPoint[] {
  const layout: LawLayout = { window: 1, at: 0, hasPairs };
  const statistic = correlationStatistic(layout, Float64Array.of(0, 1));
  return Array.from({ length: maxLag }, (_, index) => {
    const lag = index + 1;
    const columns = [0, 1, 2 * lag, 2 * lag + 1].map((k) => lags.columns[k] as Float64Array);
    const own = joinSums({ clusters: lags.clusters, columns }, responsePairs);
    const { estimate, interval } = bootstrap.estimate(own, statistic);
    const pairs = compensatedSum(columns[2] as Float64Array);
    return { lag, pairs, autocorrelation: estimate, interval, band: 1.96 / Math.sqrt(pairs) };
  });
}

export function tokenEstimates(
  bootstrap: ClusterBootstrap,
  law: ClusterSums,
  layout: LawLayout,
): { integrated: Estimate; sigma2: Estimate; tau2: Estimate | null } {
  const none = new Float64Array(layout.window + 1);
  const first = none.map((_, lag) => (lag === 0 ? 1 : 0));
  const both = none.map((_, lag) => (lag === 0 ? 1 : 2));
  return {
    integrated: bootstrap.estimate(law, correlationStatistic(layout, both)),
    sigma2: bootstrap.estimate(law, lawStatistic(layout, first, 0)),
    tau2: layout.hasPairs ? bootstrap.estimate(law, lawStatistic(layout, none, 1)) : null,
  };
}

/** ICC of log s among responses to one prompt; null where no prompt has two responses. */
export function iccEstimate(bootstrap: ClusterBootstrap, data: Prepared): Estimate | null {
  const { rollouts, cluster, centered, prompts } = data;
  const values = sequenceMeans(centered, rollouts.offsets);
  const sums = newClusterSums(prompts, 6);
  const [ones, count, sum, squares, share, sizes] = sums.columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  values.forEach((x, i) => {
    const g = cluster[i] as number;
    count[g] = (count[g] as number) + 1;
    sum[g] = (sum[g] as number) + x;
    squares[g] = (squares[g] as number) + x * x;
  });
  for (let g = 0; g < prompts; g++) {
    const m = count[g] as number;
    if (m === 0) continue;
    ones[g] = 1;
    share[g] = (sum[g] as number) ** 2 / m;
    sizes[g] = m * m;
  }
  if (!count.some((m) => m > 1)) return null;
  const { m0 } = anova(sums.columns.map((column) => compensatedSum(column)));
  return transformed(bootstrap.estimate(sums, logF), (log) =>
    intraclassCorrelation(Math.exp(log), m0),
  );
}

function predicted(law: Law, h: Float64Array): number {
  return h.reduce((sum, weight, lag) => sum + weight * (law.gamma[lag] as number), law.tau2);
}

function totalsOf(sums: ClusterSums): number[] {
  return sums.columns.map((column) => compensatedSum(column));
}

/** Measured variance, naive and corrected law along a curve, and how each law fares. */
export function lawCurve(
  data: Prepared,
  curve: Curve,
  bootstrap: ClusterBootstrap,
  sums: ClusterSums,
  layout: LawLayout,
): LawCurve {
  const { kind, points } = curve;
  const measuredSums = points.map((point) => momentSums(data, point));
  // the naive law is the corrected one without lags and without prompts
  const naiveSums: ClusterSums = { clusters: sums.clusters, columns: sums.columns.slice(0, 2) };
  const naiveLayout: LawLayout = { window: 0, at: 0, hasPairs: false };
  const weightsFor = (window: number): Float64Array[] =>
    points.map((point) => meanVarianceWeights(point.lengths, window));
  const h = { naive: weightsFor(0), corrected: weightsFor(layout.window) };
  const law = {
    naive: lawOf(totalsOf(naiveSums), naiveLayout),
    corrected: lawOf(totalsOf(sums), layout),
  };
  const check = (own: ClusterSums, ownLayout: LawLayout, weights: Float64Array[]): LawCheck => {
    if (points.length === 0) return { level: null, tilt: null, verdict: 'too few' };
    const joined = joinSums(...measuredSums, own);
    const placed = { ...ownLayout, at: 3 * points.length };
    const sizes = points.map((point) => point.sequences);
    const x = points.map((point) => Math.log(point.length));
    const level = transformed(
      bootstrap.estimate(joined, residualStatistic(placed, weights, meanCoefficients(sizes))),
      Math.exp,
    );
    const tilt =
      points.length < MIN_SLOPE_POINTS
        ? null
        : bootstrap.estimate(
            joined,
            residualStatistic(placed, weights, slopeCoefficients(x, sizes)),
          );
    return {
      level,
      tilt,
      verdict: bothOf(
        verdictOf(level.interval, 1, LEVEL_RESOLUTION),
        verdictOf(tilt?.interval ?? null, 0, TILT_RESOLUTION),
      ),
    };
  };
  return {
    kind,
    points: points.map((point, b) => ({
      length: point.length,
      minLength: point.minLength,
      maxLength: point.maxLength,
      sequences: point.sequences,
      measured: sampleVariance(point.values),
      interval: transformed(
        bootstrap.estimate(measuredSums[b] as ClusterSums, logVariance),
        Math.exp,
      ).interval,
      naive: predicted(law.naive, h.naive[b] as Float64Array),
      corrected: predicted(law.corrected, h.corrected[b] as Float64Array),
    })),
    naive: check(naiveSums, naiveLayout, h.naive),
    corrected: check(sums, layout, h.corrected),
  };
}

/** Fails when one does, holds when both do. */
export function bothOf(a: ExperimentVerdict, b: ExperimentVerdict): ExperimentVerdict {
  if (a === 'fails' || b === 'fails') return 'fails';
  return a === 'holds' && b === 'holds' ? 'holds' : 'too few';
}

/** @param sums the law's columns */
export function decompose(data: Prepared, sums: ClusterSums, layout: LawLayout): Decomposition {
  const { lengths, centered, rollouts } = data;
  const total = sampleVariance(sequenceMeans(centered, rollouts.offsets));
  const law = lawOf(totalsOf(sums), layout);
  const h = meanVarianceWeights(lengths, layout.window);
  const withinToken = (h[0] as number) * (law.gamma[0] as number);
  const autocorrelation = predicted(law, h) - law.tau2 - withinToken;
  return {
    total,
    withinToken,
    autocorrelation,
    prompt: law.tau2,
    residual: total - withinToken - autocorrelation - law.tau2,
  };
}
