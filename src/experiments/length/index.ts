/**
 * Experiment `length`: what a short response does to a perplexity, and to s, the ratio of two.
 *
 * The perplexity of one response is exp(H), H the cross-entropy of its tokens. H is a mean of L noisy
 * terms and exp is convex, so mean perplexity exceeds the perplexity of the mean by a factor of about
 * exp(Var[H]/2) (exact for normal H): the *Jensen gap* log mean exp(H) - mean H, which should fall like
 * 1/L. Besides, early tokens may be harder than late ones: the *position* part, mean H at k minus mean H
 * at the longest prefix. s = PPL_old / PPL_theta shares most of the noise of both, so its own gap,
 * Var[log s]/2, is far smaller. Natural bins and prefixes of the same responses, as in `variance`.
 *
 * Verdicts (`verdict.ts`): a slope fails when its 95 % interval excludes the prediction, holds when it
 * contains it and is narrow enough, else too few.
 */
import * as v from 'valibot';
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
import { sequenceCount, type FloatArray } from '../../rollouts/rollouts';
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
import type { Claim, Experiment } from '../experiment';
import { checkRollouts, stage } from '../shared/input';
import { curveSettingsSchema, CURVE_DEFAULTS } from '../variance';
import { BOOTSTRAP_METHOD, numberClaim } from '../shared/verdict';

export const GAP_SLOPE_RESOLUTION = 0.2;
export const LEVEL_SLOPE_RESOLUTION = 0.05;

export const lengthSettingsSchema = v.strictObject(curveSettingsSchema.entries);
export type LengthSettings = v.InferOutput<typeof lengthSettingsSchema>;

/** exp of a per-response mean (a perplexity, or s) at one length. */
export interface ExponentiatedMean {
  /** mean over responses of exp(x) */
  mean: number;
  meanInterval: [number, number] | null;
  /** exp of the mean of x: free of the Jensen gap */
  center: number;
  centerInterval: [number, number] | null;
  /** log mean - log center, nats */
  gap: number;
  gapInterval: [number, number] | null;
  /** Var[x] / 2 */
  predictedGap: number;
}

export interface LengthPoint {
  length: number;
  minLength: number;
  maxLength: number;
  sequences: number;
  perplexityOld: ExponentiatedMean;
  perplexityNew: ExponentiatedMean;
  /** the sequence weight s */
  ratio: ExponentiatedMean;
  /** mean H_old here minus mean H_old at the longest prefix, nats; null on the natural curve */
  position: number | null;
}

export interface LengthCurve {
  kind: Curve['kind'];
  points: LengthPoint[];
  /** d log gap / d log L of PPL_old; null below three points or where a gap is not positive */
  gapSlope: Estimate | null;
  /** d log mean PPL_old / d log L */
  perplexitySlope: Estimate | null;
  /** d log mean s / d log L */
  ratioSlope: Estimate | null;
}

export interface LengthResult {
  sequences: number;
  natural: LengthCurve;
  prefix: LengthCurve;
  claims: Claim[];
}

export const length: Experiment<LengthSettings, LengthResult> = {
  id: 'length',
  title: 'Perplexity and length',
  question: 'Does a short response bias its perplexity, and does the bias cancel in s?',
  defaults: CURVE_DEFAULTS,

  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const data = prepare(rollouts);
    const bootstrap = new ClusterBootstrap(context);
    const limit = prefixLimit(data.lengths, settings.prefixLength);
    await stage(context, 0.1);
    const natural = measure(data, naturalCurve(data, settings.bins), bootstrap);
    await stage(context, 0.5);
    const prefix = measure(data, prefixCurve(data, limit, settings.prefixPoints), bootstrap);
    await stage(context, 1);
    return { sequences: sequenceCount(rollouts), natural, prefix, claims: claimsOf(prefix) };
  },
};

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
): ExponentiatedMean {
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
    predictedGap: variance / 2,
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

function measure(data: Prepared, curve: Curve, bootstrap: ClusterBootstrap): LengthCurve {
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

function claimsOf(prefix: LengthCurve): Claim[] {
  const slope = (
    id: string,
    claim: string,
    prediction: number,
    estimate: Estimate | null,
    resolution: number,
    what: string,
  ): Claim =>
    numberClaim({
      id,
      claim,
      prediction,
      estimate,
      n: prefix.points.length,
      nOf: 'lengths',
      resolution,
      method: `Slope of ${what} on log length over prefixes of the same responses. ${BOOTSTRAP_METHOD}`,
    });
  return [
    slope(
      'length.perplexity',
      'The perplexity estimate does not depend on how many tokens it is taken over.',
      0,
      prefix.perplexitySlope,
      LEVEL_SLOPE_RESOLUTION,
      'log mean PPL_old',
    ),
    slope(
      'length.jensen',
      'The upward bias of perplexity from noise (the Jensen gap) falls like 1/L.',
      -1,
      prefix.gapSlope,
      GAP_SLOPE_RESOLUTION,
      'the logarithm of log mean PPL_old - mean H_old',
    ),
    slope(
      'length.ratio',
      'The bias cancels in the ratio: mean s does not depend on the length.',
      0,
      prefix.ratioSlope,
      LEVEL_SLOPE_RESOLUTION,
      'log mean s',
    ),
  ];
}
