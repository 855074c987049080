/**
 * Mean of exp(H) and exp of the mean of H, per length: over bins of natural length and over prefixes of the
 * same responses, as in `variance`; the same of s.
 */
import {
  ClusterBootstrap,
  joinSums,
  newClusterSums,
  transformed,
  type ClusterSums,
  type Estimate,
  type SmoothStatistic,
} from '../../math/stats/clusters';
import { slopeCoefficients } from '../../math/stats/regression';
import { logCombination, meanStatistic } from '../../math/stats/statistics';
import { sequenceCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/curve-settings';
import {
  MIN_SLOPE_POINTS,
  naturalCurve,
  prefixCurve,
  prefixLimit,
  prepare,
  type Curve,
  type CurvePoint,
  type Prepared,
} from '../shared/curves';
import { stage } from '../shared/input';

/** exp of a per-response mean (a perplexity, or s) at one length. */
export interface MeasuredMean {
  /** mean over responses of exp(x) */
  mean: number;
  meanInterval: [number, number] | null;
  /** exp of the mean of x: free of the Jensen gap */
  center: number;
  centerInterval: [number, number] | null;
  /** log mean - log center, nats */
  gap: number;
  gapInterval: [number, number] | null;
  /** Var[x], nats^2 */
  variance: number;
}

export interface MeasuredLengthPoint {
  length: number;
  minLength: number;
  maxLength: number;
  sequences: number;
  perplexityOld: MeasuredMean;
  perplexityNew: MeasuredMean;
  /** the sequence weight s */
  ratio: MeasuredMean;
  /** mean H_old here minus mean H_old at the longest prefix, nats; null on the natural curve */
  position: number | null;
}

export interface MeasuredLengthCurve {
  kind: Curve['kind'];
  points: MeasuredLengthPoint[];
  /** d log gap / d log L of PPL_old; null below three points or where a gap is not positive */
  gapSlope: Estimate | null;
  /** d log mean PPL_old / d log L */
  perplexitySlope: Estimate | null;
  /** d log mean s / d log L */
  ratioSlope: Estimate | null;
}

export interface MeasuredLength {
  sequences: number;
  natural: MeasuredLengthCurve;
  prefix: MeasuredLengthCurve;
}

export async function measureLength(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredLength> {
  const data = prepare(rollouts);
  const bootstrap = new ClusterBootstrap(context);
  const limit = prefixLimit(data.lengths, settings.prefixLength);
  await stage(context, 0.1);
  const natural = measureCurve(data, naturalCurve(data, settings.bins), bootstrap);
  await stage(context, 0.5);
  const prefix = measureCurve(data, prefixCurve(data, limit, settings.prefixPoints), bootstrap);
  await stage(context, 1);
  return { sequences: sequenceCount(rollouts), natural, prefix };
}

/** Columns per prompt: (n, sum exp(x - origin), sum (x - origin)); Var[x] beside them. */
interface ExponentSums {
  sums: ClusterSums;
  /** exp(x - origin) with origin near the mean, so that sums neither overflow nor lose digits */
  origin: number;
  variance: number;
}

function exponentSums(data: Prepared, point: CurvePoint, values: Float64Array): ExponentSums {
  const n = values.length;
  const origin = values.reduce((sum, x) => sum + x / n, 0);
  const sums = newClusterSums(data.prompts, 3);
  const [count, weight, sum] = sums.columns as [Float64Array, Float64Array, Float64Array];
  let squares = 0;
  for (let row = 0; row < n; row++) {
    const g = data.cluster[point.members[row] as number] as number;
    const x = (values[row] as number) - origin;
    count[g] = (count[g] as number) + 1;
    weight[g] = (weight[g] as number) + Math.exp(x);
    sum[g] = (sum[g] as number) + x;
    squares += x * x;
  }
  return { sums, origin, variance: squares / (n - 1) };
}

/** sum_b weight_b of(gap_b), gap = log(mean exp x) - mean x, columns (n, sum exp, sum) per point. */
function gapStatistic(
  weights: readonly number[],
  of: { value(gap: number): number; slope(gap: number): number },
): SmoothStatistic {
  return (totals, gradient) => {
    gradient.fill(0);
    let value = 0;
    weights.forEach((weight, b) => {
      const n = totals[3 * b] as number;
      const exponent = totals[3 * b + 1] as number;
      const mean = (totals[3 * b + 2] as number) / n;
      const gap = Math.log(exponent / n) - mean;
      const slope = weight * of.slope(gap);
      value += weight * of.value(gap);
      gradient[3 * b] = (slope * (mean - 1)) / n;
      gradient[3 * b + 1] = slope / exponent;
      gradient[3 * b + 2] = -slope / n;
    });
    return value;
  };
}

const PLAIN = { value: (gap: number) => gap, slope: () => 1 };
const LOGARITHM = { value: (gap: number) => Math.log(gap), slope: (gap: number) => 1 / gap };

function exponentiated(
  bootstrap: ClusterBootstrap,
  { sums, origin, variance }: ExponentSums,
): MeasuredMean {
  const pair = (k: number): ClusterSums => ({
    clusters: sums.clusters,
    columns: [sums.columns[0] as Float64Array, sums.columns[k] as Float64Array],
  });
  const back = (x: number): number => Math.exp(x + origin);
  const mean = transformed(
    bootstrap.estimate(
      pair(1),
      logCombination([{ kind: 'ratio', numerator: 1, denominator: 0, weight: 1 }]),
    ),
    back,
  );
  const center = transformed(bootstrap.estimate(pair(2), meanStatistic), back);
  const gap = bootstrap.estimate(sums, gapStatistic([1], PLAIN));
  return {
    mean: mean.estimate,
    meanInterval: mean.interval,
    center: center.estimate,
    centerInterval: center.interval,
    gap: gap.estimate,
    gapInterval: gap.interval,
    variance,
  };
}

/** [members] cross-entropy of the tokens that count, nats per token */
function crossEntropies(data: Prepared, point: CurvePoint, logp: FloatArray): Float64Array {
  return Float64Array.from(point.members, (i, row) => {
    const start = data.rollouts.offsets[i] as number;
    const count = point.lengths[row] as number;
    let sum = 0;
    for (let t = start; t < start + count; t++) sum -= logp[t] as number;
    return sum / count;
  });
}

function measureCurve(
  data: Prepared,
  curve: Curve,
  bootstrap: ClusterBootstrap,
): MeasuredLengthCurve {
  const { kind, points } = curve;
  const { logpOld, logpNew } = data.rollouts;
  const sums = points.map((point) => ({
    old: exponentSums(data, point, crossEntropies(data, point, logpOld)),
    new: exponentSums(data, point, crossEntropies(data, point, logpNew)),
    ratio: exponentSums(
      data,
      point,
      point.values.map((x) => x + data.center),
    ),
  }));
  const last = sums.at(-1);
  const slopeOf = (
    own: readonly ExponentSums[],
    statistic: (coefficients: number[]) => SmoothStatistic,
    shifted: boolean,
  ): Estimate | null => {
    if (points.length < MIN_SLOPE_POINTS) return null;
    const coefficients = slopeCoefficients(
      points.map((point) => Math.log(point.length)),
      points.map((point) => point.sequences),
    );
    // the columns hold exp(x - origin): the origins' own slope comes back here
    const shift = shifted
      ? own.reduce((sum, { origin }, b) => sum + (coefficients[b] as number) * origin, 0)
      : 0;
    const joined = joinSums(...own.map((one) => one.sums));
    return transformed(bootstrap.estimate(joined, statistic(coefficients)), (x) => x + shift);
  };
  const logMeans = (coefficients: number[]): SmoothStatistic =>
    logCombination(
      coefficients.map((weight, b) => ({
        kind: 'ratio',
        numerator: 3 * b + 1,
        denominator: 3 * b,
        weight,
      })),
    );
  const old = sums.map((own) => own.old);
  const ratio = sums.map((own) => own.ratio);
  return {
    kind,
    points: points.map((point, b) => {
      const own = sums[b] as (typeof sums)[number];
      return {
        length: point.length,
        minLength: point.minLength,
        maxLength: point.maxLength,
        sequences: point.sequences,
        perplexityOld: exponentiated(bootstrap, own.old),
        perplexityNew: exponentiated(bootstrap, own.new),
        ratio: exponentiated(bootstrap, own.ratio),
        position: kind === 'prefix' && last ? own.old.origin - last.old.origin : null,
      };
    }),
    gapSlope: slopeOf(old, (c) => gapStatistic(c, LOGARITHM), false),
    perplexitySlope: slopeOf(old, logMeans, true),
    ratioSlope: slopeOf(ratio, logMeans, true),
  };
}
