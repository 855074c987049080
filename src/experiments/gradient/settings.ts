import * as v from 'valibot';
import { OBJECTIVE_IDS } from '../../math/objectives/registry';
import { choice, defaultsOf, subset, whole } from '../../settings/setting';
import { correctionSchema } from '../shared/settings';

export const gradientSettingsSchema = v.strictObject({
  objectives: subset(OBJECTIVE_IDS, ['gspo', 'grpo', 'dapo', 'rloo'], { label: 'Objectives' }),
  library: choice(['trl', 'verl'], 'trl', { label: 'Library' }),
  bins: whole(1, 64, 8, { label: 'Bins of length and of entropy' }),
  points: whole(0, 20_000, 1500, { label: 'Responses shown as points' }),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type GradientSettings = v.InferOutput<typeof gradientSettingsSchema>;
export const GRADIENT_DEFAULTS: GradientSettings = defaultsOf(gradientSettingsSchema);
