/**
 * Measured against predicted variance along one curve: points, slopes, level, each with its interval; shared by
 * `variance` and by `mismatch`, which asks the same of another pair of policies.
 *
 * Points are for the eye. Slopes and level rest on all responses, not on the points (`math/stats/averaging.ts`):
 * slopes by estimating equations, the level as a quotient of sums. Contract: one jackknife carries the dependence
 * between measurement and prediction (sigma^2 comes from the same tokens).
 */
import type { Measured } from '../../math/stats/anytime';
import {
  averagingSums,
  lengthCurve,
  logLevel,
  prefixMomentCurve,
  tokenCurve,
  type MomentCurve,
} from '../../math/stats/averaging';
import { joinSums, type ClusterSums } from '../../math/stats/clusters';
import { transformed, type Estimate, type PromptIntervals } from '../../math/stats/intervals';
import { jackknifeOf } from '../../math/stats/jackknife';
import { describeResponses } from '../../math/stats/responses';
import { combination, logVariance, logVarianceAt } from '../../math/stats/statistics';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from './settings';
import {
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

/** What the claims judge, each on its working scale. */
export interface VarianceInference {
  slope: Measured;
  /** log of the level */
  level: Measured;
  /** null without a cohort */
  prefixSlope: Measured | null;
  tokenSlope: Measured;
}

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
  /** measured over predicted Var[log s], over all responses of the curve; null without points */
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
  /** of Var[log s] over sigma^2 / L; null without points */
  level: Estimate | null;
}

/** Both curves, the responses behind the second, and what claims judge. */
export async function measureVarianceCurves(
  data: Prepared,
  settings: CurveSettings,
  intervals: PromptIntervals,
  context: ExperimentContext,
): Promise<{
  natural: MeasuredVarianceCurve;
  prefix: MeasuredVarianceCurve;
  cohort: Curve;
  inference: VarianceInference;
  /** [n] log s less what its length explains */
  values: Float64Array;
}> {
  const { rollouts, centered, cluster, prompts, lengths } = data;
  const bins = naturalCurve(data, settings.bins);
  const cohort = prefixCurve(
    data,
    prefixLimit(lengths, settings.prefixLength),
    settings.prefixPoints,
  );
  const responses = describeResponses(centered, rollouts.offsets, cluster, prompts);
  await stage(context, 0.1);
  const sloped = (curve: MomentCurve) => ({ curve, slope: jackknifeOf(curve.sums, curve.slope) });
  const whole = sloped(lengthCurve(responses));
  const token = sloped(tokenCurve(responses));
  const cuts = judgedPrefixes(data, settings.prefixLength);
  const cut = cuts.length > 1 ? sloped(prefixMomentCurve(responses, cuts)) : null;
  const level = jackknifeOf(averagingSums(responses), logLevel);
  await stage(context, 0.3);
  const natural = await measureVarianceCurve(data, bins, intervals, () => stage(context, 0.5));
  await stage(context, 0.6);
  const prefix = await measureVarianceCurve(data, cohort, intervals, () => stage(context, 0.8));
  const fitted = ({ curve, slope }: ReturnType<typeof sloped>, tilt = 0): MeasuredSlope | null => {
    const totals = curve.sums.columns.map((column) => column.reduce((a, b) => a + b, 0));
    const line = curve.line(totals);
    if (line === null) return null;
    const { interval } = intervals.around(slope);
    return {
      slope: slope.estimate + tilt,
      intercept: line.intercept,
      interval: interval && [interval[0] + tilt, interval[1] + tilt],
    };
  };
  return {
    natural: {
      ...natural,
      level: bins.points.length > 0 ? transformed(intervals.around(level), Math.exp) : null,
      // log rho = L log s: its variance is L^2 times that of log s, its slope the same plus 2
      slopes: { sequence: fitted(whole), unnormalised: fitted(whole, 2), token: fitted(token) },
    },
    prefix: {
      ...prefix,
      level: prefixLevel(data, cohort, intervals),
      slopes: {
        sequence: cut && fitted(cut),
        unnormalised: cut && fitted(cut, 2),
        token: null,
      },
    },
    cohort,
    inference: {
      slope: whole.slope,
      level,
      prefixSlope: cut && cut.slope,
      tokenSlope: token.slope,
    },
    values: responses.values,
  };
}

/** Prefixes shorter than the longest over this are drawn and not judged. */
const JUDGED_SPAN = 8;
const JUDGED_POINTS = 64;

/**
 * The prefixes that the slope rests on, whatever is drawn: all lengths (64 of them where there are more) from an eighth
 * of the longest on. The variance of one or two spiky tokens is known from a handful of spikes, and an interval that
 * leans on it covers in 84 to 88 of 100 clean runs; without them in 95 (kurtosis 250, 64 prompts x 8, 1,200 runs).
 */
function judgedPrefixes(data: Prepared, requested: number): CurvePoint[] {
  const limit = prefixLimit(data.lengths, requested);
  return prefixCurve(data, limit, JUDGED_POINTS).points.filter(
    ({ length }) => length * JUDGED_SPAN >= limit,
  );
}

/** The level of the cohort, its responses cut at the longest prefix. */
function prefixLevel(
  { rollouts, centered, cluster, prompts }: Prepared,
  curve: Curve,
  intervals: PromptIntervals,
): Estimate | null {
  const last = curve.points.at(-1);
  if (!last) return null;
  const limit = last.maxLength;
  const cut = new Float64Array(last.members.length * limit);
  last.members.forEach((i, row) => {
    const start = rollouts.offsets[i];
    cut.set(centered.subarray(start, start + limit), row * limit);
  });
  const offsets = Uint32Array.from({ length: last.members.length + 1 }, (_, row) => row * limit);
  const own = last.members.map((i) => cluster[i]);
  const level: Measured = jackknifeOf(
    averagingSums(describeResponses(cut, offsets, own, prompts)),
    logLevel,
  );
  return transformed(intervals.around(level), Math.exp);
}

/** @param betweenPoints awaited between points, so that the worker can answer messages */
async function measureVarianceCurve(
  data: Prepared,
  curve: Curve,
  intervals: PromptIntervals,
  betweenPoints: () => Promise<void>,
): Promise<Pick<MeasuredVarianceCurve, 'kind' | 'points' | 'tokenVariance'>> {
  const { kind, tokens } = curve;
  if (curve.points.length === 0) return { kind, points: [], tokenVariance: null };
  const points: MeasuredPoint[] = [];
  for (const point of curve.points) {
    const { minLength, maxLength, length, sequences, prompts } = point;
    const token = kind === 'natural' ? tokenSums(data, point.members, Infinity) : null;
    const unnormalised = momentSums(data, point, (value, l) => value * l);
    points.push({
      minLength,
      maxLength,
      length,
      meanLength: point.lengths.reduce((sum, l) => sum + l, 0) / sequences,
      sequences,
      prompts,
      sequence: varianceEstimate(intervals, momentSums(data, point), tokens),
      unnormalised: varianceEstimate(intervals, unnormalised, tokens),
      token: token && varianceEstimate(intervals, token, tokens),
    });
    await betweenPoints();
  }
  return {
    kind,
    points,
    tokenVariance: transformed(intervals.estimate(tokens, logVariance), Math.exp),
  };
}

function varianceEstimate(
  intervals: PromptIntervals,
  sums: ClusterSums,
  tokens: ClusterSums,
): VarianceEstimate {
  const quotient = combination([
    { weight: 1, of: logVarianceAt(0) },
    { weight: -1, of: logVarianceAt(3) },
  ]);
  return {
    variance: transformed(intervals.estimate(sums, logVariance), Math.exp),
    logOverTokens: intervals.estimate(joinSums(sums, tokens), quotient),
  };
}

export const PREDICTED_SLOPES = { sequence: -1, unnormalised: 1, token: 0 } as const;

/** Independent tokens: Var[log s] = sigma^2 / L, Var[log rho] = L sigma^2, Var[log r] = sigma^2. */
export function predictVarianceCurve(measured: MeasuredVarianceCurve): VarianceCurve {
  const { kind, tokenVariance, slopes, level } = measured;
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
    level,
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
