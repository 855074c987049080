import * as v from 'valibot';

export const equivalenceSettingsSchema = v.strictObject({
  /** of the histograms */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1000)),
});
export type EquivalenceSettings = v.InferOutput<typeof equivalenceSettingsSchema>;
export const EQUIVALENCE_DEFAULTS: EquivalenceSettings = { bins: 60 };
