import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chiSquaredTail,
  incompleteBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from './distributions';

describe('distribution functions', () => {
  it('agree with tables', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 9);
    expect(normalCdf(-6)).toBeCloseTo(9.865876450376946e-10, 20);
    expect(normalCdf(1)).toBeCloseTo(0.8413447460685429, 12);
    // Student's t, 97.5 %
    expect(studentQuantile(0.975, 1)).toBeCloseTo(12.706204736, 6);
    expect(studentQuantile(0.975, 10)).toBeCloseTo(2.228138852, 8);
    expect(studentQuantile(0.975, Infinity)).toBeCloseTo(normalQuantile(0.975), 9);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12);
    expect(logGamma(11)).toBeCloseTo(Math.log(3628800), 10);
    // chi-squared: 3.841 at 5 % of one degree, exp(-x/2) of two, 43.773 at 5 % of thirty
    expect(chiSquaredTail(3.841458820694124, 1)).toBeCloseTo(0.05, 12);
    expect(chiSquaredTail(7, 2)).toBeCloseTo(Math.exp(-3.5), 14);
    expect(chiSquaredTail(1, 2)).toBeCloseTo(Math.exp(-0.5), 14);
    expect(chiSquaredTail(43.77297182574219, 30)).toBeCloseTo(0.05, 10);
    expect(chiSquaredTail(0, 5)).toBe(1);
    // I_x(2, 3) = 6 x^2 - 8 x^3 + 3 x^4
    expect(incompleteBeta(0.3, 2, 3)).toBeCloseTo(6 * 0.09 - 8 * 0.027 + 3 * 0.0081, 12);
  });

  it('reach far into the tails, where early looks at long runs read them', () => {
    for (const p of [1e-16, 1e-20, 1e-44, 1e-100]) {
      expect(studentCdf(studentQuantile(p, 99), 99) / p).toBeCloseTo(1, 8);
    }
    // F(t) = 1/2 + atan(t) / pi for one degree of freedom
    expect(studentQuantile(1e-20, 1) / (-1e20 / Math.PI)).toBeCloseTo(1, 8);
  });

  it('invert one another', () => {
    const p = fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true });
    fc.assert(
      fc.property(p, fc.double({ min: 1, max: 200, noNaN: true }), (share, df) => {
        expect(normalCdf(normalQuantile(share))).toBeCloseTo(share, 9);
        expect(studentCdf(studentQuantile(share, df), df)).toBeCloseTo(share, 8);
      }),
    );
  });

  it('are NaN outside their range', () => {
    expect(normalQuantile(0)).toBeNaN();
    expect(normalQuantile(1.5)).toBeNaN();
    expect(studentQuantile(0.5, -1)).toBeNaN();
    expect(incompleteBeta(0.5, 0, 1)).toBeNaN();
  });
});
