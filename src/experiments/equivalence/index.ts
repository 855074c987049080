/**
 * Experiment `equivalence`: the three forms of the sequence weight are one number.
 *
 * Liu (2025), the perplexity-entropy equivalence: (prod r_t)^(1/L) = PPL_old / PPL_theta
 * = exp(H_old - H_theta).
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { equivalenceClaims } from './claims';
import { measureEquivalence } from './measure';
import { predictEquivalence, type PredictedEquivalence } from './predict';
import { EQUIVALENCE_DEFAULTS, equivalenceSettingsSchema } from './settings';

export type { Deviation, EquivalencePoint, Form, UnderflowBin } from './measure';
export type EquivalenceResult = PredictedEquivalence & Verdicts;

export const equivalence = pipeline({
  schema: equivalenceSettingsSchema,
  defaults: EQUIVALENCE_DEFAULTS,
  measure: measureEquivalence,
  predict: predictEquivalence,
  claims: equivalenceClaims,
});
