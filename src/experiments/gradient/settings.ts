import * as v from 'valibot';
import { OBJECTIVE_IDS } from '../../math/objectives/registry';
import { correctionSchema } from '../shared/correction';

export const gradientSettingsSchema = v.strictObject({
  objectives: v.pipe(v.array(v.picklist(OBJECTIVE_IDS)), v.minLength(1)),
  library: v.picklist(['trl', 'verl']),
  /** bins of length and of entropy */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64)),
  /** sequences shown as points */
  points: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(20_000)),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type GradientSettings = v.InferOutput<typeof gradientSettingsSchema>;
export const GRADIENT_DEFAULTS: GradientSettings = {
  objectives: ['grpo', 'dapo', 'gspo', 'luspo', 'cispo', 'gmpo', 'sapo', 'rloo'],
  library: 'trl',
  bins: 8,
  points: 2000,
};
