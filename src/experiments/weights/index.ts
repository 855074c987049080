/**
 * Experiment `weights`: what the weights are like outside the log domain, where the paper stops.
 *
 * Were d_t independent and normal with mean mu and variance sigma^2, s would be log-normal with
 * (mu, sigma^2/L) and rho with (L mu, L sigma^2), hence Var = (e^v - 1) e^(2m + v), an effective sample size
 * of n e^-v, and kurtosis 3 of the log weight. Measured beside it, over natural lengths and over prefixes
 * of the same responses, with the Pareto shape k-hat of the largest weights. The unnormalised weight
 * stops being usable where its effective share falls under USABLE_SHARE: predicted ln 2 / sigma^2 tokens.
 *
 * Verdicts (`verdict.ts`): a number fails when its 95 % interval excludes the prediction, holds when it
 * contains it and is narrow enough, else too few. Intervals of Var[rho] and of its effective share rest
 * on the largest few weights: where k-hat > 0.7 they are too optimistic, and `reliable` says so.
 */
import type * as v from 'valibot';
import {
  ClusterBootstrap,
  newClusterSums,
  transformed,
  type Estimate,
} from '../../math/stats/clusters';
import { logNormalParetoK, paretoTail, USABLE_K, type ParetoTail } from '../../math/stats/pareto';
import { logEffectiveShare, logKurtosis, logVariance } from '../../math/stats/statistics';
import { variance as sampleVariance } from '../../math/stats/moments';
import { sequenceCount } from '../../rollouts/rollouts';
import {
  naturalCurve,
  prefixCurve,
  prefixLimit,
  prepare,
  type Curve,
  type CurvePoint,
  type Prepared,
} from '../shared/curves';
import type { Claim, Experiment } from '../experiment';
import { checkRollouts, sequenceMeans, stage } from '../shared/input';
import { curveSettingsSchema, CURVE_DEFAULTS } from '../variance';
import { BOOTSTRAP_METHOD, numberClaim } from '../shared/verdict';

/** Below this effective sample size over n, half of the responses are wasted. */
export const USABLE_SHARE = 0.5;
export const KURTOSIS_RESOLUTION = 0.5;
export const SHARE_RESOLUTION = 0.1;
export const PARETO_RESOLUTION = 0.35;

export const weightsSettingsSchema = curveSettingsSchema;
export type WeightsSettings = v.InferOutput<typeof weightsSettingsSchema>;

/** One weight (s or rho) at one length, beside its log-normal prediction. */
export interface WeightMeasurement {
  variance: number;
  varianceInterval: [number, number] | null;
  predictedVariance: number;
  /** effective sample size over n, (sum w)^2 / (n sum w^2) */
  effectiveShare: number;
  shareInterval: [number, number] | null;
  predictedShare: number;
  pareto: ParetoTail;
  predictedParetoK: number;
  /** false where k-hat > 0.7 or unknown: variance, share and their intervals are not to be trusted */
  reliable: boolean;
}

export interface WeightsPoint {
  length: number;
  minLength: number;
  maxLength: number;
  sequences: number;
  sequence: WeightMeasurement;
  unnormalised: WeightMeasurement;
  /** excess kurtosis of log s in this point; 0 for a normal */
  excessKurtosis: number;
}

export interface WeightsCurve {
  kind: Curve['kind'];
  points: WeightsPoint[];
}

export interface WeightsResult {
  sequences: number;
  /** moments of d_t that the predictions use */
  mu: number;
  sigma2: number;
  natural: WeightsCurve;
  prefix: WeightsCurve;
  /** excess kurtosis of sqrt(L) (log s - mean) over all responses */
  excessKurtosis: Estimate;
  /** length at which the effective share of rho falls under USABLE_SHARE, tokens; null: not reached */
  usableLength: number | null;
  predictedUsableLength: number;
  claims: Claim[];
}

export const weights: Experiment<WeightsSettings, WeightsResult> = {
  id: 'weights',
  title: 'The weights themselves',
  question: 'How heavy are the tails of s and of the unnormalised weight, and when is each usable?',
  defaults: CURVE_DEFAULTS,

  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const data = prepare(rollouts);
    const bootstrap = new ClusterBootstrap(context);
    const sigma2 = sampleVariance(data.centered);
    const limit = prefixLimit(data.lengths, settings.prefixLength);
    await stage(context, 0.1);
    const curves: WeightsCurve[] = [];
    for (const curve of [
      naturalCurve(data, settings.bins),
      prefixCurve(data, limit, settings.prefixPoints),
    ]) {
      const points: WeightsPoint[] = [];
      for (const point of curve.points) {
        points.push(weightsPoint(data, point, sigma2, bootstrap));
        await stage(context, 0.1 + 0.4 * (curves.length + points.length / curve.points.length));
      }
      curves.push({ kind: curve.kind, points });
    }
    const [natural, prefix] = curves as [WeightsCurve, WeightsCurve];
    const excessKurtosis = standardisedKurtosis(data, bootstrap);
    await stage(context, 1);
    const crossing = crossingEstimate(prefix.points);
    return {
      sequences: sequenceCount(rollouts),
      mu: data.center,
      sigma2,
      natural,
      prefix,
      excessKurtosis,
      usableLength: crossing?.estimate ?? null,
      predictedUsableLength: -Math.log(USABLE_SHARE) / sigma2,
      claims: claimsOf(sequenceCount(rollouts), sigma2, prefix.points, excessKurtosis, crossing),
    };
  },
};

function weightsPoint(
  data: Prepared,
  point: CurvePoint,
  sigma2: number,
  bootstrap: ClusterBootstrap,
): WeightsPoint {
  const { length, minLength, maxLength, sequences } = point;
  const meanLength = point.lengths.reduce((sum, own) => sum + own, 0) / sequences;
  const logS = point.values.map((x) => x + data.center);
  const logRho = logS.map((x, row) => x * (point.lengths[row] as number));
  const measure = (logWeights: Float64Array, mean: number, variance: number): WeightMeasurement =>
    weightMeasurement(data, point, logWeights, { mean, variance }, bootstrap);
  return {
    length,
    minLength,
    maxLength,
    sequences,
    sequence: measure(logS, data.center, sigma2 / length),
    unnormalised: measure(logRho, meanLength * data.center, meanLength * sigma2),
    excessKurtosis:
      Math.exp(bootstrap.value(powerSums(data, point.members, point.values), logKurtosis)) - 3,
  };
}

/** @param law mean and variance of the log weight as predicted */
function weightMeasurement(
  data: Prepared,
  point: CurvePoint,
  logWeights: Float64Array,
  law: { mean: number; variance: number },
  bootstrap: ClusterBootstrap,
): WeightMeasurement {
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
    const g = data.cluster[point.members[row] as number] as number;
    const w = Math.exp((logWeights[row] as number) - origin);
    const x = Math.expm1((logWeights[row] as number) - origin);
    count[g] = (count[g] as number) + 1;
    sum[g] = (sum[g] as number) + x;
    squares[g] = (squares[g] as number) + x * x;
    weightSum[g] = (weightSum[g] as number) + w;
    weightSquares[g] = (weightSquares[g] as number) + w * w;
  }
  const variance = transformed(bootstrap.estimate(spread, logVariance), (log) =>
    Math.exp(log + 2 * origin),
  );
  const share = transformed(bootstrap.estimate(size, logEffectiveShare), Math.exp);
  const pareto = paretoTail(logWeights);
  return {
    variance: variance.estimate,
    varianceInterval: variance.interval,
    predictedVariance: Math.expm1(law.variance) * Math.exp(2 * law.mean + law.variance),
    effectiveShare: share.estimate,
    shareInterval: share.interval && [share.interval[0], Math.min(1, share.interval[1])],
    predictedShare: Math.exp(-law.variance),
    pareto,
    predictedParetoK: logNormalParetoK(n, law.variance),
    reliable: pareto.k <= USABLE_K,
  };
}

/** Per prompt: (n, S1, S2, S3, S4). */
function powerSums(data: Prepared, members: ArrayLike<number>, values: Float64Array) {
  const sums = newClusterSums(data.prompts, 5);
  // unit variance first: fourth powers of 1e-4 leave the digits that matter
  const scale = 1 / Math.sqrt(sampleVariance(values));
  for (let row = 0; row < values.length; row++) {
    const g = data.cluster[members[row] as number] as number;
    const x = (values[row] as number) * scale;
    let power = 1;
    for (const column of sums.columns) {
      column[g] = (column[g] as number) + power;
      power *= x;
    }
  }
  return sums;
}

/** Of sqrt(L) (log s - mean): under the law all lengths then have one variance. */
function standardisedKurtosis(data: Prepared, bootstrap: ClusterBootstrap): Estimate {
  const values = sequenceMeans(data.centered, data.rollouts.offsets).map(
    (x, i) => x * Math.sqrt(data.lengths[i] as number),
  );
  const all = Uint32Array.from(data.lengths.keys());
  return transformed(
    bootstrap.estimate(powerSums(data, all, values), logKurtosis),
    (log) => Math.exp(log) - 3,
  );
}

/** Length at which a curve of shares first falls under USABLE_SHARE, linear in log length. */
function crossingOf(
  points: readonly WeightsPoint[],
  share: (point: WeightMeasurement) => number | undefined,
): number | null {
  for (let b = 0; b < points.length; b++) {
    const own = points[b] as WeightsPoint;
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
function crossingEstimate(points: readonly WeightsPoint[]): Estimate | null {
  const estimate = crossingOf(points, (w) => w.effectiveShare);
  if (estimate === null) return null;
  const low = crossingOf(points, (w) => w.shareInterval?.[0]);
  const high = crossingOf(points, (w) => w.shareInterval?.[1]);
  return {
    estimate,
    standardError: NaN,
    interval: low !== null && high !== null ? [low, high] : null,
    clusters: 0,
  };
}

function claimsOf(
  sequences: number,
  sigma2: number,
  prefixes: readonly WeightsPoint[],
  kurtosis: Estimate,
  crossing: Estimate | null,
): Claim[] {
  const last = prefixes.at(-1);
  const rho = last?.unnormalised;
  const s = last?.sequence;
  const at = last ? ` at ${last.length} tokens` : '';
  const usable = -Math.log(USABLE_SHARE) / sigma2;
  const n = last?.sequences ?? 0;
  const shareClaim = (id: string, name: string, own: WeightMeasurement | undefined): Claim =>
    numberClaim({
      id,
      claim: `The effective sample size of ${name} over n is that of a log-normal${at}.`,
      prediction: own?.predictedShare ?? NaN,
      estimate: own
        ? {
            estimate: own.effectiveShare,
            standardError: NaN,
            interval: own.shareInterval,
            clusters: 0,
          }
        : null,
      n,
      nOf: 'sequences',
      resolution: SHARE_RESOLUTION,
      method: `(sum w)^2 / (n sum w^2) over prefixes of equal length. ${BOOTSTRAP_METHOD}`,
    });
  return [
    numberClaim({
      id: 'weights.kurtosis',
      claim: 'The log weight is normal once its length is taken out: excess kurtosis 0.',
      prediction: 0,
      estimate: kurtosis,
      n: sequences,
      nOf: 'sequences',
      resolution: KURTOSIS_RESOLUTION,
      method: `Excess kurtosis of sqrt(L) (log s - mean). ${BOOTSTRAP_METHOD}`,
    }),
    shareClaim('weights.sequence-share', 's', s),
    shareClaim('weights.unnormalised-share', 'the unnormalised weight', rho),
    numberClaim({
      id: 'weights.usable-length',
      claim: `The unnormalised weight wastes half of the responses from ln 2 / sigma^2 tokens on.`,
      prediction: usable,
      estimate: crossing,
      n: prefixes.length,
      nOf: 'lengths',
      resolution: usable / 2,
      method:
        'Length at which its effective share falls under 0.5; the interval is where the ends of the ' +
        "shares' 95 % intervals do.",
    }),
    numberClaim({
      id: 'weights.pareto',
      claim: `The tail of the unnormalised weight is that of a log-normal${at} (Pareto k-hat).`,
      prediction: rho?.predictedParetoK ?? NaN,
      estimate: rho
        ? {
            estimate: rho.pareto.k,
            standardError: rho.pareto.standardError,
            interval: Number.isFinite(rho.pareto.k)
              ? [
                  rho.pareto.k - 1.96 * rho.pareto.standardError,
                  rho.pareto.k + 1.96 * rho.pareto.standardError,
                ]
              : null,
            clusters: 0,
          }
        : null,
      n: rho?.pareto.tail ?? 0,
      nOf: 'sequences',
      resolution: PARETO_RESOLUTION,
      method:
        'Generalised Pareto fit to the largest weights (Zhang & Stephens 2009), asymptotic interval ' +
        'for independent responses.',
    }),
  ];
}
