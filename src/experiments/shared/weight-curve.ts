/**
 * Spread and tails of s and of rho along curves over length, beside what log-normal weights would have;
 * shared by `weights` and by `mismatch`, which asks the same of another pair of policies.
 *
 * Intervals of Var[rho] and of its effective share rest on the largest few weights: where k-hat > 0.7 they
 * are too optimistic, and `reliable` says so.
 */
import { newClusterSums, type ClusterSums } from '../../math/stats/clusters';
import { transformed, type PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { variance as sampleVariance } from '../../math/summation';
import { logNormalParetoK, paretoTail, USABLE_K, type ParetoTail } from '../../math/stats/pareto';
import { logEffectiveShare, logKurtosis, logVariance } from '../../math/stats/statistics';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from './settings';
import {
  naturalCurve,
  prefixCurve,
  prefixLimit,
  type Curve,
  type CurvePoint,
  type Prepared,
} from './curves';
import { stage } from './input';

/** Below this effective sample size over n, half of the responses are wasted. */
export const USABLE_SHARE = 0.5;

/** One weight (s or rho) at one length. */
interface MeasuredWeight {
  variance: number;
  varianceInterval: [number, number] | null;
  /** effective sample size over n, (sum w)^2 / (n sum w^2) */
  effectiveShare: number;
  shareInterval: [number, number] | null;
  pareto: ParetoTail;
  /** false where k-hat > 0.7 or unknown: variance, share and their intervals are not to be trusted */
  reliable: boolean;
}

/** Beside its log-normal prediction. */
export interface WeightMeasurement extends MeasuredWeight {
  predictedVariance: number;
  predictedShare: number;
  predictedParetoK: number;
}

interface PointAtLength<Weight> {
  length: number;
  minLength: number;
  maxLength: number;
  /** arithmetic mean of the lengths */
  meanLength: number;
  sequences: number;
  sequence: Weight;
  unnormalised: Weight;
  /** excess kurtosis of log s in this point; 0 for a normal */
  excessKurtosis: number;
}
type MeasuredWeightsPoint = PointAtLength<MeasuredWeight>;
export type WeightsPoint = PointAtLength<WeightMeasurement>;

interface MeasuredWeightsCurve {
  kind: Curve['kind'];
  points: MeasuredWeightsPoint[];
}
export interface WeightsCurve {
  kind: Curve['kind'];
  points: WeightsPoint[];
}

export interface MeasuredWeightCurves {
  /** moments of d_t that the predictions use */
  mu: number;
  sigma2: number;
  natural: MeasuredWeightsCurve;
  prefix: MeasuredWeightsCurve;
}

export async function measureWeightCurves(
  data: Prepared,
  settings: CurveSettings,
  intervals: PromptIntervals,
  context: ExperimentContext,
): Promise<MeasuredWeightCurves> {
  const sigma2 = sampleVariance(data.centered);
  const limit = prefixLimit(data.lengths, settings.prefixLength);
  await stage(context, 0.1);
  const curves: MeasuredWeightsCurve[] = [];
  for (const curve of [
    naturalCurve(data, settings.bins),
    prefixCurve(data, limit, settings.prefixPoints),
  ]) {
    const points: MeasuredWeightsPoint[] = [];
    for (const point of curve.points) {
      points.push(measurePoint(data, point, intervals));
      await stage(context, 0.1 + 0.4 * (curves.length + points.length / curve.points.length));
    }
    curves.push({ kind: curve.kind, points });
  }
  const [natural, prefix] = curves as [MeasuredWeightsCurve, MeasuredWeightsCurve];
  return { mu: data.center, sigma2, natural, prefix };
}

function measurePoint(
  data: Prepared,
  point: CurvePoint,
  intervals: PromptIntervals,
): MeasuredWeightsPoint {
  const { length, minLength, maxLength, sequences } = point;
  const logS = point.values.map((x) => x + data.center);
  const logRho = logS.map((x, row) => x * point.lengths[row]);
  return {
    length,
    minLength,
    maxLength,
    meanLength: point.lengths.reduce((sum, own) => sum + own, 0) / sequences,
    sequences,
    sequence: measureWeight(data, point, logS, intervals),
    unnormalised: measureWeight(data, point, logRho, intervals),
    excessKurtosis:
      Math.exp(intervals.value(powerSums(data, point.members, point.values), logKurtosis)) - 3,
  };
}

function measureWeight(
  data: Prepared,
  point: CurvePoint,
  logWeights: Float64Array,
  intervals: PromptIntervals,
): MeasuredWeight {
  const n = logWeights.length;
  const top = logWeights.reduce((max, x) => Math.max(max, x), -Infinity);
  const middle = logWeights.reduce((sum, x) => sum + x / n, 0);
  // near-equal weights are centered by expm1, wild ones scaled by the largest: digits or no overflow
  const origin = top - middle < 1 ? middle : top;
  const spread = newClusterSums(data.prompts, 3);
  const size = newClusterSums(data.prompts, 3);
  const [count, sum, squares] = spread.columns as [Float64Array, Float64Array, Float64Array];
  const [, weightSum, weightSquares] = size.columns as [Float64Array, Float64Array, Float64Array];
  size.columns[0] = count;
  for (let row = 0; row < n; row++) {
    const g = data.cluster[point.members[row]];
    const w = Math.exp(logWeights[row] - origin);
    const x = Math.expm1(logWeights[row] - origin);
    count[g] = count[g] + 1;
    sum[g] = sum[g] + x;
    squares[g] = squares[g] + x * x;
    weightSum[g] = weightSum[g] + w;
    weightSquares[g] = weightSquares[g] + w * w;
  }
  const variance = transformed(intervals.estimate(spread, logVariance), (log) =>
    Math.exp(log + 2 * origin),
  );
  const share = transformed(intervals.estimate(size, logEffectiveShare), Math.exp);
  const pareto = paretoTail(logWeights);
  return {
    variance: variance.estimate,
    varianceInterval: variance.interval,
    effectiveShare: share.estimate,
    shareInterval: share.interval && [share.interval[0], Math.min(1, share.interval[1])],
    pareto,
    reliable: pareto.k <= USABLE_K,
  };
}

/** Per prompt: (n, S1, S2, S3, S4). */
export function powerSums(
  data: Prepared,
  members: ArrayLike<number>,
  values: Float64Array,
): ClusterSums {
  const sums = newClusterSums(data.prompts, 5);
  // unit variance first: fourth powers of 1e-4 leave the digits that matter
  const scale = 1 / Math.sqrt(sampleVariance(values));
  for (let row = 0; row < values.length; row++) {
    const g = data.cluster[members[row]];
    const x = values[row] * scale;
    let power = 1;
    for (const column of sums.columns) {
      column[g] = column[g] + power;
      power *= x;
    }
  }
  return sums;
}

/** d_t independent and normal: s is log-normal with (mu, sigma^2/L), rho with (L mu, L sigma^2). */
export function predictWeightCurves({ mu, sigma2, natural, prefix }: MeasuredWeightCurves) {
  const predictCurve = ({ kind, points }: MeasuredWeightsCurve): WeightsCurve => ({
    kind,
    points: points.map((point) => ({
      ...point,
      sequence: logNormal(point.sequence, point.sequences, mu, sigma2 / point.length),
      unnormalised: logNormal(
        point.unnormalised,
        point.sequences,
        point.meanLength * mu,
        point.meanLength * sigma2,
      ),
    })),
  });
  const predicted = { natural: predictCurve(natural), prefix: predictCurve(prefix) };
  const usable = crossingEstimate(predicted.prefix.points);
  return {
    ...predicted,
    /** length at which the effective share of rho falls under USABLE_SHARE, tokens; null: not reached */
    usableLength: usable?.estimate ?? null,
    usableLengthInterval: usable?.interval ?? null,
    predictedUsableLength: -Math.log(USABLE_SHARE) / sigma2,
  };
}

/** @param mean and variance of the log weight, by the law */
function logNormal(
  measured: MeasuredWeight,
  n: number,
  mean: number,
  variance: number,
): WeightMeasurement {
  return {
    ...measured,
    predictedVariance: Math.expm1(variance) * Math.exp(2 * mean + variance),
    predictedShare: Math.exp(-variance),
    predictedParetoK: logNormalParetoK(n, variance),
  };
}

/** Length at which a curve of shares first falls under USABLE_SHARE, linear in log length. */
function crossingOf(
  points: readonly WeightsPoint[],
  share: (point: WeightMeasurement) => number | undefined,
): number | null {
  for (let b = 0; b < points.length; b++) {
    const own = points[b];
    const value = share(own.unnormalised);
    if (value === undefined || !(value < USABLE_SHARE)) continue;
    const before = points[b - 1];
    const above = before && share(before.unnormalised);
    if (!before || above === undefined || !(above > value)) return own.length;
    const part = (above - USABLE_SHARE) / (above - value);
    return before.length * (own.length / before.length) ** part;
  }
  return null;
}

/** Interval: where the lower and the upper ends of the shares' intervals cross. */
function crossingEstimate(
  points: readonly WeightsPoint[],
): Pick<Estimate, 'estimate' | 'interval'> | null {
  const estimate = crossingOf(points, (w) => w.effectiveShare);
  if (estimate === null) return null;
  const low = crossingOf(points, (w) => w.shareInterval?.[0]);
  const high = crossingOf(points, (w) => w.shareInterval?.[1]);
  return {
    estimate,
    interval: low !== null && high !== null ? [low, high] : null,
  };
}
