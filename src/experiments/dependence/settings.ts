import * as v from 'valibot';
import { defaultsOf, whole } from '../../settings/setting';
import { curveSettingsSchema } from '../shared/settings';

export const dependenceSettingsSchema = v.strictObject({
  ...curveSettingsSchema.entries,
  maxLag: whole(1, 512, 48, { label: 'Longest lag', unit: 'tokens' }),
});
export type DependenceSettings = v.InferOutput<typeof dependenceSettingsSchema>;
export const DEPENDENCE_DEFAULTS: DependenceSettings = defaultsOf(dependenceSettingsSchema);
