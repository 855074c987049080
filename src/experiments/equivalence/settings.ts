import * as v from 'valibot';
import { defaultsOf, whole } from '../../settings/setting';

/** what the page offers */
export const HISTOGRAM_BINS = [24, 48, 96] as const;

export const equivalenceSettingsSchema = v.strictObject({
  bins: whole(1, 1000, 48, { label: 'Histogram bins' }),
});
export type EquivalenceSettings = v.InferOutput<typeof equivalenceSettingsSchema>;
export const EQUIVALENCE_DEFAULTS: EquivalenceSettings = defaultsOf(equivalenceSettingsSchema);
