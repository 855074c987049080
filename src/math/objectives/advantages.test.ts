/** Rules for advantages against a second computation: padded matrices and masks, as the libraries have them. */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { gdpoAdvantages, groupAdvantages, optimalTokenAdvantages } from './advantages';

const random = new Random(21, STREAM.synthetic);
const lengths = [3, 7, 5, 2, 6, 4, 9];
const group = [0, 1, 0, 1, 0, 2, 1];
const reward = lengths.map(() => Math.round(4 * random.uniform()) / 4 + 0.01 * random.uniform());
const WIDTH = 10;
const mask = lengths.map((length) => Array.from({ length: WIDTH }, (_, t) => (t < length ? 1 : 0)));
const of = (g: number) => group.flatMap((own, i) => (own === g ? [i] : []));
const add = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);
const sdOf = (x: readonly number[]) => {
  const m = add(x) / x.length;
  return Math.sqrt(add(x.map((y) => (y - m) ** 2)) / (x.length - 1));
};

/** Flattened over valid tokens, mean 0 and sd 1, one value per response. */
function whiten(values: readonly number[]): number[] {
  const flat = mask.flatMap((row, i) => row.flatMap((m) => (m ? [values[i]] : [])));
  const m = add(flat) / flat.length;
  // verl keeps 1e-8 beside the variance.
  return values.map((x) => (x - m) / Math.sqrt(sdOf(flat) ** 2 + 1e-8));
}
const close = (found: ArrayLike<number>, want: readonly number[], digits = 6) =>
  want.forEach((w, i) => expect(found[i], String(i)).toBeCloseTo(w, digits));

describe('rules', () => {
  it('TRL, scale_rewards="batch": centred within groups, one sd for the batch', () => {
    const sd = sdOf(reward);
    close(
      groupAdvantages(reward, group, 'trl_batch'),
      reward.map((r, i) => {
        const own = of(group[i]).map((k) => reward[k]);
        return (r - add(own) / own.length) / (sd + 1e-4);
      }),
      12,
    );
  });

  it('verl, REINFORCE++: rewards are whitened over tokens, long responses counting more', () => {
    close(groupAdvantages(reward, group, 'reinforce_plus_plus', lengths), whiten(reward));
  });

  it('verl, REINFORCE++ with baseline: centred within groups first, a group of one not', () => {
    const centred = reward.map((r, i) => {
      const own = of(group[i]).map((k) => reward[k]);
      return own.length === 1 ? r : r - add(own) / own.length;
    });
    close(groupAdvantages(reward, group, 'reinforce_plus_plus_baseline', lengths), whiten(centred));
  });

  it('verl, OPO: the baseline weighs rewards by length', () => {
    close(
      groupAdvantages(reward, group, 'opo', lengths),
      reward.map((r, i) => {
        const own = of(group[i]);
        if (own.length === 1) return r;
        const tokens = own.flatMap((k) => Array<number>(lengths[k]).fill(reward[k]));
        return r - add(tokens) / tokens.length;
      }),
      12,
    );
  });

  it('verl, pass@k: only the best of a group, by its lead', () => {
    const found = groupAdvantages(reward, group, 'grpo_passk');
    for (const g of [0, 1]) {
      const own = of(g).map((k) => reward[k]);
      const [best, second] = [...own].sort((a, b) => b - a) as [number, number];
      const want = of(g).map((k) =>
        reward[k] === best ? (best - second) / (sdOf(own) + 1e-6) : 0,
      );
      expect(want.filter((w) => w !== 0)).toHaveLength(1);
      close(
        of(g).map((k) => found[k]),
        want,
        12,
      );
    }
    expect(found[5]).toBe(0);
  });

  it('says when a rule lacks lengths', () => {
    expect(() => groupAdvantages(reward, group, 'opo')).toThrow(/"opo" needs the lengths/);
    expect(() => groupAdvantages(reward, group, 'reinforce_plus_plus')).toThrow(/lengths/);
  });
});

it('GDPO: each component is normalised within its group, the weighted sum over tokens', () => {
  const second = lengths.map(() => random.uniform());
  const normal = (values: readonly number[]) =>
    values.map((r, i) => {
      const own = of(group[i]).map((k) => values[k]);
      if (own.length === 1) return r / (1 + 1e-6);
      return (r - add(own) / own.length) / (sdOf(own) + 1e-6);
    });
  const [a, b] = [normal(reward), normal(second)];
  close(
    gdpoAdvantages([reward, second], group, lengths, [1, 0.5]),
    whiten(a.map((x, i) => x + 0.5 * b[i])),
  );
  // One component of weight 1 is GRPO, whitened.
  close(gdpoAdvantages([reward], group, lengths), whiten(a));
});

describe('optimal token baseline', () => {
  const offsets = Uint32Array.from([0, ...lengths.map((_, i) => add(lengths.slice(0, i + 1)))]);
  const tokens = offsets.at(-1) as number;
  const logp = Float64Array.from({ length: tokens }, () => -0.1 - random.uniform());
  const collision = Float64Array.from(logp, (l) => Math.exp(2 * l) + 0.1 * random.uniform());
  const weights = Float64Array.from({ length: tokens }, () => 0.5 + random.uniform());

  it.each([
    ['plain', undefined],
    ['with mismatch weights', weights],
  ])('%s: cumulated over padded matrices', (_, own) => {
    const grid = (f: (at: number) => number) =>
      mask.map((row, i) => row.map((m, t) => (m ? f(offsets[i] + t) : 0)));
    const w = grid((at) => (1 - 2 * Math.exp(logp[at]) + collision[at]) * (own ? own[at] ** 2 : 1));
    const cumulated = w.map((row) => row.map((_x, t) => add(row.slice(0, t + 1))));
    const found = optimalTokenAdvantages(
      reward,
      group,
      { offsets, logpOld: logp, collisionOld: collision },
      own,
    );
    lengths.forEach((length, i) => {
      const peers = of(group[i]);
      const others = Math.max(...peers.filter((k) => k !== i).map((k) => lengths[k]), 0);
      for (let t = 0; t < length; t++) {
        const over = add(peers.map((k) => (mask[k]?.[t] as number) * cumulated[k]?.[t]));
        const sum = add(peers.map((k) => reward[k] * (mask[k]?.[t] as number) * cumulated[k]?.[t]));
        // Where no other response reaches there is nothing to compare with.
        const baseline = peers.length > 1 && t < others ? sum / over : 0;
        expect(found[offsets[i] + t]).toBeCloseTo(reward[i] - baseline, 6);
      }
    });
  });
});
