/**
 * Autocorrelation of d_t, the parameters of the corrected law, the intraclass correlation (ICC), and Var[log s]
 * over length. Contract: pure; every interval from the one bootstrap that is passed in.
 */
import { automaticWindow, lagSums, meanVarianceWeights } from '../../math/stats/autocorrelation';
import {
  joinSums,
  ClusterBootstrap,
  newClusterSums,
  transformed,
  type ClusterSums,
  type Estimate,
} from '../../math/stats/clusters';
import { mean, variance as sampleVariance } from '../../math/stats/moments';
import { meanCoefficients, slopeCoefficients } from '../../math/stats/regression';
import { anova, intraclassCorrelation, logF, logVariance } from '../../math/stats/statistics';
import { compensatedSum } from '../../math/summation';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import {
  correlationStatistic,
  lawOf,
  lawSums,
  lawStatistic,
  residualStatistic,
  responsePairSums,
  type Law,
  type LawLayout,
} from './corrected-law';
import {
  MIN_SLOPE_POINTS,
  momentSums,
  naturalCurve,
  prefixCurve,
  prefixLimit,
  prepare,
  type Curve,
  type Prepared,
} from '../shared/curves';
import type { ExperimentContext } from '../experiment';
import { sequenceMeans, stage } from '../shared/input';
import type { DependenceSettings } from './settings';

/** of the two intervals that decide the page's verdict, so that it cries wolf in 5 % of clean runs at most */
const JOINT_LEVEL = 0.975;

export interface LagPoint {
  lag: number;
  pairs: number;
  /** correlation of d_t and d_{t+lag}, the prompt's part removed */
  autocorrelation: number;
  interval: [number, number] | null;
  /** white noise stays within +- band 95 % of the time: 1.96 / sqrt(pairs) */
  band: number;
}

/** Measured over predicted variance by one law; both come from the same data, so the interval is joint. */
export interface LawCheck {
  /** geometric mean over the points */
  level: Estimate | null;
  /** slope of log(measured / predicted) over log length */
  tilt: Estimate | null;
}

interface MeasuredLawPoint {
  length: number;
  minLength: number;
  maxLength: number;
  sequences: number;
  /** Var[log s], nats^2 */
  measured: number;
  interval: [number, number] | null;
  /** how much each gamma_k counts in each law at the lengths of this point */
  lagWeights: { naive: Float64Array; corrected: Float64Array };
}

export interface MeasuredLawCurve {
  kind: Curve['kind'];
  points: MeasuredLawPoint[];
  naive: LawCheck;
  corrected: LawCheck;
}

export interface MeasuredDependence {
  sequences: number;
  tokens: number;
  prompts: number;
  lags: LagPoint[];
  /** lags that the corrected law uses */
  window: number;
  /** 1 + 2 sum_k rho_k over the window */
  integratedAutocorrelation: Estimate;
  /** variance of d_t within a response, nats^2 */
  sigma2: Estimate;
  /** variance of the prompts' shifts, nats^2; null where no prompt has two responses */
  tau2: Estimate | null;
  intraclassCorrelation: Estimate | null;
  /** 97.5 % intervals of the autocorrelation at lag 1 and of the ICC */
  joint: { neighbours: Estimate['interval']; icc: Estimate['interval'] };
  /** sigma^2, autocovariances and tau^2, from tokens and pairs of tokens only */
  laws: { naive: Law; corrected: Law };
  natural: MeasuredLawCurve;
  prefix: MeasuredLawCurve;
  meanLength: number;
  /** Var[log s] over all responses, nats^2, and the weights of the lags in it */
  total: { variance: number; lagWeights: Float64Array };
}

/** What each law says of the responses in a curve is laid beside it in `predict.ts`. */
export async function measureDependence(
  rollouts: Rollouts,
  settings: DependenceSettings,
  context: ExperimentContext,
): Promise<MeasuredDependence> {
  const data = prepare(rollouts);
  const bootstrap = new ClusterBootstrap(context);
  const longest = data.lengths.reduce((max, length) => Math.max(max, length), 1);
  const maxLag = Math.min(settings.maxLag, longest - 1);
  await stage(context, 0.05);
  const lags = lagSums(data.centered, rollouts.offsets, data.cluster, data.prompts, maxLag);
  const responsePairs = responsePairSums(data);
  const hasPairs = (responsePairs.columns[1] as Float64Array).some((pairs) => pairs > 0);
  await stage(context, 0.3);

  const points = lagPoints(bootstrap, lags, responsePairs, hasPairs, maxLag);
  const window = automaticWindow([1, ...points.map((point) => point.autocorrelation)]);
  const joint = new ClusterBootstrap({ ...context, level: JOINT_LEVEL });
  const [neighbours] = lagPoints(joint, lags, responsePairs, hasPairs, Math.min(1, maxLag));
  const law = lawSums(lags, responsePairs, window);
  const layout: LawLayout = { window, at: 0, hasPairs };
  await stage(context, 0.6);

  const { integrated, sigma2, tau2 } = tokenEstimates(bootstrap, law, layout);
  const icc = iccEstimate(bootstrap, data);
  const limit = prefixLimit(data.lengths, settings.prefixLength);
  const natural = lawCurve(data, naturalCurve(data, settings.bins), bootstrap, law, layout);
  await stage(context, 0.8);
  const prefixes = prefixCurve(data, limit, settings.prefixPoints);
  const prefix = lawCurve(data, prefixes, bootstrap, law, layout);
  await stage(context, 1);
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    prompts: data.prompts,
    lags: points,
    window,
    integratedAutocorrelation: integrated,
    sigma2,
    tau2,
    intraclassCorrelation: icc,
    joint: {
      neighbours: neighbours?.interval ?? null,
      icc: iccEstimate(joint, data)?.interval ?? null,
    },
    laws: {
      naive: lawOf(totalsOf(naiveSums(law)), NAIVE_LAYOUT),
      corrected: lawOf(totalsOf(law), layout),
    },
    natural,
    prefix,
    meanLength: mean(data.lengths),
    total: {
      variance: sampleVariance(sequenceMeans(data.centered, rollouts.offsets)),
      lagWeights: meanVarianceWeights(data.lengths, window),
    },
  };
}

/** The naive law is the corrected one without lags and without prompts. */
const NAIVE_LAYOUT: LawLayout = { window: 0, at: 0, hasPairs: false };
const naiveSums = ({ clusters, columns }: ClusterSums): ClusterSums => ({
  clusters,
  columns: columns.slice(0, 2),
});

/** Autocorrelations at lags 1 .. maxLag, each from its own pairs. */
function lagPoints(
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

function tokenEstimates(
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
function iccEstimate(bootstrap: ClusterBootstrap, data: Prepared): Estimate | null {
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

function totalsOf(sums: ClusterSums): number[] {
  return sums.columns.map((column) => compensatedSum(column));
}

/** Measured variance along a curve, and how each law fares. */
function lawCurve(
  data: Prepared,
  curve: Curve,
  bootstrap: ClusterBootstrap,
  sums: ClusterSums,
  layout: LawLayout,
): MeasuredLawCurve {
  const { kind, points } = curve;
  const measuredSums = points.map((point) => momentSums(data, point));
  const weightsFor = (window: number): Float64Array[] =>
    points.map((point) => meanVarianceWeights(point.lengths, window));
  const h = { naive: weightsFor(0), corrected: weightsFor(layout.window) };
  const check = (own: ClusterSums, ownLayout: LawLayout, weights: Float64Array[]): LawCheck => {
    if (points.length === 0) return { level: null, tilt: null };
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
    return { level, tilt };
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
      lagWeights: {
        naive: h.naive[b] as Float64Array,
        corrected: h.corrected[b] as Float64Array,
      },
    })),
    naive: check(naiveSums(sums), NAIVE_LAYOUT, h.naive),
    corrected: check(sums, layout, h.corrected),
  };
}
