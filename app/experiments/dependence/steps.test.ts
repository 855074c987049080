import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepsOf } from './steps';

const part = fc.double({ noNaN: true, min: -1, max: 1 });

describe('bars of the decomposition', () => {
  it('join end to end, from 0 to the total, also where a part is negative', () => {
    fc.assert(
      fc.property(fc.tuple(part, part, part, part, part, part), (values) => {
        const [naive, position, covariance, prompt, mean, rest] = values;
        const total = values.reduce((a, b) => a + b, 0);
        const steps = stepsOf({ total, naive, position, covariance, prompt, mean, rest });
        const parts = steps.slice(0, -1);
        expect(parts[0]?.from).toBe(0);
        parts.forEach((step, i) => {
          if (i > 0) expect(step.from).toBe(parts[i - 1]?.to);
          expect(step.to - step.from).toBeCloseTo(step.value, 12);
        });
        expect(parts.at(-1)?.to).toBeCloseTo(total, 12);
        expect(steps.at(-1)).toMatchObject({ from: 0, to: total, value: total });
      }),
    );
  });
});
