import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  counted,
  digitsApart,
  duration,
  fixed,
  signed,
  significant,
  single,
  timesAsMuch,
} from './numbers';

/** Back from what a person reads. */
function read(text: string): number {
  const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  const plain = text.replaceAll('−', '-').replace(/ × 10(.*)$/, (_, power: string) => {
    const exponent = [...power].map((c) => (c === '⁻' ? '-' : digits.indexOf(c))).join('');
    return `e${exponent}`;
  });
  return Number(plain);
}

describe('significant', () => {
  it('loses nothing beyond the last digit shown', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
        fc.integer({ min: 1, max: 9 }),
        (x, digits) => {
          const back = read(significant(x, digits));
          expect(Math.abs(back - x)).toBeLessThanOrEqual(Math.abs(x) * 10 ** (1 - digits) * 0.51);
        },
      ),
    );
  });

  it('keeps trailing zeros: they are digits', () => {
    expect(significant(1, 4)).toBe('1.000');
    expect(single(0.9714684)).toBe('0.9714684');
  });

  it('rounds up into the next power of ten without gaining a digit', () => {
    expect(significant(9.996, 3)).toBe('10.0');
  });

  it('says what is not a number', () => {
    expect(significant(Number.NaN, 3)).toBe('not a number');
    expect(significant(-Infinity, 3)).toBe('−∞');
  });
});

describe('fixed and signed', () => {
  it('never shows a negative zero', () => {
    expect(fixed(-1e-9, 3)).toBe('0.000');
    expect(signed(-1e-9, 3)).toBe('0.000');
    expect(signed(1e-9, 3)).toBe('0.000');
  });

  it('signs what is left after rounding', () => {
    expect(signed(0.0125, 2)).toBe('+0.01');
    expect(signed(-0.5, 1)).toBe('−0.5');
  });
});

describe('words', () => {
  it('durations carry over', () => {
    expect([duration(59.4), duration(59.6), duration(3599.6)]).toEqual([
      '59 s',
      '1 min 0 s',
      '1 h 0 min',
    ]);
    expect(duration(-1)).toBe('unknown');
  });

  it('one is singular', () => {
    expect([counted(1, 'token'), counted(1024, 'token')]).toEqual(['1 token', '1,024 tokens']);
  });
});

describe('digits that tell numbers apart', () => {
  it.each([
    [[0.992, 0.99196, 0.996], 5],
    [[-1, -0.8, -1.2], 3],
    [[1, 1, 1], 3],
    [[0.25, 0.25 + 1e-12], 7],
  ])('%j takes %d', (values, digits) => {
    expect(digitsApart(values)).toBe(digits);
  });

  it('says how many times, not which power of ten', () => {
    expect([2.74, 0.27, 1, -0.3, 8].map(timesAsMuch)).toEqual([
      '550 times',
      '1.9 times',
      '10 times',
      '0.50 times',
      '1.0 × 10⁸ times',
    ]);
  });
});
