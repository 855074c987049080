import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { newClusterSums } from './clusters';
import { jackknife, jackknifeOf, MIN_PROMPTS } from './jackknife';

const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
  minLength: MIN_PROMPTS,
  maxLength: 80,
});

function sumsOf(x: readonly number[]) {
  const sums = newClusterSums(x.length, 3);
  x.forEach((value, g) => {
    [1, value, value * value].forEach((term, k) => (sums.columns[k][g] = term));
  });
  return sums;
}

describe('the jackknife over prompts', () => {
  it('gives a mean its classical standard error', () => {
    fc.assert(
      fc.property(values, (x) => {
        const n = x.length;
        const mean = x.reduce((a, b) => a + b, 0) / n;
        const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1);
        fc.pre(variance > 1e-9);
        const own = jackknifeOf(sumsOf(x), (t) => t[1] / t[0]);
        expect(own.estimate).toBeCloseTo(mean, 9);
        expect(own.standardError).toBeCloseTo(Math.sqrt(variance / n), 9);
        expect(own.clusters).toBe(n);
        expect(own.df).toBeLessThanOrEqual(n - 1);
      }),
    );
  });

  it('takes the bias of the plug-in variance off exactly: n becomes n - 1', () => {
    fc.assert(
      fc.property(values, (x) => {
        const n = x.length;
        const mean = x.reduce((a, b) => a + b, 0) / n;
        const unbiased = x.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1);
        const [own] = jackknife(sumsOf(x), [(t) => t[2] / t[0] - (t[1] / t[0]) ** 2]);
        expect(own?.estimate).toBeCloseTo(unbiased, 8);
      }),
    );
  });

  it('trusts a standard error less where one prompt makes most of it', () => {
    const even = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    const spiky = even.map((x, i) => (i === 3 ? 60 : x));
    const df = (x: number[]) => jackknifeOf(sumsOf(x), (t) => t[1] / t[0]).df;
    expect(df(even)).toBeGreaterThan(35);
    expect(df(spiky)).toBeLessThan(4);
  });

  it('gives no standard error below the least number of prompts, or where a deletion is undefined', () => {
    const few = sumsOf(Array.from({ length: MIN_PROMPTS - 1 }, (_, i) => i));
    expect(jackknifeOf(few, (t) => t[1]).standardError).toBeNaN();
    const many = sumsOf(Array.from({ length: 50 }, (_, i) => i + 1));
    const partly = jackknifeOf(many, (t) => (t[0] < 50 ? NaN : 1));
    expect(partly.standardError).toBeNaN();
    expect(partly.estimate).toBe(1);
  });

  it('deals very many prompts into blocks without changing what it says', () => {
    const random = new Random(1, STREAM.synthetic, 3);
    const x = Array.from({ length: 4000 }, () => random.normal());
    const own = jackknifeOf(sumsOf(x), (t) => t[1] / t[0]);
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const se = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / (x.length - 1) / x.length);
    expect(own.clusters).toBe(4000);
    expect(own.standardError / se).toBeGreaterThan(0.9);
    expect(own.standardError / se).toBeLessThan(1.1);
  });
});
