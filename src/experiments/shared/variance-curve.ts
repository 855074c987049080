/**
 * Measured against predicted variance along one curve: points, slopes, level, each with its interval.
 * Contract: everything is a combination of logarithms of variances over the same prompts, so one
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
import {
  MIN_SLOPE_POINTS,
  momentSums,
  tokenSums,
  type Curve,
  type CurvePoint,
  type Prepared,
} from './curves';

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

/** @param breathe awaited between points */
export async function measureCurve(
  data: Prepared,
  curve: Curve,
  bootstrap: ClusterBootstrap,
  breathe: () => Promise<void>,
): Promise<VarianceCurve> {
  const { kind, tokens } = curve;
  if (curve.points.length === 0) {
    const slopes = { sequence: null, unnormalised: null, token: null };
    return { kind, points: [], tokenVariance: null, slopes, level: null };
  }
  const sums = curve.points.map((point) => ({
    sequence: momentSums(data, point),
    unnormalised: momentSums(data, point, (value, length) => value * length),
    token: kind === 'natural' ? tokenSums(data, point.members, Infinity) : null,
  }));
  const tokenVariance = transformed(bootstrap.estimate(tokens, logVariance), Math.exp);
  const points: VariancePoint[] = [];
  for (const [b, point] of curve.points.entries()) {
    const own = sums[b] as (typeof sums)[number];
    const { minLength, maxLength, length, sequences, prompts } = point;
    const meanLength = point.lengths.reduce((sum, l) => sum + l, 0) / sequences;
    const against = (columns: ClusterSums, factor: number): VarianceMeasurement =>
      measurement(bootstrap, columns, tokens, tokenVariance.estimate, factor);
    points.push({
      minLength,
      maxLength,
      length,
      sequences,
      prompts,
      sequence: against(own.sequence, 1 / length),
      unnormalised: against(own.unnormalised, meanLength),
      token: own.token && against(own.token, 1),
    });
    await breathe();
  }
  const token = sums.map((own) => own.token).filter((own) => own !== null);
  const slopes = {
    sequence: fittedSlope(
      bootstrap,
      curve.points,
      sums.map((own) => own.sequence),
      -1,
    ),
    unnormalised: fittedSlope(
      bootstrap,
      curve.points,
      sums.map((own) => own.unnormalised),
      1,
    ),
    token: fittedSlope(bootstrap, curve.points, token, 0),
  };
  await breathe();
  const level = meanLevel(
    bootstrap,
    curve.points,
    sums.map((own) => own.sequence),
    tokens,
  );
  return { kind, points, tokenVariance, slopes, level };
}

/** Prediction: `factor` times the token variance. */
function measurement(
  bootstrap: ClusterBootstrap,
  sums: ClusterSums,
  tokens: ClusterSums,
  tokenVariance: number,
  factor: number,
): VarianceMeasurement {
  const own = transformed(bootstrap.estimate(sums, logVariance), Math.exp);
  const quotient = logCombination([
    { kind: 'variance', at: 0, weight: 1 },
    { kind: 'variance', at: 3, weight: -1 },
  ]);
  const ratio = transformed(
    bootstrap.estimate(joinSums(sums, tokens), quotient),
    (log) => Math.exp(log) / factor,
  );
  return {
    measured: own.estimate,
    interval: own.interval,
    predicted: factor * tokenVariance,
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
  prediction: number,
): FittedSlope | null {
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
    prediction,
  };
}

function meanLevel(
  bootstrap: ClusterBootstrap,
  points: readonly CurvePoint[],
  sums: readonly ClusterSums[],
  tokens: ClusterSums,
): Estimate {
  const means = meanCoefficients(points.map((point) => point.sequences));
  const terms = varianceTerms(means);
  terms.push({ kind: 'variance', at: 3 * sums.length, weight: -1 });
  const shift = points.reduce((sum, p, b) => sum + (means[b] as number) * Math.log(p.length), 0);
  return transformed(bootstrap.estimate(joinSums(...sums, tokens), logCombination(terms)), (log) =>
    Math.exp(log + shift),
  );
}
