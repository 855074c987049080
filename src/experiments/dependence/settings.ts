import * as v from 'valibot';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/curve-settings';

export const dependenceSettingsSchema = v.strictObject({
  ...curveSettingsSchema.entries,
  /** longest lag that is looked at, tokens */
  maxLag: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(512)),
});
export type DependenceSettings = v.InferOutput<typeof dependenceSettingsSchema>;
export const DEPENDENCE_DEFAULTS: DependenceSettings = { ...CURVE_DEFAULTS, maxLag: 48 };
