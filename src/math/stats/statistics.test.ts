import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SmoothStatistic } from './clusters';
import {
  anova,
  fisherZ,
  intraclassCorrelation,
  logCombination,
  logEffectiveShare,
  logF,
  logKurtosis,
  logVariance,
  meanStatistic,
} from './statistics';

const value = fc.double({ min: -3, max: 3, noNaN: true });
const values = fc
  .array(value, { minLength: 6, maxLength: 20 })
  .filter((xs) => Math.max(...xs) - Math.min(...xs) > 0.5);

const powerSums = (xs: readonly number[], highest: number): Float64Array =>
  Float64Array.from({ length: highest + 1 }, (_, k) => xs.reduce((sum, x) => sum + x ** k, 0));

/** Gradient by central differences beside the analytic one; and homogeneity of degree 0. */
function expectGradient(statistic: SmoothStatistic, totals: Float64Array): void {
  const gradient = new Float64Array(totals.length);
  const scratch = new Float64Array(totals.length);
  statistic(totals, gradient);
  let along = 0;
  let size = 0;
  totals.forEach((total, k) => {
    const step = 1e-5 * Math.max(1, Math.abs(total));
    const moved = (by: number): number => statistic(totals.with(k, total + by), scratch);
    // n - 1 for n is left out of the gradient, so counts are compared by homogeneity below
    if (k > 0) {
      const numeric = (moved(step) - moved(-step)) / (2 * step);
      const scale = Math.max(1e-3, Math.abs(numeric));
      expect(Math.abs((gradient[k] as number) - numeric) / scale).toBeLessThan(1e-3);
    }
    along += total * (gradient[k] as number);
    size += Math.abs(total * (gradient[k] as number));
  });
  expect(Math.abs(along)).toBeLessThan(1e-9 * Math.max(1, size));
}

describe('smooth statistics', () => {
  it('have the gradients that their standard errors rest on', () => {
    fc.assert(
      fc.property(values, (xs) => {
        expectGradient(logVariance, powerSums(xs, 2));
        expectGradient(meanStatistic, powerSums(xs, 1));
        expectGradient(logKurtosis, powerSums(xs, 4));
        const w = xs.map(Math.exp);
        expectGradient(logEffectiveShare, powerSums(w, 2));
      }),
    );
    const pairs = fc.array(fc.tuple(value, value), { minLength: 12, maxLength: 20 });
    fc.assert(
      fc.property(pairs, (xy) => {
        const sum = (of: (x: number, y: number) => number) =>
          xy.reduce((total, [x, y]) => total + of(x, y), 0);
        const totals = Float64Array.of(
          xy.length,
          sum((x) => x),
          sum((_, y) => y),
          sum((x) => x * x),
          sum((x, y) => x * y),
          sum((_, y) => y * y),
        );
        const spread = (k: number, m: number) =>
          (totals[k] as number) / xy.length - ((totals[m] as number) / xy.length) ** 2;
        fc.pre(spread(3, 1) > 0.3 && spread(5, 2) > 0.3);
        fc.pre(Math.abs(fisherZ(totals, new Float64Array(6))) < 1.5);
        expectGradient(fisherZ, totals);
      }),
    );
  });

  it('combine logarithms of variances and ratios linearly, with the gradient of the sum', () => {
    fc.assert(
      fc.property(values, values, (xs, ys) => {
        const totals = Float64Array.of(...powerSums(xs, 2), ...powerSums(ys, 2));
        const both = logCombination([
          { kind: 'variance', at: 0, weight: 2 },
          { kind: 'variance', at: 3, weight: -0.5 },
          { kind: 'ratio', numerator: 2, denominator: 0, weight: 0.3 },
        ]);
        const scratch = new Float64Array(6);
        const expected =
          2 * logVariance(powerSums(xs, 2), scratch) -
          0.5 * logVariance(powerSums(ys, 2), scratch) +
          0.3 * Math.log((totals[2] as number) / xs.length);
        expect(both(totals, scratch)).toBeCloseTo(expected, 9);
        // that of the sum of squares, which no sample makes 0
        expect(scratch[5]).not.toBe(0);
        const along = totals.reduce((sum, total, k) => sum + total * (scratch[k] as number), 0);
        expect(along).toBeCloseTo(0, 8);
      }),
    );
  });

  it('are the textbook numbers on small data', () => {
    const scratch = new Float64Array(6);
    // variance of 1, 2, 3, 4 is 5/3
    expect(Math.exp(logVariance(powerSums([1, 2, 3, 4], 2), scratch))).toBeCloseTo(5 / 3, 12);
    // two points of equal mass: kurtosis 1, the least there is
    expect(Math.exp(logKurtosis(powerSums([-1, 1, -1, 1], 4), scratch))).toBeCloseTo(1, 12);
    // weights 1, 1, 1, 1 are worth four; 1, 0, 0, 0 one of four
    expect(Math.exp(logEffectiveShare(powerSums([1, 1, 1, 1], 2), scratch))).toBeCloseTo(1, 12);
    expect(Math.exp(logEffectiveShare(Float64Array.of(4, 1, 1), scratch))).toBeCloseTo(0.25, 12);
  });

  it('do the one-way analysis of variance for unequal groups', () => {
    // groups (1, 2, 3), (4, 6), (8): grand mean 4, SSB = 12 + 2 + 16, SSW = 2 + 2, dfs 2 and 3
    const groups = [[1, 2, 3], [4, 6], [8]];
    const totals = [0, 0, 0, 0, 0, 0];
    for (const xs of groups) {
      const sum = xs.reduce((total, x) => total + x, 0);
      const squares = xs.reduce((total, x) => total + x * x, 0);
      const terms = [1, xs.length, sum, squares, (sum * sum) / xs.length, xs.length ** 2];
      terms.forEach((term, k) => (totals[k] = (totals[k] as number) + term));
    }
    const { betweenMeanSquare, withinMeanSquare, f, m0 } = anova(totals);
    expect(betweenMeanSquare).toBeCloseTo(30 / 2, 12);
    expect(withinMeanSquare).toBeCloseTo(4 / 3, 12);
    expect(m0).toBeCloseTo((6 - 14 / 6) / 2, 12);
    expect(logF(Float64Array.from(totals), new Float64Array(6))).toBeCloseTo(Math.log(f), 12);
    expect(intraclassCorrelation(1, m0)).toBe(0);
    expect(intraclassCorrelation(f, m0)).toBeCloseTo((f - 1) / (f + m0 - 1), 12);
    const gradient = new Float64Array(6);
    logF(Float64Array.from(totals), gradient);
    const along = totals.reduce((sum, total, k) => sum + total * (gradient[k] as number), 0);
    expect(along).toBeCloseTo(0, 9);
  });

  it('say NaN where nothing is defined', () => {
    const scratch = new Float64Array(6);
    expect(logVariance(powerSums([2, 2, 2], 2), scratch)).toBeNaN();
    expect(logF(Float64Array.of(3, 3, 1, 2, 2, 3), scratch)).toBeNaN();
    expect(logEffectiveShare(Float64Array.of(3, 0, 0), scratch)).toBeNaN();
  });
});
