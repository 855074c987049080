/**
 * Measured against predicted variance along one curve: points, slopes, level, each with its interval;
 * shared by `variance` and by `mismatch`, which asks the same of another pair of policies. Contract: everything is a combination of logarithms of variances over the same prompts, so one
 * bootstrap carries the dependence between points (prefixes of one cohort are highly correlated) and
 * between measurement and prediction (sigma^2 is estimated from the same tokens).
 */
import {
  joinSums,
  transformed,
  type ClusterBootstrap,
  type ClusterSums,
  type Estimate,
} from '../../math/stats/clusters';
import { meanCoefficients, slopeCoefficients } from '../../math/stats/regression';
import { logCombination, logVariance, type LogTerm } from '../../math/stats/statistics';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from './curve-settings';
import {
  MIN_SLOPE_POINTS,
  momentSums,
  naturalCurve,
  prefixCurve,
  prefixLimit,
  tokenSums,
  type Curve,
  type CurvePoint,
  type Prepared,
} from './curves';
import { stage } from './input';

/** Measured and predicted variance of one weight at one length, nats^2. */
export interface VarianceMeasurement {
  measured: number;
  interval: [number, number] | null;
  predicted: number;
  /** measured / predicted, with the interval of the quotient (both come from the same data) */
  ratio: number;
  ratioInterval: [number, number] | null;
}

export interface VariancePoint {
  minLength: number;
  maxLength: number;
  /** harmonic mean length of the responses in the point */
  length: number;
  sequences: number;
  prompts: number;
  /** log s */
  sequence: VarianceMeasurement;
  /** log rho - L mean(d): the drift of the mean is no noise */
  unnormalised: VarianceMeasurement;
  /** d_t of the tokens in the point; null for prefixes, where one cohort serves all points */
  token: VarianceMeasurement | null;
}

export interface FittedSlope {
  /** d log variance / d log L, weighted by responses */
  slope: number;
  /** log variance at L = 1 on the fitted line */
  intercept: number;
  interval: [number, number] | null;
  prediction: number;
}

export interface VarianceCurve {
  kind: Curve['kind'];
  points: VariancePoint[];
  /** variance of d_t over the tokens of this curve, nats^2; null without points */
  tokenVariance: Estimate | null;
  slopes: {
    sequence: FittedSlope | null;
    unnormalised: FittedSlope | null;
    token: FittedSlope | null;
  };
  /** measured over predicted Var[log s], geometric mean over the points; null without points */
  level: Estimate | null;
}

/** One weight at one length, before any law. */
interface VarianceEstimate {
  /** nats^2 */
  variance: Estimate;
  /** log of it over the variance of the curve's tokens: both come from the same data */
  logOverTokens: Estimate;
}

interface MeasuredPoint {
  minLength: number;
  maxLength: number;
  length: number;
  /** arithmetic mean of the lengths */
  meanLength: number;
  sequences: number;
  prompts: number;
  sequence: VarianceEstimate;
  unnormalised: VarianceEstimate;
  token: VarianceEstimate | null;
}

type MeasuredSlope = Omit<FittedSlope, 'prediction'>;

export interface MeasuredVarianceCurve {
  kind: Curve['kind'];
  points: MeasuredPoint[];
  tokenVariance: Estimate | null;
  slopes: Record<keyof VarianceCurve['slopes'], MeasuredSlope | null>;
  /** log of Var[log s] over the variance of the tokens, mean over the points */
  logLevel: Estimate | null;
  /** log L in the same mean */
  meanLogLength: number;
}

/** Both curves, and the responses behind the second. */
export async function measureVarianceCurves(
  data: Prepared,
  settings: CurveSettings,
  bootstrap: ClusterBootstrap,
  context: ExperimentContext,
): Promise<{ natural: MeasuredVarianceCurve; prefix: MeasuredVarianceCurve; cohort: Curve }> {
  await stage(context, 0.1);
  const bins = naturalCurve(data, settings.bins);
  const limit = prefixLimit(data.lengths, settings.prefixLength);
  const cohort = prefixCurve(data, limit, settings.prefixPoints);
  await stage(context, 0.2);
  const natural = await measureVarianceCurve(data, bins, bootstrap, () => stage(context, 0.4));
  await stage(context, 0.6);
  const prefix = await measureVarianceCurve(data, cohort, bootstrap, () => stage(context, 0.8));
  return { natural, prefix, cohort };
}

/** @param betweenPoints awaited between points, so that the worker can answer messages */
async function measureVarianceCurve(
  data: Prepared,
  curve: Curve,
  bootstrap: ClusterBootstrap,
  betweenPoints: () => Promise<void>,
): Promise<MeasuredVarianceCurve> {
  const { kind, tokens } = curve;
  if (curve.points.length === 0) {
    const slopes = { sequence: null, unnormalised: null, token: null };
    return { kind, points: [], tokenVariance: null, slopes, logLevel: null, meanLogLength: NaN };
  }
  const sums = curve.points.map((point) => ({
    sequence: momentSums(data, point),
    unnormalised: momentSums(data, point, (value, length) => value * length),
    token: kind === 'natural' ? tokenSums(data, point.members, Infinity) : null,
  }));
  const points: MeasuredPoint[] = [];
  for (const [b, point] of curve.points.entries()) {
    const own = sums[b] as (typeof sums)[number];
    const { minLength, maxLength, length, sequences, prompts } = point;
    points.push({
      minLength,
      maxLength,
      length,
      meanLength: point.lengths.reduce((sum, l) => sum + l, 0) / sequences,
      sequences,
      prompts,
      sequence: varianceEstimate(bootstrap, own.sequence, tokens),
      unnormalised: varianceEstimate(bootstrap, own.unnormalised, tokens),
      token: own.token && varianceEstimate(bootstrap, own.token, tokens),
    });
    await betweenPoints();
  }
  const sequence = sums.map((own) => own.sequence);
  const unnormalised = sums.map((own) => own.unnormalised);
  const token = sums.map((own) => own.token).filter((own) => own !== null);
  const slopes = {
    sequence: fittedSlope(bootstrap, curve.points, sequence),
    unnormalised: fittedSlope(bootstrap, curve.points, unnormalised),
    token: fittedSlope(bootstrap, curve.points, token),
  };
  await betweenPoints();
  return {
    kind,
    points,
    tokenVariance: transformed(bootstrap.estimate(tokens, logVariance), Math.exp),
    slopes,
    ...meanLevel(bootstrap, curve.points, sequence, tokens),
  };
}

function varianceEstimate(
  bootstrap: ClusterBootstrap,
  sums: ClusterSums,
  tokens: ClusterSums,
): VarianceEstimate {
  const quotient = logCombination([
    { kind: 'variance', at: 0, weight: 1 },
    { kind: 'variance', at: 3, weight: -1 },
  ]);
  return {
    variance: transformed(bootstrap.estimate(sums, logVariance), Math.exp),
    logOverTokens: bootstrap.estimate(joinSums(sums, tokens), quotient),
  };
}

export const PREDICTED_SLOPES = { sequence: -1, unnormalised: 1, token: 0 } as const;

/** Independent tokens: Var[log s] = sigma^2 / L, Var[log rho] = L sigma^2, Var[log r] = sigma^2. */
export function predictVarianceCurve(measured: MeasuredVarianceCurve): VarianceCurve {
  const { kind, tokenVariance, slopes, logLevel, meanLogLength } = measured;
  const sigma2 = tokenVariance?.estimate ?? NaN;
  const sloped = (weight: keyof typeof slopes): FittedSlope | null => {
    const slope = slopes[weight];
    return slope && { ...slope, prediction: PREDICTED_SLOPES[weight] };
  };
  return {
    kind,
    points: measured.points.map(({ meanLength, sequence, unnormalised, token, ...point }) => ({
      ...point,
      sequence: against(sequence, sigma2, 1 / point.length),
      unnormalised: against(unnormalised, sigma2, meanLength),
      token: token && against(token, sigma2, 1),
    })),
    tokenVariance,
    slopes: {
      sequence: sloped('sequence'),
      unnormalised: sloped('unnormalised'),
      token: sloped('token'),
    },
    level: logLevel && transformed(logLevel, (log) => Math.exp(log + meanLogLength)),
  };
}

/** Prediction: `factor` times the token variance. */
function against(
  { variance, logOverTokens }: VarianceEstimate,
  sigma2: number,
  factor: number,
): VarianceMeasurement {
  const ratio = transformed(logOverTokens, (log) => Math.exp(log) / factor);
  return {
    measured: variance.estimate,
    interval: variance.interval,
    predicted: factor * sigma2,
    ratio: ratio.estimate,
    ratioInterval: ratio.interval,
  };
}

function varianceTerms(weights: readonly number[]): LogTerm[] {
  return weights.map((weight, b) => ({ kind: 'variance', at: 3 * b, weight }));
}

function fittedSlope(
  bootstrap: ClusterBootstrap,
  points: readonly CurvePoint[],
  sums: readonly ClusterSums[],
): MeasuredSlope | null {
  if (sums.length < MIN_SLOPE_POINTS) return null;
  const x = points.map((point) => Math.log(point.length));
  const weights = points.map((point) => point.sequences);
  const all = joinSums(...sums);
  const slope = bootstrap.estimate(
    all,
    logCombination(varianceTerms(slopeCoefficients(x, weights))),
  );
  const means = meanCoefficients(weights);
  const height = bootstrap.value(all, logCombination(varianceTerms(means)));
  const center = x.reduce((sum, value, b) => sum + value * (means[b] as number), 0);
  return {
    slope: slope.estimate,
    intercept: height - slope.estimate * center,
    interval: slope.interval,
  };
}

function meanLevel(
  bootstrap: ClusterBootstrap,
  points: readonly CurvePoint[],
  sums: readonly ClusterSums[],
  tokens: ClusterSums,
): { logLevel: Estimate; meanLogLength: number } {
  const means = meanCoefficients(points.map((point) => point.sequences));
  const terms = varianceTerms(means);
  terms.push({ kind: 'variance', at: 3 * sums.length, weight: -1 });
  return {
    logLevel: bootstrap.estimate(joinSums(...sums, tokens), logCombination(terms)),
    meanLogLength: points.reduce((sum, p, b) => sum + (means[b] as number) * Math.log(p.length), 0),
  };
}
