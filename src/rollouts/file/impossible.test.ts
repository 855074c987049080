/** What a column holds whose values no log-prob has: told from one response. */
import { describe, expect, it } from 'vitest';
import { fromBlob } from './bytes';
import { readRolloutFiles } from './read';

/** nats, as a policy that is sure now and then gives */
const LOG_PROBS = [-0.02, -1.31, -0.4, -3.2, -0.001, -0.75, -2.1, -0.09, -0.6, -1.9];

const read = (columns: Record<string, number[]>) =>
  readRolloutFiles([
    fromBlob(
      'a.jsonl',
      new Blob([
        JSON.stringify({
          group: 1,
          reward: 1,
          logp_old: LOG_PROBS,
          logp_new: LOG_PROBS,
          ...columns,
        }),
      ]),
    ),
  ]);

const filled = (value: number, from: number, to: number) =>
  LOG_PROBS.map((x, t) => (t >= from && t < to ? value : x));

describe('a column that is no log-probs', () => {
  it.each<[string, number[], RegExp]>([
    ['probabilities', LOG_PROBS.map(Math.exp), /look like probabilities.*natural logarithm/],
    ['negated', LOG_PROBS.map((x) => -x), /negated log-probs.*some exceed 1.*with a minus/],
    ['negated, all small', LOG_PROBS.map((x) => -x / 4), /negated log-probs.*average 0\.2/],
    ['logits', LOG_PROBS.map((x) => x + 14), /look like logits.*between 10\.8 and 14\.0/],
    ['logits around 0', LOG_PROBS.map((x) => x + 2), /look like logits/],
    ['rounded', filled(0.0195, 4, 5), /by rounding.*float32/],
    ['1 at the end', filled(1, 7, 10), /the last 3 tokens of 10, from position 7 on: a filler/],
    ['1 at the last token', filled(1, 9, 10), /the last token of 10, from position 9/],
    ['1 at the start', filled(1, 0, 2), /the first 2 tokens of 10: a filler/],
    ['-1e9 at the end', filled(-1e9, 6, 10), /that low\. It stands at the last 4 tokens/],
    ['-1e9 within', filled(-1e9, 3, 4), /that low\. It stands at 1 of 10 tokens/],
    ['1 within', filled(1, 3, 4), /It stands at 1 of 10 tokens: a filler/],
  ])('%s', async (_, values, says) => {
    await expect(read({ logp_sampler: values })).rejects.toThrow(says);
    await expect(read({ logp_sampler: values })).rejects.toThrow(/field "logp_sampler\[\d\]"/);
    await expect(read({ logp_old: values })).rejects.toThrow(says);
  });

  it('is judged by its response tokens: what the mask leaves out may be anything', async () => {
    const mask = LOG_PROBS.map((_, t) => (t < 7 ? 1 : 0));
    const { rollouts } = await read({ logp_sampler: filled(-1e9, 7, 10), mask });
    expect(rollouts.logpSampler).toHaveLength(7);
    await expect(read({ logp_sampler: filled(1, 5, 10), mask })).rejects.toThrow(
      /the last 2 tokens of 7, from position 5 on/,
    );
  });

  it('slime’s log_probs beside logp_new are those of before the update', async () => {
    const next = LOG_PROBS.map((x) => x - 0.01);
    const rows = { group: 1, reward: 1, log_probs: LOG_PROBS, logp_new: next };
    const data = await readRolloutFiles([fromBlob('s.jsonl', new Blob([JSON.stringify(rows)]))]);
    expect(Array.from(data.rollouts.logpOld)).toEqual(LOG_PROBS);
    expect(Array.from(data.rollouts.logpNew)).toEqual(next);
    expect(data.facts.compares).toBe('update');
  });
});

describe('log-probs of a reference policy', () => {
  it.each(['ref_per_token_logps', 'ref_log_prob', 'reference_policy_logprobs', 'logp_ref'])(
    '%s are read',
    async (name) => {
      const { rollouts, facts } = await read({ [name]: LOG_PROBS.map((x) => x - 0.1) });
      expect(rollouts.logpRef?.[1]).toBeCloseTo(-1.41, 12);
      expect(facts.lost).toEqual([]);
    },
  );

  it.each([
    ['another length', LOG_PROBS.slice(1)],
    ['probabilities', LOG_PROBS.map(Math.exp)],
  ])('%s costs that column only', async (_, values) => {
    const { rollouts, facts } = await read({ ref_log_prob: values });
    expect(rollouts.logpRef).toBeUndefined();
    expect(facts.lost).toEqual([{ name: 'ref_log_prob', meaning: 'logp_ref', responses: 1 }]);
  });
});
