/** Clip-Cov and KL-Cov against plain loops over every token, without anything of what they check. */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { evaluateObjective } from './evaluate';
import { BATCH_IDS, RESPONSE_IDS, recommended, type ObjectiveSettings } from './registry';
import type { ObjectiveBatch } from './types';

const random = new Random(21, STREAM.synthetic);
const LENGTHS = [5, 1, 9, 12, 3, 10];
const owner = LENGTHS.flatMap((length, i) => Array.from({ length }, () => i));
const tokens = owner.length;
const offsets = Uint32Array.of(0, 5, 6, 15, 27, 30, 40);
const logpOld = Float64Array.from({ length: tokens }, () => -0.1 - 3 * random.uniform());
const logpNew = logpOld.map((a) => Math.min(-1e-3, a + 0.15 * random.normal()));
const advantage = Float64Array.of(1.5, -0.5, -1.25, 2, 0, -1);
const tokenAdvantage = Float64Array.from({ length: tokens }, () => random.normal());

/** cov of every token, the slow way */
function covariances(a: readonly number[]): number[] {
  let [sumA, sumB] = [0, 0];
  for (let t = 0; t < tokens; t++) {
    sumA += a[t];
    sumB += logpNew[t];
  }
  return a.map((own, t) => (own - sumA / tokens) * (logpNew[t] - sumB / tokens));
}
const rank = (values: readonly number[], t: number) => values.filter((x) => x > values[t]).length;
const ratio = (t: number) => Math.exp(logpNew[t] - logpOld[t]);

const settingsOf = (id: 'clip_cov' | 'kl_cov', more: object): ObjectiveSettings => {
  const found = recommended(id, 'verl') as ObjectiveSettings;
  return { ...found, surrogate: { ...found.surrogate, ...more } };
};
const per = {
  response: {
    batch: { offsets, logpOld, logpNew, advantage },
    a: owner.map((i) => advantage[i]),
  },
  token: {
    batch: { offsets, logpOld, logpNew, advantage, tokenAdvantage },
    a: [...tokenAdvantage],
  },
} satisfies Record<string, { batch: ObjectiveBatch; a: number[] }>;

describe.each(Object.entries(per))('advantages per %s', (_, { batch, a }) => {
  const cov = covariances(a);

  it('KL-Cov adds coefficient |d| at the tokens of largest covariance, and nowhere else', () => {
    // floor(0.13 * 40) = 5 tokens
    const found = evaluateObjective(batch, settingsOf('kl_cov', { share: 0.13, coefficient: 0.7 }));
    let loss = 0;
    for (let t = 0; t < tokens; t++) {
      const d = logpNew[t] - logpOld[t];
      const pulled = rank(cov, t) < 5;
      const own = -a[t] * ratio(t) + (pulled ? 0.7 * Math.abs(d) : 0);
      loss += own / tokens;
      expect(found.tokenLoss[t]).toBeCloseTo(own / tokens, 14);
      const slope = -a[t] * ratio(t) + (pulled ? 0.7 * Math.sign(d) : 0);
      expect(found.gradient[t]).toBeCloseTo(slope / tokens, 14);
    }
    expect(found.loss).toBeCloseTo(loss, 13);
    expect(found.verl).toBeNull();
  });

  it('Clip-Cov takes out all tokens between its bounds where the share allows, but those that PPO clips', () => {
    const s = { low: 0.1, high: 0.12, share: 1, least: 0.2, most: 1.5 };
    const found = evaluateObjective(batch, settingsOf('clip_cov', s));
    const [loss, taken] = [{ sum: 0 }, { count: 0, clipped: 0 }];
    for (let t = 0; t < tokens; t++) {
      const own = a[t];
      const r = ratio(t);
      const bound = Math.min(Math.max(r, 0.9), 1.12);
      const clipped = -own * bound > -own * r;
      const gone = !clipped && cov[t] > 0.2 && cov[t] < 1.5;
      taken.count += gone ? 1 : 0;
      if (clipped && cov[t] > 0.2 && cov[t] < 1.5) taken.clipped++;
      const part = gone ? 0 : -Math.min(own * r, own * bound);
      loss.sum += part / tokens;
      expect(found.tokenLoss[t]).toBeCloseTo(part / tokens, 14);
      expect(found.gradient[t]).toBeCloseTo(gone || clipped ? 0 : (-own * r) / tokens, 14);
      expect(found.gate[t]).toBe(gone || clipped ? 0 : 1);
    }
    expect(taken.count).toBeGreaterThan(2);
    expect(taken.clipped).toBeGreaterThan(0);
    expect(found.loss).toBeCloseTo(loss.sum, 13);
    expect(found.verl?.clipFraction).toBeCloseTo(taken.count / tokens, 8);
  });

  it('Clip-Cov draws as many as the share says, at least one, of those between its bounds', () => {
    const bounds = { low: 1, high: 9, least: 0.05, most: 9 };
    const drawn = (share: number) => {
      const { gate } = evaluateObjective(batch, settingsOf('clip_cov', { ...bounds, share }));
      return [...gate].flatMap((open, t) => (open === 0 ? [t] : []));
    };
    const among = cov.flatMap((own, t) => (own > 0.05 && own < 9 ? [t] : []));
    for (const [share, count] of [
      [2e-4, 1],
      [0.1, 4],
      [0.149, 5],
      [1, among.length],
    ] as const) {
      expect(drawn(share)).toHaveLength(count);
      for (const t of drawn(share)) expect(among).toContain(t);
    }
    // A draw, not the largest: at this seed it isn't the first four.
    expect(drawn(0.1).every((t) => rank(cov, t) < 4)).toBe(false);
  });

  it.each(['clip_cov', 'kl_cov'] as const)('%s: gradients are finite differences', (id) => {
    const settings = settingsOf(id, { share: 0.2, ...(id === 'clip_cov' && { least: 0.05 }) });
    const { gradient } = evaluateObjective(batch, settings);
    for (let t = 0; t < tokens; t++) {
      const at = (h: number) =>
        evaluateObjective(
          { ...batch, logpNew: logpNew.map((b, k) => (k === t ? b + h : b)) },
          settings,
        ).loss;
      expect(Math.abs((at(1e-6) - at(-1e-6)) / 2e-6 - gradient[t])).toBeLessThan(1e-8);
    }
  });
});

it('rejected tokens have no part in the means that the covariance is made of', () => {
  const kept = Uint8Array.from(owner, (i) => (i === 3 ? 0 : 1));
  const settings = settingsOf('kl_cov', { share: 0.2 });
  const rest = owner.flatMap((i, t) => (i === 3 ? [] : [t]));
  const alone = evaluateObjective(
    {
      offsets: Uint32Array.of(0, 5, 6, 15, 18, 28),
      logpOld: Float64Array.from(rest, (t) => logpOld[t]),
      logpNew: Float64Array.from(rest, (t) => logpNew[t]),
      advantage: advantage.filter((_, i) => i !== 3),
    },
    settings,
  );
  const found = evaluateObjective(per.response.batch, settings, undefined, kept);
  expect(rest.map((t) => found.gradient[t])).toEqual([...alone.gradient]);
});

it('which objectives look at the whole batch', () => {
  expect(BATCH_IDS).toEqual(['clip_cov', 'kl_cov']);
  expect(RESPONSE_IDS).not.toContain('clip_cov');
});
