/** Settings of the experiments that draw curves over length. */
import * as v from 'valibot';

export const curveSettingsSchema = v.strictObject({
  /** bins of natural length */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64)),
  /** longest prefix in tokens; 0 = the length that half of the responses reach */
  prefixLength: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(4096)),
  /** prefix lengths on the curve */
  prefixPoints: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64)),
});
export type CurveSettings = v.InferOutput<typeof curveSettingsSchema>;
export const CURVE_DEFAULTS: CurveSettings = { bins: 10, prefixLength: 0, prefixPoints: 12 };
