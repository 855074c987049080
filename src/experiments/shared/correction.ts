/**
 * The choice of a mismatch correction, as settings that several experiments share. Contract: without sampler
 * log-probs, or with the choice `none`, there are no weights and every figure is what it was.
 */
import * as v from 'valibot';
import {
  CORRECTION_IDS,
  correctionEffect,
  type CorrectionEffect,
} from '../../math/diagnostics/corrections';
import { weighingOf, type Weighing } from '../../rollouts/correction';
import type { Rollouts } from '../../rollouts/rollouts';
import { choice, realOrNone } from '../../settings/setting';

export const correctionSchema = v.strictObject({
  id: choice(CORRECTION_IDS, 'none', { label: 'Correction for mismatch' }),
  low: realOrNone(0, 1e6, { label: 'Lower bound of the weight', hint: 'none: recommended' }),
  high: realOrNone(0, 1e6, { label: 'Upper bound of the weight', hint: 'none: recommended' }),
});
export type CorrectionSettings = v.InferOutput<typeof correctionSchema>;

export const NO_CORRECTION: CorrectionSettings = { id: 'none', low: null, high: null };

export interface AppliedCorrection extends Weighing {
  /** null where there are no weights */
  effect: CorrectionEffect | null;
}

/** What a page tells about it: everything but the weights themselves. */
export type CorrectionReport = Omit<AppliedCorrection, 'weights' | 'kept'>;

export function applyCorrection(
  rollouts: Rollouts,
  { id, low, high }: CorrectionSettings,
): AppliedCorrection {
  const weighing = weighingOf(rollouts, id, { low, high });
  const { weights } = weighing;
  return { ...weighing, effect: weights && correctionEffect(weights) };
}
