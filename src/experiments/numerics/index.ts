/**
 * Experiment `numerics`: one model in two arithmetics (q4 beside fp32, fp16 beside fp32). The weights are the same, so
 * every difference of the log-probs is rounding: the mismatch that a trainer fights whose sampler is quantised.
 *
 * With d_t = log pi_theta(y_t) - log pi_old(y_t): bias and spread of a token; rho = exp(sum_t d_t), whose effective
 * sample falls like exp(-L sigma^2); s, which averages the noise away like sigma^2 / L but keeps the bias; and the share
 * of responses outside GSPO's band, though nobody has trained anything.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/settings';
import { numericsClaims } from './claims';
import { measureNumerics } from './measure';
import { predictNumerics, type PredictedNumerics } from './predict';

export type { ClipPoint, NumericsMeasure } from './predict';
export type NumericsResult = PredictedNumerics & Verdicts;

export const numerics = pipeline({
  schema: curveSettingsSchema,
  defaults: CURVE_DEFAULTS,
  measure: measureNumerics,
  predict: predictNumerics,
  claims: numericsClaims,
});
