import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { colourBound, tokenColour } from './colour';

const strength = (css: string) => Number(/([\d.]+)%/.exec(css)?.[1]);
const finite = fc.double({ noNaN: true, min: -50, max: 50 });

describe('the colour of a log-ratio', () => {
  it('is as strong below zero as above, and grows with its size', () => {
    fc.assert(
      fc.property(finite, finite, fc.double({ noNaN: true, min: 0.01, max: 60 }), (a, b, bound) => {
        expect(strength(tokenColour(a, bound))).toBe(strength(tokenColour(-a, bound)));
        const [small, large] = Math.abs(a) < Math.abs(b) ? [a, b] : [b, a];
        expect(strength(tokenColour(small, bound))).toBeLessThanOrEqual(
          strength(tokenColour(large, bound)),
        );
      }),
    );
  });

  it('tells up from down, and leaves zero and what is no number neutral', () => {
    expect(tokenColour(0.1, 1)).toContain('--diverge-up');
    expect(tokenColour(-0.1, 1)).toContain('--diverge-down');
    expect(strength(tokenColour(0, 1))).toBe(0);
    expect(tokenColour(Number.NaN, 1)).not.toContain('diverge');
  });
});

describe('colourBound', () => {
  it('is round, holds at least 98 % of the tokens and wastes little', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 200 }), (ratios) => {
        const bound = colourBound(ratios);
        const inside = ratios.filter((d) => Math.abs(d) <= bound * (1 + 1e-9)).length;
        expect(inside / ratios.length).toBeGreaterThanOrEqual(0.98);
        const largest = Math.max(...ratios.map(Math.abs), 1e-6);
        expect(bound).toBeLessThanOrEqual(2.5 * largest * (1 + 1e-9));
        expect(['1', '2', '5']).toContain(bound.toExponential(0)[0]);
      }),
    );
  });

  it('is not thrown by infinite ratios or by none at all', () => {
    expect(colourBound([Infinity, 0.3, -Infinity])).toBe(0.5);
    expect(colourBound([])).toBe(1e-6);
  });
});
