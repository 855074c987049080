import * as v from 'valibot';
import { epsilonText, GRPO_BAND, GSPO_BAND, LUSPO_BAND } from '../../math/objectives/registry';
import type { Band } from '../../math/objectives/types';
import { choice, real } from '../../settings/setting';

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
  decimals: [2, 3, 4, 5, 6],
};

const named = (band: Band) => ({
  name: `${epsilonText(band.low)} / ${epsilonText(band.high)}`,
  ...band,
});
/** bands that the page offers */
export const CLIP_BANDS = {
  gspo: named(GSPO_BAND),
  luspo: named(LUSPO_BAND),
  grpo: named(GRPO_BAND),
} as const;
export const clipBand = choice(['gspo', 'luspo', 'grpo'], 'gspo', { label: 'Clip band' });
