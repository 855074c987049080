import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  compensatedMean,
  compensatedMeanDifference,
  compensatedSum,
  CompensatedSum,
} from './summation';

test('small terms survive between large ones', () => {
  expect(compensatedSum([1, 1e100, 1, -1e100])).toBe(2);
  expect(compensatedSum(new Float64Array(1e6).fill(0.1))).toBe(1e5);
});

test('a sum of integers is exact in any order', () => {
  const integers = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }));
  fc.assert(
    fc.property(integers, (terms) => {
      const exact = terms.reduce((sum, term) => sum + BigInt(term), 0n);
      // A large fraction-free pair that must cancel.
      expect(BigInt(compensatedSum([2 ** 80, ...terms, -(2 ** 80)]))).toBe(exact);
    }),
  );
});

test('a part of an array; infinities and NaN as in a plain sum', () => {
  expect(compensatedSum([1, 2, 3, 4], 1, 3)).toBe(5);
  expect(compensatedSum([])).toBe(0);
  expect(compensatedSum([1, -Infinity, 2])).toBe(-Infinity);
  expect(compensatedSum([Infinity, -Infinity])).toBeNaN();
  const sum = new CompensatedSum();
  sum.add(NaN);
  expect(sum.value).toBeNaN();
});

describe('means', () => {
  const large = [1, 1e100, 1, -1e100];

  it('keep what a plain sum loses', () => {
    expect(compensatedMean(large)).toBe(0.5);
    expect(compensatedMean([7, ...large, 7], 1, 5)).toBe(0.5);
    expect(compensatedMean([], 0, 0)).toBeNaN();
  });

  it('of differences take each difference first', () => {
    const ones = large.map(() => 1);
    expect(compensatedMeanDifference([3, 2, 1], [1, 2, 3])).toBe(0);
    expect(compensatedMeanDifference(large, ones)).toBe(compensatedMean(large.map((x) => x - 1)));
    expect(compensatedMeanDifference([7, 5, 5], [7, 1, 4], 1, 3)).toBe(2.5);
  });
});
