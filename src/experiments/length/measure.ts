/**
 * Mean of exp(H) and exp of the mean of H, per length: over bins of natural length and over prefixes of the
 * same responses, as in `variance`; the same of s.
 */
import { joinSums, newClusterSums, type ClusterSums } from '../../math/stats/clusters';
import { PromptIntervals, transformed, type Estimate } from '../../math/stats/intervals';
import type { Measured } from '../../math/stats/anytime';
import { jackknifeOf, type TotalsFunction } from '../../math/stats/jackknife';
import { slopeCoefficients } from '../../math/stats/log-linear';
import { combination, logRatioOf, meanStatistic } from '../../math/stats/statistics';
import { sequenceCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/settings';
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
import { sequenceMeans, stage } from '../shared/input';

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
  /** what the claims judge: the slope of log mean s (null below three prefixes); the quotient of the gaps */
  inference: { ratio: Measured | null; cancels: Measured };
}

export async function measureLength(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredLength> {
  const data = prepare(rollouts);
  const intervals = new PromptIntervals(context);
  const limit = prefixLimit(data.lengths, settings.prefixLength);
  await stage(context, 0.1);
  const natural = measureCurve(data, naturalCurve(data, settings.bins), intervals);
  await stage(context, 0.5);
  const prefix = measureCurve(data, prefixCurve(data, limit, settings.prefixPoints), intervals);
  await stage(context, 1);
  return {
    sequences: sequenceCount(rollouts),
    natural,
    prefix,
    inference: { ratio: prefix.ratioSlope, cancels: cancelling(data) },
  };
}

/**
 * Jensen gap of s over that of PPL_old, over all responses. Not on the log scale: where hardly any of the bias is left,
 * how many times less than a hundredth it is cannot be known, and does not matter.
 */
function cancelling(data: Prepared): Measured {
  const { rollouts, centered } = data;
  const all: CurvePoint = {
    minLength: 0,
    maxLength: Infinity,
    length: NaN,
    sequences: data.lengths.length,
    prompts: data.prompts,
    members: Uint32Array.from(data.lengths.keys()),
    lengths: data.lengths,
    values: sequenceMeans(centered, rollouts.offsets),
  };
  const s = exponentSums(data, all, all.values).sums;
  const old = exponentSums(data, all, crossEntropies(data, all, rollouts.logpOld)).sums;
  return jackknifeOf(joinSums(s, old), (totals) => {
    const bias = gapAt(3)(totals);
    return bias > 0 ? gapAt(0)(totals) / bias : NaN;
  });
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
    const g = data.cluster[point.members[row]];
    const x = values[row] - origin;
    count[g] = count[g] + 1;
    weight[g] = weight[g] + Math.exp(x);
    sum[g] = sum[g] + x;
    squares += x * x;
  }
  return { sums, origin, variance: squares / (n - 1) };
}

/** gap = log(mean exp x) - mean x, columns (n, sum exp, sum) from `at` on */
const gapAt =
  (at: number): TotalsFunction =>
  (totals) => {
    const n = totals[at];
    return Math.log(totals[at + 1] / n) - totals[at + 2] / n;
  };

function exponentiated(
  intervals: PromptIntervals,
  { sums, origin, variance }: ExponentSums,
): MeasuredMean {
  const pair = (k: number): ClusterSums => ({
    clusters: sums.clusters,
    columns: [sums.columns[0], sums.columns[k]],
  });
  const back = (x: number): number => Math.exp(x + origin);
  const mean = transformed(intervals.estimate(pair(1), logRatioOf(1, 0)), back);
  const center = transformed(intervals.estimate(pair(2), meanStatistic), back);
  const gap = intervals.estimate(sums, gapAt(0));
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
    const start = data.rollouts.offsets[i];
    const count = point.lengths[row];
    let sum = 0;
    for (let t = start; t < start + count; t++) sum -= logp[t];
    return sum / count;
  });
}

function measureCurve(
  data: Prepared,
  curve: Curve,
  intervals: PromptIntervals,
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
    statistic: (coefficients: number[]) => TotalsFunction,
    shifted: boolean,
  ): Estimate | null => {
    if (points.length < MIN_SLOPE_POINTS) return null;
    const coefficients = slopeCoefficients(
      points.map((point) => Math.log(point.length)),
      points.map((point) => point.sequences),
    );
    // the columns hold exp(x - origin): the origins' own slope comes back here
    const shift = shifted
      ? own.reduce((sum, { origin }, b) => sum + coefficients[b] * origin, 0)
      : 0;
    const joined = joinSums(...own.map((one) => one.sums));
    return transformed(intervals.estimate(joined, statistic(coefficients)), (x) => x + shift);
  };
  const logMeans = (coefficients: number[]): TotalsFunction =>
    combination(coefficients.map((weight, b) => ({ weight, of: logRatioOf(3 * b + 1, 3 * b) })));
  const logGaps = (coefficients: number[]): TotalsFunction =>
    combination(
      coefficients.map((weight, b) => ({ weight, of: (totals) => Math.log(gapAt(3 * b)(totals)) })),
    );
  const old = sums.map((own) => own.old);
  const ratio = sums.map((own) => own.ratio);
  return {
    kind,
    points: points.map((point, b) => {
      const own = sums[b];
      return {
        length: point.length,
        minLength: point.minLength,
        maxLength: point.maxLength,
        sequences: point.sequences,
        perplexityOld: exponentiated(intervals, own.old),
        perplexityNew: exponentiated(intervals, own.new),
        ratio: exponentiated(intervals, own.ratio),
        position: kind === 'prefix' && last ? own.old.origin - last.old.origin : null,
      };
    }),
    gapSlope: slopeOf(old, logGaps, false),
    perplexitySlope: slopeOf(old, logMeans, true),
    ratioSlope: slopeOf(ratio, logMeans, true),
  };
}
