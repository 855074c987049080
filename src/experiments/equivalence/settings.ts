import * as v from 'valibot';
import { defaultsOf, whole } from '../../settings/setting';

export const equivalenceSettingsSchema = v.strictObject({
  bins: whole(1, 1000, 60, { label: 'Histogram bins' }),
});
export type EquivalenceSettings = v.InferOutput<typeof equivalenceSettingsSchema>;
export const EQUIVALENCE_DEFAULTS: EquivalenceSettings = defaultsOf(equivalenceSettingsSchema);
