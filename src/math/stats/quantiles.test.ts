import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  histogramRange,
  niceStep,
  quantileOfNext,
  quantileSorted,
  sortedFinite,
} from './quantiles';

describe('quantiles and ranges', () => {
  it('interpolate as R and NumPy do by default', () => {
    expect(quantileSorted([1, 2, 3, 4], 0.25)).toBeCloseTo(1.75, 12);
    expect(quantileSorted([1, 2, 3, 4], 0.5)).toBeCloseTo(2.5, 12);
    expect(quantileSorted([1, 2, 3, 4], 1)).toBe(4);
    expect(quantileSorted([], 0.5)).toBeNaN();
    expect(quantileSorted([Infinity, Infinity], 0.5)).toBe(Infinity);
  });

  it('of the next draw: a uniform one falls below with just that probability', () => {
    for (const n of [2, 19, 299, 999]) {
      // the expected order statistics of n uniform draws
      const sorted = Float64Array.from({ length: n }, (_, i) => (i + 1) / (n + 1));
      for (const p of [0.025, 0.5, 0.975]) {
        const clamped = Math.min(Math.max(p, 1 / (n + 1)), n / (n + 1));
        expect(quantileOfNext(sorted, p)).toBeCloseTo(clamped, 12);
      }
    }
    expect(quantileOfNext([], 0.5)).toBeNaN();
    expect(quantileOfNext([7], 0.1)).toBe(7);
  });

  it('leave what is not finite out', () => {
    expect([...sortedFinite([3, NaN, -Infinity, 1])]).toEqual([1, 3]);
  });

  it('give steps of 1, 2, 5', () => {
    expect([0.9, 1, 1.1, 3, 7, 0.03].map(niceStep)).toEqual([1, 1, 2, 5, 10, 0.05]);
  });

  it('cover the central 99 % with round edges, whatever the values', () => {
    const sample = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(sample, (xs) => {
        const [low, high] = histogramRange(xs, 60, 1e-4);
        expect(low).toBeLessThan(high);
        const sorted = sortedFinite(xs);
        // edges are rounded to 12 digits
        const slack = 1e-9 * (high - low);
        expect(low - slack).toBeLessThanOrEqual(quantileSorted(sorted, 0.005));
        expect(high + slack).toBeGreaterThanOrEqual(quantileSorted(sorted, 0.995));
      }),
    );
  });

  it('are not dragged along by one wild value', () => {
    const xs = Array.from({ length: 1000 }, (_, i) => i / 1000);
    const [low, high] = histogramRange([...xs, 1e9], 60, 1e-4);
    expect(low).toBeGreaterThan(-1);
    expect(high).toBeLessThan(2);
  });

  it('survive samples without a finite value', () => {
    expect(histogramRange([NaN, Infinity], 10, 1e-4)).toEqual([0, 1]);
  });
});
