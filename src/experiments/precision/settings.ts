import * as v from 'valibot';
import { GSPO_BAND } from '../../math/objectives/registry';

export const precisionSettingsSchema = v.strictObject({
  /** clip band around 1 */
  low: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1)),
  high: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(100)),
  /** decimals to try beside the float formats */
  decimals: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(12))),
});
export type PrecisionSettings = v.InferOutput<typeof precisionSettingsSchema>;
export const PRECISION_DEFAULTS: PrecisionSettings = {
  low: GSPO_BAND.low,
  high: GSPO_BAND.high,
  decimals: [3, 4, 6],
};
