import * as v from 'valibot';
import { CLIPPED_IDS, GSPO_BAND } from '../../math/objectives/registry';
import { normalQuantile } from '../../math/stats/distributions';
import { correctionSchema } from '../shared/correction';

export const clippingSettingsSchema = v.strictObject({
  /** which ratios to map */
  objectives: v.pipe(v.array(v.picklist(CLIPPED_IDS)), v.minLength(1)),
  /** points of the epsilon axis, equal steps of the logarithm */
  gridPoints: v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(401)),
  gridLow: v.pipe(v.number(), v.finite(), v.minValue(1e-8), v.maxValue(1)),
  gridHigh: v.pipe(v.number(), v.finite(), v.minValue(1e-7), v.maxValue(100)),
  /** fixed band of the curve over length */
  low: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1)),
  high: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(100)),
  /** adaptive band: z sigma / sqrt(L) */
  z: v.pipe(v.number(), v.finite(), v.minValue(0.01), v.maxValue(10)),
  /** bins of length */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(64)),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type ClippingSettings = v.InferOutput<typeof clippingSettingsSchema>;
export const CLIPPING_DEFAULTS: ClippingSettings = {
  objectives: ['grpo', 'gspo'],
  gridPoints: 61,
  gridLow: 1e-5,
  gridHigh: 1,
  ...GSPO_BAND,
  z: Number(normalQuantile(0.975).toFixed(2)),
  bins: 8,
};
