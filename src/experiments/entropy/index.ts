/**
 * Experiment `entropy`: how the policy's Shannon entropy changes, beside what the covariance of log-probs and logit change
 * predicts to first order (Hao et al. 2025; `math/entropy-change.ts`), and beside dH, the change of the cross-entropy that
 * s is the exponential of.
 *
 * Over tokens that pi_old drew: E[H_theta - H_old] = E[-(log pi_old(y_t) + H_old,t) d_t] to first order, for any pair. dH is
 * the mean of d_t, which is minus a Kullback-Leibler divergence: of second order, whatever the entropy does.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/settings';
import { entropyClaims } from './claims';
import { measureEntropy } from './measure';
import { predictEntropy, type PredictedEntropy } from './predict';

export type { EntropyBin, EntropyMeasure } from './predict';
export type EntropyResult = PredictedEntropy & Verdicts;

export const entropy = pipeline({
  schema: curveSettingsSchema,
  defaults: CURVE_DEFAULTS,
  measure: measureEntropy,
  predict: predictEntropy,
  claims: entropyClaims,
});
