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
import { type Weighing, weighingOf } from '../../rollouts/correction';
import type { Rollouts } from '../../rollouts/rollouts';
import { choice, defaultsOf, realOrNone, whole } from '../../settings/setting';

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

/** bins of natural length that pages offer */
export const LENGTH_BINS = [6, 10, 16] as const;

/** Settings of the experiments that draw curves over length. */
export const curveSettingsSchema = v.strictObject({
  bins: whole(1, 64, 10, { label: 'Length bins' }),
  prefixLength: whole(0, 4096, 0, {
    label: 'Longest prefix',
    unit: 'tokens',
    hint: '0 is the length that half of the responses reach',
  }),
  prefixPoints: whole(1, 64, 12, { label: 'Prefix lengths' }),
});
export type CurveSettings = v.InferOutput<typeof curveSettingsSchema>;
export const CURVE_DEFAULTS: CurveSettings = defaultsOf(curveSettingsSchema);
