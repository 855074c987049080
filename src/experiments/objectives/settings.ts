import * as v from 'valibot';
import { VARIANT_ADVANTAGES } from '../../math/objectives/advantages';
import { ELSEWHERE_IDS, type ElsewhereId } from '../../math/objectives/elsewhere';
import {
  OBJECTIVES,
  type ObjectiveId,
  type ObjectiveSettings,
} from '../../math/objectives/registry';
import type { Library } from '../../math/objectives/types';
import { choice, flag, realOrNone } from '../../settings/setting';
import { correctionSchema } from '../shared/settings';

/** An objective as one library computes it: `gspo.trl`, `gspo.tinker`. */
export type SideId = `${ObjectiveId}.${Library}` | ElsewhereId;
export const SIDE_IDS = [
  ...OBJECTIVES.flatMap(({ id, trl, verl }): SideId[] => [
    ...(trl ? [`${id}.trl` as const] : []),
    ...(verl ? [`${id}.verl` as const] : []),
  ]),
  ...ELSEWHERE_IDS,
] as [SideId, ...SideId[]];

/** Whether verl's `bypass_mode` goes with an objective: its clipped token ratio, and REINFORCE. */
export const bypasses = ({ library, surrogate: s }: ObjectiveSettings) =>
  library === 'verl' && (s.kind === 'reinforce' || (s.kind === 'clip' && s.level === 'token'));

export const BYPASS_IDS: ReadonlySet<SideId> = new Set(
  OBJECTIVES.flatMap(({ id, verl }): SideId[] => (verl && bypasses(verl) ? [`${id}.verl`] : [])),
);

/** `source` = as the source has them. */
export const SIDE_ADVANTAGES = ['source', ...VARIANT_ADVANTAGES] as const;

/** What is compared: the first as published, the second with the band and the correction of the settings. */
export const whatIfSchema = v.strictObject({
  asIs: choice(SIDE_IDS, 'grpo.trl', { label: 'What if: as is' }),
  asIf: choice(SIDE_IDS, 'gspo.trl', { label: 'What if: as if' }),
  /** of the second; null = all tokens */
  topEntropy: realOrNone(0, 1, {
    label: 'What if: share of tokens of largest entropy',
    hint: 'none: all keep their loss',
  }),
  /** of the second; null = no penalty */
  beta: realOrNone(0, 1000, {
    label: 'What if: TRL’s beta',
    hint: 'none: no penalty against the reference policy',
  }),
  /** of the second */
  advantages: choice(SIDE_ADVANTAGES, 'source', { label: 'What if: advantages' }),
  /** of the second, where it is verl's and has a ratio of tokens */
  bypass: flag(false, { label: 'What if: verl’s bypass_mode' }),
  corrected: flag(false, { label: 'What if: beta with use_bias_correction_kl' }),
});

export const objectivesSettingsSchema = v.strictObject({
  /** band of the ratio-clipping objectives */
  low: realOrNone(0, 100, { label: 'ε low', hint: 'none: each library’s' }),
  high: realOrNone(0, 100, { label: 'ε high', hint: 'none: each library’s' }),
  /** Dr.GRPO's constant length; null = the longest response */
  length: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  /** absent = none */
  correction: v.optional(correctionSchema),
  /** absent = not asked */
  whatIf: v.optional(whatIfSchema),
});
export type ObjectivesSettings = v.InferOutput<typeof objectivesSettingsSchema>;
export const OBJECTIVES_DEFAULTS: ObjectivesSettings = { low: null, high: null, length: null };
