/**
 * Experiment `dependence`: what of sigma^2 / L fails where it fails? Var[log s | L] is taken apart into variance by
 * position, covariance between tokens, what a prompt does to all its responses, and a mean that depends on the length
 * (`math/stats/length-law.ts`). Each part is judged by its own name; the law of the parts is judged on prompts that it
 * was not fitted on, with the naive law beside it.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { dependenceClaims } from './claims';
import { measureDependence } from './measure';
import { predictDependence, type PredictedDependence } from './predict';
import { DEPENDENCE_DEFAULTS, dependenceSettingsSchema } from './settings';

export type { LagPoint } from './measure';
export type { Decomposition, LawCurve, LawPoint } from './predict';
export type DependenceResult = PredictedDependence & Verdicts;

export const dependence = pipeline({
  schema: dependenceSettingsSchema,
  defaults: DEPENDENCE_DEFAULTS,
  measure: measureDependence,
  predict: predictDependence,
  claims: dependenceClaims,
});
