import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { autocovariance } from '../kernels';
import { compensatedSum } from '../summation';
import { automaticWindow, inflation, lagSums } from './autocorrelation';

describe('autocorrelation', () => {
  it('sums per cluster to what the autocovariance kernel finds', () => {
    const series = fc.array(
      fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 8 }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(series, (responses) => {
        const values = Float64Array.from(responses.flat());
        const offsets = new Uint32Array(responses.length + 1);
        responses.forEach((r, i) => (offsets[i + 1] = offsets[i] + r.length));
        const cluster = Uint32Array.from(responses, (_, i) => i % 2);
        const { pairs, sums } = autocovariance(values, offsets, 0, 5);
        const own = lagSums(values, offsets, cluster, 2, 5);
        for (let lag = 0; lag <= 5; lag++) {
          expect(compensatedSum(own.columns[2 * lag])).toBe(pairs[lag]);
          expect(compensatedSum(own.columns[2 * lag + 1])).toBeCloseTo(sums[lag], 9);
        }
      }),
    );
  });

  it('inflates the variance of a mean as the correlations add up', () => {
    const rho = Array.from({ length: 200 }, (_, k) => 0.5 ** k);
    expect(inflation(rho, 1)).toBe(1);
    expect(inflation(rho, 2)).toBeCloseTo(1 + 0.5, 12);
    expect(inflation(rho, 1e9)).toBeCloseTo(3, 6);
  });

  it('keeps more lags the longer the memory, also when it alternates', () => {
    const windowOf = (rho: number) =>
      automaticWindow(Array.from({ length: 400 }, (_, k) => rho ** k));
    expect(windowOf(0)).toBe(5);
    expect(windowOf(0.5)).toBe(15);
    expect(windowOf(-0.5)).toBe(15);
    expect(windowOf(0.9)).toBeGreaterThan(80);
    expect(automaticWindow([1, 0.9, 0.9])).toBe(2);
    expect(automaticWindow([1])).toBe(0);
  });
});
