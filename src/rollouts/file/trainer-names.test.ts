/** Who wrote a file, by the names of its columns; remedies then name that trainer's settings and no other's. */
import { expect, it } from 'vitest';
import { healthReport } from '../health/report';
import { RULES } from '../health/rules';
import { remedyText } from '../health/finding';
import { fromBlob } from './bytes';
import { readRolloutFiles } from './read';
import { TRAINER_IDS, TRAINERS, type TrainerId } from './trainer-names';

const one = [-1.123, -0.5];
const two = [-1.122, -0.51];

const read = (row: object) =>
  readRolloutFiles([
    fromBlob('a.jsonl', new Blob([JSON.stringify({ group: 1, reward: 1, ...row })])),
  ]);

it.each<[TrainerId | null, object]>([
  ['trl', { old_per_token_logps: one, per_token_logps: two, completion_mask: [1, 1] }],
  ['trl', { sampling_per_token_logps: one, per_token_logps: two }],
  ['msSwift', { old_per_token_logps: one, per_token_logps: two, rollout_per_token_logps: one }],
  ['verl', { old_log_probs: one, log_probs: two, uid: 'a', response_mask: [1, 1] }],
  ['nemoRl', { prev_logprobs: one, generation_logprobs: two, token_loss_mask: [1, 1] }],
  ['openRlhf', { action_log_probs: one, rollout_log_probs: two, action_mask: [1, 1] }],
  ['slime', { log_probs: one, rollout_log_probs: two, group_index: 3, response_length: 2 }],
  ['areal', { prox_logp: one, logprobs: two, loss_mask: [1, 1] }],
  ['primeRl', { completion_logprobs: one, logp_new: two }],
  [null, { logp_old: one, logp_new: two }],
  // One name of each: nobody can tell.
  [null, { prev_logprobs: one, per_token_logps: two, logp_sampler: one }],
])('%s', async (trainer, row) => {
  const data = await read(row);
  expect(data.facts.trainer).toBe(trainer);
  expect(healthReport(data).trainer).toBe(trainer);
});

it('a finding names the settings of the trainer that wrote the file', async () => {
  const rows = (from: object) => read({ ...from, group: 1, reward: 1 });
  const remedy = async (row: object) => {
    const { findings } = healthReport(await rows(row));
    return findings.find(({ id }) => id === 'on-policy')?.remedy ?? '';
  };
  const told = await remedy({ old_per_token_logps: one, per_token_logps: one });
  expect(told).toMatch(/TRL: num_iterations/);
  expect(told).not.toMatch(/verl:|NeMo-RL:/);
  expect(await remedy({ logp_old: one, logp_new: one })).toMatch(/TRL: .*verl: .*NeMo-RL: /);
});

it('every trainer has settings in several rules, and none stands where it is not asked for', () => {
  for (const id of TRAINER_IDS) {
    const with_ = RULES.filter(({ remedy }) => id in remedy);
    expect(with_.length, TRAINERS[id]).toBeGreaterThan(5);
    for (const { remedy } of with_) {
      const told = remedyText(remedy, id);
      for (const other of TRAINER_IDS) {
        expect(told.includes(` ${TRAINERS[other]}: `)).toBe(other === id);
      }
    }
  }
});
