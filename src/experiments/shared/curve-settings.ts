/** Settings of the experiments that draw curves over length. */
import * as v from 'valibot';
import { defaultsOf, whole } from '../../settings/setting';

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
