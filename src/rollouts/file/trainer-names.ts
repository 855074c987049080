/**
 * Which trainer wrote a file, by the names of its columns. Contract: a name stands for one trainer here, however many
 * others read it; null where no name tells or two trainers are named as often. Versions: docs/export/schemas.md.
 */
import type { NameCounts } from './fields';

export const TRAINERS = {
  trl: 'TRL',
  msSwift: 'ms-swift',
  verl: 'verl',
  nemoRl: 'NeMo-RL',
  openRlhf: 'OpenRLHF',
  slime: 'slime',
  areal: 'AReaL',
  primeRl: 'prime-rl',
} as const;
export type TrainerId = keyof typeof TRAINERS;
export const TRAINER_IDS = Object.keys(TRAINERS) as TrainerId[];

/** ms-swift has TRL's names as well, and its own for the sampler's; that one counts for more than two of TRL's. */
const TELLING: Readonly<Record<TrainerId, Readonly<Record<string, number>>>> = {
  trl: { per_token_logps: 1, old_per_token_logps: 1, sampling_per_token_logps: 2 },
  msSwift: { rollout_per_token_logps: 4 },
  verl: {
    old_log_probs: 1,
    uid: 1,
    token_level_scores: 1,
    token_level_rewards: 1,
    rm_scores: 1,
    entropys: 1,
    response_mask: 1,
    rollout_is_weights: 1,
  },
  nemoRl: {
    prev_logprobs: 1,
    curr_logprobs: 1,
    generation_logprobs: 1,
    token_loss_mask: 1,
    sample_loss_mask: 1,
    reference_policy_logprobs: 1,
  },
  openRlhf: { action_log_probs: 2, base_action_log_probs: 1, action_mask: 1 },
  slime: { group_index: 1, response_length: 1, remove_sample: 1 },
  areal: { prox_logp: 2 },
  primeRl: { completion_logprobs: 2, inference_logprobs: 2 },
};

export function trainerOf({ counts }: Pick<NameCounts, 'counts'>): TrainerId | null {
  const votes = TRAINER_IDS.map((id) => ({
    id,
    n: Object.entries(TELLING[id]).reduce((sum, [name, n]) => sum + (counts.has(name) ? n : 0), 0),
  })).sort((a, b) => b.n - a.n);
  const [first, second] = votes;
  return first && first.n > 0 && first.n > (second?.n ?? 0) ? first.id : null;
}
