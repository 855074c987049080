/**
 * Experiment `dependence`: are tokens, and responses to one prompt, independent, as sigma^2 / L needs?
 *
 * If they were, the autocorrelation of d_t would be 0 at every lag and the intraclass correlation (ICC)
 * of log s among responses to one prompt would be 0. Where they are not, the corrected law
 * (`corrected-law.ts`) takes the place of the naive one; both are laid over the measured variance.
 *
 * ICC: one-way analysis of variance with prompts as groups, unequal sizes (Searle 1971); its interval is
 * that of log(MSB / MSW), which is Fisher's transform of the ICC, by studentised cluster bootstrap.
 */
import { pipeline } from '../shared/pipeline';
import { dependenceClaims, type DependenceVerdicts } from './claims';
import { measureDependence } from './measure';
import { predictDependence, type PredictedDependence } from './predict';
import { DEPENDENCE_DEFAULTS, dependenceSettingsSchema } from './settings';

export type { LagPoint } from './measure';
export type { Decomposition, LawCurve, LawPoint } from './predict';
export type DependenceResult = PredictedDependence & DependenceVerdicts;

export const dependence = pipeline({
  schema: dependenceSettingsSchema,
  defaults: DEPENDENCE_DEFAULTS,
  measure: measureDependence,
  predict: predictDependence,
  claims: dependenceClaims,
});
