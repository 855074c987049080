/**
 * The choice of a mismatch correction, as settings that several experiments share. Contract: without sampler
 * log-probs, or with the choice `none`, there are no weights and every figure is what it was.
 */
import * as v from 'valibot';
import {
  CORRECTION_IDS,
  correctionEffect,
  correctionWeights,
  keptBy,
  type CorrectionEffect,
} from '../../math/diagnostics/corrections';
import { choice, realOrNone } from '../../settings/setting';
import { tokenCount, type Rollouts } from '../../rollouts/rollouts';

export const correctionSchema = v.strictObject({
  id: choice(CORRECTION_IDS, 'none', { label: 'Correction for mismatch' }),
  low: realOrNone(0, 1e6, { label: 'Lower bound of the weight', hint: 'none: recommended' }),
  high: realOrNone(0, 1e6, { label: 'Upper bound of the weight', hint: 'none: recommended' }),
});
export type CorrectionSettings = v.InferOutput<typeof correctionSchema>;

export const NO_CORRECTION: CorrectionSettings = { id: 'none', low: null, high: null };

export interface AppliedCorrection {
  /** false: the rollouts carry no sampler log-probs, so there is nothing to correct */
  available: boolean;
  /** [tokens]; null = every weight is 1 */
  weights: Float64Array | null;
  /** [tokens] 0 = rejected, out of every mean; null where nothing is */
  kept: Uint8Array | null;
  /** null where there are no weights */
  effect: CorrectionEffect | null;
}

/** What a page tells about it: everything but the weights themselves. */
export type CorrectionReport = Omit<AppliedCorrection, 'weights' | 'kept'>;

export function applyCorrection(
  rollouts: Rollouts,
  { id, low, high }: CorrectionSettings,
): AppliedCorrection {
  // A response whose sampler is not known stays as it is: weight 1.
  const logpSampler = rollouts.logpSampler?.map((x, t) =>
    Number.isNaN(x) ? (rollouts.logpOld[t] as number) : x,
  );
  const available = logpSampler !== undefined && tokenCount(rollouts) > 0;
  if (!available || id === 'none') return { available, weights: null, kept: null, effect: null };
  const weights = correctionWeights({ ...rollouts, logpSampler }, id, { low, high });
  return { available, weights, kept: keptBy(id, weights), effect: correctionEffect(weights) };
}
