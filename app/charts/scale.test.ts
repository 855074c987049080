import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countCeiling, domainOf, linearScale, logScale, widen, type Domain } from './scale';

const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
const domain = fc
  .tuple(finite, fc.double({ noNaN: true, min: 1e-5, max: 1e6 }))
  .map(([low, span]): Domain => [low, low + Math.max(span, Math.abs(low) * 1e-6)]);

describe('linearScale', () => {
  it('inverts itself and keeps its ticks inside, in order, few and distinct', () => {
    fc.assert(
      fc.property(domain, fc.integer({ min: 1, max: 10 }), (d, wanted) => {
        const scale = linearScale(d, wanted);
        const middle = (d[0] + d[1]) / 2;
        const span = d[1] - d[0];
        expect(Math.abs(scale.invert(scale.at(middle)) - middle)).toBeLessThan(1e-6 * span);
        expect(scale.ticks.length).toBeLessThanOrEqual(2 * wanted + 2);
        expect(new Set(scale.ticks.map(({ label }) => label)).size).toBe(scale.ticks.length);
        for (const { value } of scale.ticks) {
          expect(scale.at(value)).toBeGreaterThanOrEqual(-1e-6);
          expect(scale.at(value)).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
    );
  });

  it('labels round numbers with real minus signs', () => {
    expect(linearScale([-0.1, 0.1], 4).ticks.map(({ label }) => label)).toEqual([
      '−0.10',
      '−0.05',
      '0',
      '0.05',
      '0.10',
    ]);
  });
});

describe('logScale', () => {
  it('labels of small numbers are those numbers, between decades too', () => {
    expect(logScale([1.5e-3, 0.03]).ticks.map(({ label }) => label)).toEqual([
      '2 × 10⁻³',
      '5 × 10⁻³',
      '0.01',
      '0.02',
    ]);
  });

  it('maps equal ratios to equal steps', () => {
    const scale = logScale([1e-12, 1e-2]);
    expect(scale.at(1e-7)).toBeCloseTo(0.5, 12);
    expect(scale.invert(0.5)).toBeCloseTo(1e-7, 12);
  });

  it('has whole decades on a long axis, 1, 2 and 5 on a short one', () => {
    expect(logScale([1e-12, 1e-2], 5).ticks.map(({ value }) => value)).toEqual([
      1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2,
    ]);
    expect(logScale([3.5, 180]).ticks.map(({ label }) => label)).toEqual([
      '5',
      '10',
      '20',
      '50',
      '100',
    ]);
  });
});

describe('axes of a live run', () => {
  it('never narrow', () => {
    fc.assert(
      fc.property(fc.array(domain, { minLength: 1, maxLength: 8 }), (seen) => {
        let now: Domain | null = null;
        for (const next of seen) {
          const wider: Domain = widen(now, next);
          expect(wider[0]).toBeLessThanOrEqual(Math.min(next[0], now?.[0] ?? Infinity));
          expect(wider[1]).toBeGreaterThanOrEqual(Math.max(next[1], now?.[1] ?? -Infinity));
          now = wider;
        }
      }),
    );
  });

  it('hold their largest count without wasting half the height', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 1e7 }), (largest) => {
        const ceiling = countCeiling(largest);
        expect(ceiling).toBeGreaterThanOrEqual(largest);
        expect(ceiling).toBeLessThanOrEqual(2 * largest);
      }),
    );
  });

  it('ignore what is not finite and give room to a single value', () => {
    expect(domainOf([Number.NaN, Infinity])).toEqual([0, 1]);
    const [low, high] = domainOf([1, Number.NaN, 1]);
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(1);
  });

  it('end, and stay readable, where all values agree to the last digits of float64', () => {
    const s = [Math.exp(0.01), Math.exp(0.01) * (1 + 2 ** -52), Math.exp(0.01)];
    const domain = domainOf(s);
    expect(domain[1] - domain[0]).toBeGreaterThan(1e-3);
    expect(linearScale(domain).ticks.length).toBeLessThan(20);
    expect(linearScale([1.01, 1.01 + 2 ** -52]).ticks.length).toBeLessThan(20);
  });
});
