/**
 * What trainers write and leave out, where a file says too little: told by the names of its columns. Contract:
 * pure; sentences name the setting or the place in the trainer. Sources and versions: docs/export/schemas.md.
 */
import { RecordError } from './problems';

/** Where the trainer that calls a column so has what is missing; empty where nothing is known. */
export function missingHint(written: string): string {
  switch (written) {
    case 'action_log_probs':
      return "OpenRLHF's Experience has the policy before the update only; the updated one is what `self.actor(...)` returns in `ppo_actor.py`. With `rollout_log_probs` beside it, sampler and trainer are compared.";
    case 'prox_logp':
      return "AReaL keeps the policy before the update (`prox_logp`) and the sampler's (`logprobs`); the updated one is `logprobs` within `grpo_loss_fn`. With `logprobs` beside it, sampler and trainer are compared.";
    case 'prev_logprobs':
      return 'NeMo-RL writes no log-probs after an update; with `generation_logprobs` beside it, sampler and trainer are compared.';
    case 'per_token_logps':
      return 'TRL leaves `old_per_token_logps` out where every ratio is 1 (one update per generation); see docs/export/trl.md.';
    case 'logprobs':
    case 'completion_logprobs':
    case 'inference_logprobs':
    case 'rollout_log_probs':
    case 'rollout_logprobs':
    case 'generation_logprobs':
      return `"${written}" are the sampler's log-probs; those that the trainer computes of the same tokens are missing (AReaL: prox_logp; slime: log_probs of its train data; prime-rl: the trainer's own, see docs/export/schemas.md).`;
    default:
      return '';
  }
}

/** Names that speak of log-probs, as no list has them all. */
const LOG_PROBS = /log_?p(rob)?s?/i;

/** What of the two policies a record lacks, where it has log-probs of one only or under names of its own. */
export function whatIsThere(row: object): string {
  const names = Object.keys(row).filter((name) => LOG_PROBS.test(name));
  if (names.length === 0) return '';
  const quoted = names
    .slice(0, 5)
    .map((name) => JSON.stringify(name.slice(0, 60)))
    .join(', ');
  return `Of log-probs the record has ${quoted} only. A ratio needs two columns over the same tokens: the sampling policy's ("logp_old") and the updated or the trainer's ("logp_new"), each one array per response.`;
}

const has = (row: object, ...names: string[]) => names.every((name) => Object.hasOwn(row, name));

/** Dumps of texts and scores, which have no log-probs at all; null where it is none that is known. */
export function withoutLogProbs(row: object): RecordError | null {
  if (has(row, 'input', 'output') && (has(row, 'score') || has(row, 'gts'))) {
    return new RecordError(
      null,
      "is a line of verl's text dump (trainer.rollout_data_dir): prompts, responses and scores, no log-probs. No setting adds them to this dump. " +
        "actor_rollout_ref.rollout.calculate_log_probs=True makes verl keep the sampler's, and the recipe in docs/export/verl.md writes these and the trainer's.",
    );
  }
  if (has(row, 'prompt', 'completion') && has(row, 'advantage')) {
    return new RecordError(
      null,
      "is a row of TRL's table of completions (log_completions): texts, rewards and advantages, no log-probs. The recipe in docs/export/trl.md writes them.",
    );
  }
  if (has(row, 'response_length', 'tokens', 'status')) {
    return new RecordError(
      null,
      "is a slime sample without log-probs: SGLang's come with --use-rollout-logprobs or --get-mismatch-metrics (rollout_log_probs), the trainer's are log_probs of the train data.",
    );
  }
  return null;
}
