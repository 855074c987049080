import { describe, expect, test } from 'vitest';
import { floatsFromHalves, fromHalf, toHalf } from './half';

describe('half precision', () => {
  test('every number that it has comes back as its own bits', () => {
    const all = Array.from({ length: 0x10000 }, (_, bits) => bits);
    const numbers = all.filter((bits) => !Number.isNaN(fromHalf(bits)));
    expect(numbers).toHaveLength(0x10000 - 2 * 1023);
    expect(numbers.filter((bits) => toHalf(fromHalf(bits)) !== bits)).toEqual([]);
    expect(fromHalf(toHalf(NaN))).toBeNaN();
  });

  test('known numbers: one, a third, the largest, the smallest normal and subnormal', () => {
    const known: [number, number][] = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x7c00, Infinity],
    ];
    for (const [bits, x] of known) {
      expect(fromHalf(bits)).toBe(x);
      expect(toHalf(x)).toBe(bits);
    }
    expect(toHalf(-0)).toBe(0x8000);
    expect(Array.from(floatsFromHalves(Uint16Array.of(0x3c00, 0x7bff)))).toEqual([1, 65504]);
  });

  test('between two numbers the nearest is taken, of two as near the even one', () => {
    for (let bits = 0; bits < 0x7bff; bits += 97) {
      const [low, high] = [fromHalf(bits), fromHalf(bits + 1)];
      const middle = (low + high) / 2;
      expect(toHalf(low + (high - low) * 0.49)).toBe(bits);
      expect(toHalf(low + (high - low) * 0.51)).toBe(bits + 1);
      expect(toHalf(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(toHalf(-middle)).toBe((bits % 2 === 0 ? bits : bits + 1) | 0x8000);
    }
    expect(toHalf(65519)).toBe(0x7bff);
    expect(toHalf(65520)).toBe(0x7c00);
    expect(toHalf(2 ** -26)).toBe(0);
  });
});
