import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowRanges } from './row-ranges';

test('every row lies whole in exactly one range that a binding can show', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      gaps,
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 4000 }),
      (steps, rowLength, extra) => {
        let start = 0;
        const starts = steps.map((step) => (start += step));
        const limit = 256 + rowLength * 4 + extra;
        const ranges = rowRanges(starts, rowLength, limit);
        let row = 0;
        for (const { from, to, offset, size } of ranges) {
          expect(from).toBe(row);
          expect(to).toBeGreaterThan(from);
          expect(offset % 256).toBe(0);
          expect(size).toBeLessThanOrEqual(limit);
          for (; row < to; row++) {
            const first = (starts[row] ?? NaN) * 4;
            expect(first).toBeGreaterThanOrEqual(offset);
            expect(first + rowLength * 4).toBeLessThanOrEqual(offset + size);
          }
        }
        expect(row).toBe(starts.length);
      },
    ),
  );
});

test('rows that fit one binding take one range', () => {
  expect(rowRanges([0, 100, 200], 100, 1200)).toEqual([{ from: 0, to: 3, offset: 0, size: 1200 }]);
  expect(rowRanges([0, 100, 200], 100, 1199)).toHaveLength(2);
  expect(rowRanges([], 100, 1200)).toEqual([]);
});

test('a row that no binding can show is refused in words', () => {
  expect(() => rowRanges([0], 100, 396)).toThrow('One row of 100 logits needs a binding of 400');
});
