import { describe, expect, it } from 'vitest';
import {
  combination,
  fisherZ,
  logEffectiveShare,
  logKurtosis,
  logRatioOf,
  logVariance,
  logVarianceAt,
  meanStatistic,
} from './statistics';

const powerSums = (xs: readonly number[], most: number): Float64Array =>
  Float64Array.from({ length: most + 1 }, (_, k) => xs.reduce((sum, x) => sum + x ** k, 0));

describe('smooth statistics', () => {
  it('are the textbook numbers on small data', () => {
    // variance of 1, 2, 3, 4 is 5/3
    expect(Math.exp(logVariance(powerSums([1, 2, 3, 4], 2)))).toBeCloseTo(5 / 3, 12);
    expect(meanStatistic(powerSums([1, 2, 6], 1))).toBe(3);
    // two points of equal mass: kurtosis 1, the least there is
    expect(Math.exp(logKurtosis(powerSums([-1, 1, -1, 1], 4)))).toBeCloseTo(1, 12);
    expect(Math.exp(logKurtosis(powerSums([9, 11, 9, 11], 4)))).toBeCloseTo(1, 6);
    // weights 1, 1, 1, 1 are worth four; 1, 0, 0, 0 one of four
    expect(Math.exp(logEffectiveShare(powerSums([1, 1, 1, 1], 2)))).toBeCloseTo(1, 12);
    expect(Math.exp(logEffectiveShare(Float64Array.of(4, 1, 1)))).toBeCloseTo(0.25, 12);
    // (0, 0), (1, 1), (2, 0) do not correlate; (0, 1), (1, 1), (2, 2) do
    expect(Math.tanh(fisherZ(Float64Array.of(3, 3, 1, 5, 1, 1)))).toBeCloseTo(0, 12);
    expect(Math.tanh(fisherZ(Float64Array.of(3, 3, 4, 5, 5, 6)))).toBeCloseTo(Math.sqrt(3) / 2, 12);
  });

  it('add up as they are weighted', () => {
    const totals = Float64Array.of(...powerSums([1, 2, 4], 2), ...powerSums([3, 5, 5, 9], 2));
    const both = combination([
      { weight: 2, of: logVarianceAt(0) },
      { weight: -0.5, of: logVarianceAt(3) },
      { weight: 0.3, of: logRatioOf(2, 0) },
    ]);
    const expected =
      2 * logVariance(powerSums([1, 2, 4], 2)) -
      0.5 * logVariance(powerSums([3, 5, 5, 9], 2)) +
      0.3 * Math.log(7);
    expect(both(totals)).toBeCloseTo(expected, 12);
  });

  it('say NaN where nothing is defined', () => {
    expect(logVariance(powerSums([2, 2, 2], 2))).toBeNaN();
    expect(logKurtosis(powerSums([2, 2, 2], 4))).toBeNaN();
    expect(logEffectiveShare(Float64Array.of(3, 0, 0))).toBeNaN();
    expect(logRatioOf(0, 1)(Float64Array.of(1, 0))).toBeNaN();
    expect(fisherZ(Float64Array.of(3, 3, 3, 3, 3, 3))).toBeNaN();
  });
});
