import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { logNormalParetoK, paretoTail, tailLength } from './pareto';

/** log of generalised Pareto draws with shape k */
function paretoSample(k: number, n: number): Float64Array {
  const random = new Random(3, STREAM.synthetic);
  return Float64Array.from({ length: n }, () =>
    Math.log(Math.expm1(-k * Math.log(random.uniform())) / k),
  );
}

describe('Pareto k-hat', () => {
  it('recovers the shape of a generalised Pareto tail', () => {
    for (const k of [0.2, 0.5, 1, 1.5]) {
      const fit = paretoTail(paretoSample(k, 20_000));
      expect(fit.tail).toBe(425);
      expect(Math.abs(fit.k - k)).toBeLessThan(3.5 * fit.standardError);
      expect(fit.standardError).toBeCloseTo((1 + fit.k) / Math.sqrt(425), 12);
    }
  });

  it('is negative for a bounded tail: uniform weights have k = -1', () => {
    const random = new Random(4, STREAM.synthetic);
    const logs = Float64Array.from({ length: 20_000 }, () => Math.log(random.uniform()));
    expect(paretoTail(logs).k).toBeCloseTo(-1, 0);
  });

  it('does not change when all weights are scaled, nor overflow', () => {
    const logs = paretoSample(0.7, 5000);
    const shifted = paretoTail(logs.map((x) => x + 2000));
    expect(shifted.k).toBeCloseTo(paretoTail(logs).k, 6);
  });

  it('grows with the variance of log-normal weights, as measured on such weights', () => {
    const random = new Random(5, STREAM.synthetic);
    let before = -Infinity;
    for (const sd of [0.1, 1, 2]) {
      const predicted = logNormalParetoK(20_000, sd * sd);
      const logs = Float64Array.from({ length: 20_000 }, () => sd * random.normal());
      const { k, standardError } = paretoTail(logs);
      expect(Math.abs(k - predicted)).toBeLessThan(3 * standardError);
      expect(predicted).toBeGreaterThan(before);
      before = predicted;
    }
  });

  it('says nothing about few or equal weights', () => {
    expect(tailLength(40)).toBe(8);
    expect(paretoTail(paretoSample(0.5, 40)).k).toBeNaN();
    expect(paretoTail(new Float64Array(500)).k).toBeNaN();
  });
});
