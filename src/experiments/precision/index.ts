/** Experiment `precision`: what rounding log-probs does to the sequence weight and to the clip decision. */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { precisionClaims } from './claims';
import { measurePrecision } from './measure';
import { predictPrecision, type PredictedPrecision } from './predict';
import { PRECISION_DEFAULTS, precisionSettingsSchema } from './settings';

export type { PrecisionRow } from './predict';
export type PrecisionResult = PredictedPrecision & Verdicts;

export const precision = pipeline({
  schema: precisionSettingsSchema,
  defaults: PRECISION_DEFAULTS,
  measure: measurePrecision,
  predict: predictPrecision,
  claims: precisionClaims,
});
