/**
 * Advantages that differ within a response, (B, T) in TRL and verl: against finite differences and against plain
 * loops over every token.
 */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { evaluateObjective } from './evaluate';
import { kindOf, OBJECTIVES, recommended, type ObjectiveSettings } from './registry';
import type { ObjectiveBatch } from './types';

const random = new Random(5, STREAM.synthetic);
const offsets = Uint32Array.of(0, 3, 4, 10);
const logpOld = Float64Array.from({ length: 10 }, () => -0.2 - 2 * random.uniform());
const logpNew = logpOld.map((a) => Math.min(-1e-3, a + 0.3 * random.normal()));
const tokenAdvantage = Float64Array.from({ length: 10 }, (_, t) => (t === 4 ? 0 : random.normal()));
const mean = (from: number, to: number) =>
  tokenAdvantage.slice(from, to).reduce((a, b) => a + b, 0) / (to - from);
const advantage = Float64Array.of(mean(0, 3), mean(3, 4), mean(4, 10));
const batch: ObjectiveBatch = { offsets, logpOld, logpNew, advantage, tokenAdvantage };

const every = OBJECTIVES.flatMap(({ id, trl, verl }) =>
  [trl, verl].flatMap((s) => (s ? [[`${s.library} ${id}`, s] as [string, ObjectiveSettings]] : [])),
);

describe('one advantage for every token', () => {
  it.each(every)('%s: equal advantages are an advantage of the response', (_, settings) => {
    const equal = Float64Array.from(
      { length: 10 },
      (_x, t) => advantage[t < 3 ? 0 : t < 4 ? 1 : 2],
    );
    const one = evaluateObjective({ ...batch, tokenAdvantage: equal }, settings);
    const other = evaluateObjective({ offsets, logpOld, logpNew, advantage }, settings);
    expect(one.loss).toBeCloseTo(other.loss, 12);
    one.gradient.forEach((g, t) => expect(g).toBeCloseTo(other.gradient[t], 12));
    expect(one.verl).toEqual(other.verl);
  });

  it.each(every.filter(([, { surrogate }]) => !kindOf(surrogate).detached))(
    '%s: gradients are those of finite differences',
    (_, settings) => {
      const { surrogate } = settings;
      // GSPO-token's gradient is its own: a token gets its own advantage, not the mean of all.
      if (surrogate.kind === 'clip' && surrogate.level === 'sequence-token') return;
      const { gradient } = evaluateObjective(batch, settings);
      for (let t = 0; t < 10; t++) {
        const at = (step: number) =>
          evaluateObjective(
            { ...batch, logpNew: logpNew.map((b, k) => (k === t ? b + step : b)) },
            settings,
          ).loss;
        const numeric = (at(1e-6) - at(-1e-6)) / 2e-6;
        expect(Math.abs(numeric - gradient[t])).toBeLessThan(1e-7);
      }
    },
  );

  it('TRL GSPO: -min(s A_t, clip(s) A_t), mean over tokens, then responses; counts are of tokens', () => {
    const settings = recommended('gspo', 'trl', { low: 0.05, high: 0.05 }) as ObjectiveSettings;
    let loss = 0;
    let low = 0;
    let high = 0;
    for (let i = 0; i < 3; i++) {
      const [from, to] = [offsets[i], offsets[i + 1]];
      let d = 0;
      for (let t = from; t < to; t++) d += logpNew[t] - logpOld[t];
      const s = Math.exp(d / (to - from));
      for (let t = from; t < to; t++) {
        const a = tokenAdvantage[t];
        loss += -Math.min(s * a, Math.min(Math.max(s, 0.95), 1.05) * a) / (to - from) / 3;
        if (s < 0.95 && a < 0) low++;
        if (s > 1.05 && a > 0) high++;
      }
    }
    const found = evaluateObjective(batch, settings);
    expect(found.loss).toBeCloseTo(loss, 12);
    expect(low + high).toBeGreaterThan(0);
    expect(found.trl?.lowMean).toBeCloseTo(low / 10, 12);
    expect(found.trl?.highMean).toBeCloseTo(high / 10, 12);
  });

  it('GSPO-token gives each token its own advantage, GSPO the mean of all that pass', () => {
    const wide = { low: 0.9, high: 9 };
    const token = evaluateObjective(
      batch,
      recommended('gspo_token', 'trl', wide) as ObjectiveSettings,
    );
    const whole = evaluateObjective(batch, recommended('gspo', 'trl', wide) as ObjectiveSettings);
    for (let i = 0; i < 3; i++) {
      const [from, to] = [offsets[i], offsets[i + 1]];
      const s = whole.weight[from];
      for (let t = from; t < to; t++) {
        expect(token.gradient[t]).toBeCloseTo((-s * tokenAdvantage[t]) / (to - from) / 3, 12);
        expect(whole.gradient[t]).toBeCloseTo((-s * advantage[i]) / (to - from) / 3, 12);
      }
    }
  });

  it('wrong lengths are named', () => {
    const short = { ...batch, tokenAdvantage: new Float64Array(3) };
    const settings = recommended('gspo', 'trl') as ObjectiveSettings;
    expect(() => evaluateObjective(short, settings)).toThrow(
      /10 tokens, but 3 advantages of tokens/,
    );
  });
});

it('token-sum divides by nothing: the token mean times the number of tokens', () => {
  const settings = recommended('dapo', 'verl') as ObjectiveSettings;
  const sum = evaluateObjective(batch, { ...settings, aggregation: { kind: 'token-sum' } });
  expect(sum.loss).toBeCloseTo(10 * evaluateObjective(batch, settings).loss, 12);
});
