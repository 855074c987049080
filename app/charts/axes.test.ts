import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extent, labelRows, labelSpan, logDomainOf, sampled } from './axes';

const positive = fc.double({ noNaN: true, min: 1e-9, max: 1e9 });

describe('logDomainOf', () => {
  it('holds every positive value with room on both sides, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), (values) => {
        const [low, high] = logDomainOf([...values, 0, -1, Number.NaN, Infinity]);
        expect(low).toBeGreaterThan(0);
        expect(low).toBeLessThan(Math.min(...values));
        expect(high).toBeGreaterThan(Math.max(...values));
        expect(Number.isFinite(high)).toBe(true);
      }),
    );
  });
});

describe('extent', () => {
  it('holds the values whole, and intervals only as far as they inform', () => {
    expect(extent([{ y: 2, interval: [1, 3] }])).toEqual([2, 1, 3]);
    expect(extent([{ y: 2, interval: [1e-9, 1e9] }])).toEqual([2, 0.5, 8]);
    expect(extent([{ y: Number.NaN, interval: [1, 3] }])).toEqual([]);
  });

  it('leaves intervals around zero and below as they are', () => {
    expect(extent([{ y: -0.1, interval: [-0.3, 0.1] }])).toEqual([-0.1, -0.3, 0.1]);
  });
});

describe('sampled', () => {
  it('walks the axis from end to end, in even steps of that axis', () => {
    const line = sampled([1, 10_000], 'log', (x) => 1 / x, 4);
    expect(line.map(([x]) => Math.round(x))).toEqual([1, 10, 100, 1000, 10_000]);
    for (const [x, y] of line) expect(y * x).toBeCloseTo(1, 12);
    expect(sampled([0, 4], 'linear', (x) => x, 4).map(([x]) => x)).toEqual([0, 1, 2, 3, 4]);
  });

  it('leaves out where there is nothing to draw', () => {
    expect(sampled([0, 2], 'linear', (x) => 1 / x, 2).map(([x]) => x)).toEqual([1, 2]);
  });
});

describe('labels of lines', () => {
  it('never lie on one another, nor outside the plot where they fit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.double({ min: 0, max: 600, noNaN: true }), n: fc.nat(30) })),
        (marks) => {
          const spans = marks.map(({ at, n }) => labelSpan(at, 'x'.repeat(n), 600));
          const rows = labelRows(spans);
          spans.forEach((a, i) => {
            expect(a.from >= 0 && a.to <= 600).toBe(true);
            spans.forEach((b, j) => {
              if (i < j && rows[i] === rows[j]) expect(a.to < b.from || b.to < a.from).toBe(true);
            });
          });
        },
      ),
    );
  });

  it('share a row where there is room', () => {
    expect(labelRows([50, 300, 80].map((at) => labelSpan(at, 'GSPO 3e-4', 600)))).toEqual([
      0, 0, 1,
    ]);
    expect(labelSpan(590, 'GRPO 0.2', 600).end).toBe(true);
  });
});
