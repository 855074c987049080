/**
 * GSPO as other libraries compute it, where that is neither TRL's nor verl's. Contract: settings whose arithmetic
 * (`library`) is the one named; no clip share of theirs is computed.
 *
 * - Tinker, https://tinker-docs.thinkingmachines.ai/tinker/losses/gspo/ (read 2026-11; the loss runs on its
 *   servers): GSPO-token, unclamped, summed over tokens; epsilons here are the paper's. Its ratio is over a mask of
 *   its own (`sequence_ratio_mask`) where a file has that column, else over the response (`what-if.ts`).
 * - ROLL 8eb27cc, `roll/pipeline/rlvr/actor_worker.py` (`importance_sampling="seq"`) and
 *   `roll/configs/base_config.py`: s differentiated through all tokens, `pg_clip` 0.2 on either side, mean over
 *   responses of means over tokens, `dual_clip_loss` off.
 */
import { SEQUENCE_MEAN, trl } from './arithmetic';
import type { ObjectiveSettings } from './registry';
import { GRPO_BAND, GSPO_BAND } from './surrogates/clip';

export const ELSEWHERE = {
  'gspo.tinker': trl(
    { kind: 'clip', level: 'sequence-token', ...GSPO_BAND },
    { kind: 'token-sum' },
  ),
  'gspo.roll': trl({ kind: 'clip', level: 'sequence', ...GRPO_BAND }, SEQUENCE_MEAN),
} as const satisfies Record<string, ObjectiveSettings>;

export type ElsewhereId = keyof typeof ELSEWHERE;
export const ELSEWHERE_IDS = Object.keys(ELSEWHERE) as ElsewhereId[];

export function elsewhere(id: string, library: string): ObjectiveSettings | null {
  const found = Object.entries(ELSEWHERE).find(([name]) => name === `${id}.${library}`);
  return found?.[1] ?? null;
}
