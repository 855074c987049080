/** Nuclei against their definition, and draws from them. */
import { describe, expect, test } from 'vitest';
import { nucleusOf } from './nucleus';
import { Random, STREAM } from './philox';
import { sampleRow } from './sampler';

const softmax = (logits: readonly number[], temperature: number) => {
  const weights = logits.map((x) => Math.exp(x / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
};

describe('nucleus', () => {
  test.each([
    [0.9, 1],
    [0.5, 1],
    [0.3, 0.6],
    [0.95, 1.7],
  ])(
    'top-p %d at temperature %d: the fewest likeliest tokens with that mass',
    (topP, temperature) => {
      const random = new Random(4, STREAM.display);
      for (let round = 0; round < 50; round++) {
        const logits = Array.from({ length: 40 }, () => Math.fround(2 * random.normal()));
        const row = Float32Array.from([7, ...logits, 7]);
        const { lowest, logKept } = nucleusOf(row, 1, 40, { temperature, topP });
        const inside = logits.flatMap((x, v) => (x / temperature >= lowest - 1e-6 ? [v] : []));
        const p = softmax(logits, temperature);
        const mass = inside.reduce((sum, v) => sum + (p[v] as number), 0);
        const least = Math.min(...inside.map((v) => p[v] as number));
        expect(mass).toBeGreaterThanOrEqual(topP - 1e-9);
        expect(mass - least).toBeLessThan(topP);
        expect(p.filter((x) => x > least - 1e-12)).toHaveLength(inside.length);
        const atOne = softmax(logits, 1);
        const kept = inside.reduce((sum, v) => sum + (atOne[v] as number), 0);
        expect(logKept).toBeCloseTo(Math.log(kept), 9);
      }
    },
  );

  test('keeps equals together; masked tokens have no mass; 1 and greedy cut nothing', () => {
    const row = Float32Array.of(1, NaN, 1, -Infinity, 1, -9);
    const near = nucleusOf(row, 0, 6, { temperature: 1, topP: 0.1 });
    expect(near.lowest).toBe(1);
    expect(near.logKept).toBeCloseTo(-Math.log(1 + Math.exp(-10) / 3), 9);
    expect(nucleusOf(row, 0, 6, { temperature: 1, topP: 1 }).lowest).toBe(-Infinity);
    expect(nucleusOf(row, 0, 6, { temperature: 0, topP: 0.5 }).logKept).toBe(0);
    expect(() => nucleusOf(row, 0, 6, { temperature: 1, topP: 0 })).toThrow('above 0');
  });

  test('draws follow the truncated distribution: chi-square', () => {
    const logits = [2, 1, 0, -1, 0.5, -Infinity];
    const row = Float32Array.from(logits);
    const n = 8000;
    const seen = new Array<number>(6).fill(0);
    for (let sequence = 0; sequence < n; sequence++) {
      const draw = { temperature: 1, topP: 0.85, seed: 3, sequence, step: 0 };
      seen[sampleRow(row, 0, 6, draw)]++;
    }
    const kept = [0, 1, 4];
    const weights = logits.map((x, v) => (kept.includes(v) ? Math.exp(x) : 0));
    const total = weights.reduce((a, b) => a + b);
    let chiSquare = 0;
    weights.forEach((weight, v) => {
      const expected = (n * weight) / total;
      if (expected === 0) expect(seen[v]).toBe(0);
      else chiSquare += ((seen[v] as number) - expected) ** 2 / expected;
    });
    // 99.9 % quantile of chi-square with 2 degrees of freedom
    expect(chiSquare).toBeLessThan(13.82);
  });
});
