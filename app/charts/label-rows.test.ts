import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelRows, labelSpan } from './label-rows';

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
