/**
 * Experiment `variance`: averaging over tokens shrinks the variance of the log weight like 1/L.
 *
 * Liu (2025): with independent tokens Var[log s | L] = sigma^2 / L, slope -1 in log-log. Beside it the
 * unnormalised weight, Var[log rho | L] = L sigma^2 (slope +1), and the token ratio, sigma^2 at every L
 * (slope 0). sigma^2 is the variance of d_t over the tokens of the same responses.
 *
 * Two curves: bins of natural length (different responses, as they come) and prefixes of one cohort
 * (the same responses cut at k, so only the length differs).
 *
 * Verdicts (`verdict.ts`): a slope fails when its 95 % interval excludes the prediction, holds when it
 * contains it with a half-width of at most SLOPE_RESOLUTION; the level, measured over predicted variance
 * averaged over the points (geometric mean, weighted by responses), likewise around 1 with
 * LEVEL_RESOLUTION; too few otherwise.
 */
import * as v from 'valibot';
import type { Kernels } from '../../math/kernels';
import { ClusterBootstrap } from '../../math/stats/clusters';
import { sequenceCount, tokenCount } from '../../rollouts/rollouts';
import {
  naturalCurve,
  prefixCurve,
  prefixLimit,
  prepare,
  type Curve,
  type Prepared,
} from '../shared/curves';
import type { Claim, Experiment } from '../experiment';
import { checkRollouts, stage } from '../shared/input';
import { measureCurve, type FittedSlope, type VarianceCurve } from '../shared/variance-curve';
import { BOOTSTRAP_METHOD, numberClaim } from '../shared/verdict';

export const SLOPE_RESOLUTION = 0.2;
export const LEVEL_RESOLUTION = 0.2;

export const curveSettingsSchema = v.strictObject({
  /** bins of natural length */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64)),
  /** longest prefix in tokens; 0 = the length that half of the responses reach */
  prefixLength: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(4096)),
  /** prefix lengths on the curve */
  prefixPoints: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64)),
});
export type VarianceSettings = v.InferOutput<typeof curveSettingsSchema>;
export const varianceSettingsSchema = curveSettingsSchema;
export const CURVE_DEFAULTS: VarianceSettings = { bins: 10, prefixLength: 0, prefixPoints: 12 };

export interface VarianceResult {
  sequences: number;
  tokens: number;
  prompts: number;
  natural: VarianceCurve;
  prefix: VarianceCurve;
  /** Var[log s] at every prefix length 1 .. limit of the cohort, from the kernels, nats^2 */
  prefixLine: Float64Array;
  claims: Claim[];
}

export const variance: Experiment<VarianceSettings, VarianceResult> = {
  id: 'variance',
  title: 'Variance against length',
  question: 'Does the variance of the log weight fall like one over the length of the response?',
  defaults: CURVE_DEFAULTS,

  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const data = prepare(rollouts);
    const bootstrap = new ClusterBootstrap(context);
    await stage(context, 0.1);
    const naturalPoints = naturalCurve(data, settings.bins);
    const limit = prefixLimit(data.lengths, settings.prefixLength);
    const prefixPoints = prefixCurve(data, limit, settings.prefixPoints);
    await stage(context, 0.2);
    const natural = await measureCurve(data, naturalPoints, bootstrap, () => stage(context, 0.4));
    await stage(context, 0.6);
    const prefix = await measureCurve(data, prefixPoints, bootstrap, () => stage(context, 0.8));
    const prefixLine = await prefixVariances(data, prefixPoints, context.kernels);
    await stage(context, 1);
    return {
      sequences: sequenceCount(rollouts),
      tokens: tokenCount(rollouts),
      prompts: data.prompts,
      natural,
      prefix,
      prefixLine,
      claims: claimsOf(natural, prefix),
    };
  },
};

/** The whole prefix curve, one value per token, by the kernels; empty without a cohort. */
async function prefixVariances(
  { rollouts, centered }: Prepared,
  curve: Curve,
  kernels: Kernels,
): Promise<Float64Array> {
  const last = curve.points.at(-1);
  if (!last) return new Float64Array(0);
  const limit = last.maxLength;
  const offsets = new Uint32Array(last.members.length + 1);
  const ratios = new Float64Array(last.members.length * limit);
  last.members.forEach((i, row) => {
    const start = rollouts.offsets[i] as number;
    ratios.set(centered.subarray(start, start + limit), row * limit);
    offsets[row + 1] = (row + 1) * limit;
  });
  const { count, m2 } = await kernels.prefixMoments(ratios, offsets, limit);
  return Float64Array.from(m2, (squares, k) => squares / ((count[k] as number) - 1));
}

const SENTENCES = {
  'natural.sequence': 'Var[log s] falls like 1/L over responses of different lengths: slope -1.',
  'prefix.sequence': 'Var[log s] falls like 1/L when the same responses are cut at L: slope -1.',
  'natural.unnormalised': 'Var[log rho] of the unnormalised weight grows like L: slope +1.',
  'natural.token': 'The variance of token log-ratios does not depend on the length: slope 0.',
} as const;

function slopeClaim(
  id: string,
  sentence: string,
  fitted: FittedSlope | null,
  prediction: number,
  curve: VarianceCurve,
): Claim {
  return numberClaim({
    id,
    claim: sentence,
    prediction,
    estimate: fitted && {
      estimate: fitted.slope,
      standardError: NaN,
      interval: fitted.interval,
      clusters: 0,
    },
    n: curve.points.length,
    nOf: 'lengths',
    resolution: SLOPE_RESOLUTION,
    method: `Slope of log variance on log length, weighted by responses. ${BOOTSTRAP_METHOD}`,
  });
}

function levelClaim(id: string, sentence: string, curve: VarianceCurve): Claim {
  return numberClaim({
    id,
    claim: sentence,
    prediction: 1,
    estimate: curve.level,
    n: totalSequences(curve),
    nOf: 'sequences',
    resolution: LEVEL_RESOLUTION,
    method: `Measured over predicted variance, geometric mean over the lengths. ${BOOTSTRAP_METHOD}`,
  });
}

/** Bins hold different responses, prefixes the same ones. */
function totalSequences(curve: VarianceCurve): number {
  if (curve.kind === 'prefix') return curve.points[0]?.sequences ?? 0;
  return curve.points.reduce((sum, point) => sum + point.sequences, 0);
}

function claimsOf(natural: VarianceCurve, prefix: VarianceCurve): Claim[] {
  return [
    slopeClaim(
      'variance.slope',
      SENTENCES['natural.sequence'],
      natural.slopes.sequence,
      -1,
      natural,
    ),
    levelClaim(
      'variance.level',
      'Var[log s] is sigma^2 / L with the sigma^2 of the tokens, over natural lengths.',
      natural,
    ),
    slopeClaim(
      'variance.prefix-slope',
      SENTENCES['prefix.sequence'],
      prefix.slopes.sequence,
      -1,
      prefix,
    ),
    levelClaim(
      'variance.prefix-level',
      'Var[log s] is sigma^2 / L with the sigma^2 of the tokens, over prefixes of the same responses.',
      prefix,
    ),
    slopeClaim(
      'variance.unnormalised-slope',
      SENTENCES['natural.unnormalised'],
      natural.slopes.unnormalised,
      1,
      natural,
    ),
    slopeClaim(
      'variance.token-slope',
      SENTENCES['natural.token'],
      natural.slopes.token,
      0,
      natural,
    ),
  ];
}
