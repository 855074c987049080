import * as v from 'valibot';
import { CLIPPED_IDS, GSPO_BAND } from '../../math/objectives/registry';
import { normalQuantile } from '../../math/stats/distributions';
import { choice, defaultsOf, real, subset, whole } from '../../settings/setting';
import { correctionSchema } from '../shared/settings';

export const clippingSettingsSchema = v.strictObject({
  objectives: subset(CLIPPED_IDS, ['gspo', 'grpo'], { label: 'Objectives' }),
  /** whose ratio, ceiling and count; the other's, where it has no such objective */
  library: choice(['trl', 'verl'], 'trl', { label: 'Library' }),
  gridPoints: whole(2, 401, 61, {
    label: 'Points of the ε axis',
    hint: 'equal steps of the logarithm',
  }),
  gridLow: real(1e-8, 1, 1e-5, { label: 'Lowest ε' }),
  gridHigh: real(1e-7, 100, 1, { label: 'Highest ε' }),
  low: real(0, 1, GSPO_BAND.low, { label: 'ε low', hint: 'fixed band of the curve over length' }),
  high: real(0, 100, GSPO_BAND.high, { label: 'ε high' }),
  z: real(0.01, 10, Number(normalQuantile(0.975).toFixed(2)), {
    label: 'Adaptive band',
    hint: 'z of ε(L) = z σ / √L',
  }),
  bins: whole(2, 64, 8, { label: 'Length bins' }),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type ClippingSettings = v.InferOutput<typeof clippingSettingsSchema>;
export const CLIPPING_DEFAULTS: ClippingSettings = defaultsOf(clippingSettingsSchema);
