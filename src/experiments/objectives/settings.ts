import * as v from 'valibot';
import { correctionSchema } from '../shared/correction';

const epsilon = v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(100)));
export const objectivesSettingsSchema = v.strictObject({
  /** band of the ratio-clipping objectives; null = each library's own */
  low: epsilon,
  high: epsilon,
  /** Dr.GRPO's constant length; null = the longest response */
  length: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type ObjectivesSettings = v.InferOutput<typeof objectivesSettingsSchema>;

export const OBJECTIVES_DEFAULTS: ObjectivesSettings = { low: null, high: null, length: null };
