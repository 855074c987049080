/**
 * Experiment `weights`: what the weights are like outside the log domain, where the paper stops.
 *
 * Were d_t independent and normal with mean mu and variance sigma^2, s would be log-normal with
 * (mu, sigma^2/L) and rho with (L mu, L sigma^2), hence Var = (e^v - 1) e^(2m + v), an effective sample size
 * of n e^-v, and kurtosis 3 of the log weight. Measured beside it, over natural lengths and over prefixes
 * of the same responses, with the Pareto shape k-hat of the largest weights. The unnormalised weight
 * stops being usable where its effective share falls under USABLE_SHARE: predicted ln 2 / sigma^2 tokens.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/settings';
import { weightsClaims } from './claims';
import { measureWeights } from './measure';
import { predictWeights, type PredictedWeights } from './predict';

export type { WeightMeasurement, WeightsCurve, WeightsPoint } from '../shared/weight-curve';
export type WeightsResult = PredictedWeights & Verdicts;

export const weights = pipeline({
  schema: curveSettingsSchema,
  defaults: CURVE_DEFAULTS,
  measure: measureWeights,
  predict: predictWeights,
  claims: weightsClaims,
});
