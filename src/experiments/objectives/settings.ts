import * as v from 'valibot';
import { realOrNone } from '../../settings/setting';
import { correctionSchema } from '../shared/correction';

export const objectivesSettingsSchema = v.strictObject({
  /** band of the ratio-clipping objectives */
  low: realOrNone(0, 100, { label: 'ε low', hint: 'none: each library’s' }),
  high: realOrNone(0, 100, { label: 'ε high', hint: 'none: each library’s' }),
  /** Dr.GRPO's constant length; null = the longest response */
  length: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type ObjectivesSettings = v.InferOutput<typeof objectivesSettingsSchema>;
export const OBJECTIVES_DEFAULTS: ObjectivesSettings = { low: null, high: null, length: null };
