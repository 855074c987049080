/**
 * Experiment `variance`: averaging over tokens shrinks the variance of the log weight like 1/L.
 *
 * Liu (2025): with independent tokens Var[log s | L] = sigma^2 / L, slope -1 in log-log. Beside it the
 * unnormalised weight, Var[log rho | L] = L sigma^2 (slope +1), and the token ratio, sigma^2 at every L
 * (slope 0). sigma^2 is the variance of d_t over the tokens of the same responses.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/settings';
import { varianceClaims } from './claims';
import { measureVariance } from './measure';
import { predictVariance, type PredictedVariance } from './predict';

export type VarianceResult = PredictedVariance & Verdicts;

export const variance = pipeline({
  schema: curveSettingsSchema,
  defaults: CURVE_DEFAULTS,
  measure: measureVariance,
  predict: predictVariance,
  claims: varianceClaims,
});
