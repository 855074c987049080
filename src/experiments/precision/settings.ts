import * as v from 'valibot';
import { GSPO_BAND } from '../../math/objectives/registry';
import { real } from '../../settings/setting';

export const precisionSettingsSchema = v.strictObject({
  /** clip band around 1 */
  low: real(0, 1, GSPO_BAND.low, { label: 'ε low' }),
  high: real(0, 100, GSPO_BAND.high, { label: 'ε high' }),
  /** decimals to try beside the float formats */
  decimals: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(12))),
});
export type PrecisionSettings = v.InferOutput<typeof precisionSettingsSchema>;
export const PRECISION_DEFAULTS: PrecisionSettings = {
  low: GSPO_BAND.low,
  high: GSPO_BAND.high,
  decimals: [3, 4, 6],
};
