/**
 * Experiment `gradient`: who gets the gradient under each objective.
 *
 * d loss / d log pi(y_t) = -c_i A_i w_t g_t (coefficient, advantage, weight, gate; `math/objectives`). In
 * logit space the gradient at a position is that times (onehot(y_t) - p), whose norm is
 * sqrt(1 - 2 p_y + sum_v p_v^2): from the log-prob and the collision probability, no logits needed.
 *
 * The information-gain reading (Liu 2025): GSPO's weight of a response is exp(H_old - H_theta) of its
 * empirical cross-entropies; more weight where the new policy finds the response less surprising.
 *
 * A mismatch correction (`shared/settings.ts`) multiplies the gradient of each token in what is shown; the claims
 * are about the objectives themselves and do without it.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { gradientClaims } from './claims';
import { measureGradient } from './measure';
import { predictGradient, type PredictedGradient } from './predict';
import { GRADIENT_DEFAULTS, gradientSettingsSchema } from './settings';

export type { GradientPoint, ObjectiveGradient } from './measure';
export type GradientResult = PredictedGradient & Verdicts;

export const gradient = pipeline({
  schema: gradientSettingsSchema,
  defaults: GRADIENT_DEFAULTS,
  measure: measureGradient,
  predict: predictGradient,
  claims: gradientClaims,
});
