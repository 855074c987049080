import { describe, expect, test } from 'vitest';
import { philox4x32, Random, STREAM, unitInterval } from './philox';
import { gumbel, sampleRow, type SampleSettings } from './sampler';

const SETTINGS: SampleSettings = { temperature: 1, seed: 7, sequence: 3, step: 2 };

function sample(logits: readonly number[], changes: Partial<SampleSettings> = {}): number {
  const row = Float32Array.from(logits);
  return sampleRow(row, 0, row.length, { ...SETTINGS, ...changes });
}

describe('Philox4x32-10', () => {
  // Known answers published with the Random123 library.
  test.each([
    [
      [0, 0],
      [0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('key %j, counter %j', (key, counter, want) => {
    const [k0 = 0, k1 = 0] = key;
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter;
    expect(philox4x32(k0, k1, c0, c1, c2, c3)).toEqual(want);
  });
});

describe('Gumbel noise', () => {
  test('is finite at both ends of the bits', () => {
    expect(gumbel(0)).toBeCloseTo(-Math.log(-Math.log(2 ** -24)), 6);
    expect(gumbel(0xffffffff)).toBeCloseTo(24 * Math.LN2, 5);
  });

  test('has the mean and variance of a standard Gumbel distribution', () => {
    const random = new Random(1, STREAM.display);
    const n = 40_000;
    const draws = Array.from({ length: n }, () => gumbel(random.bits()));
    const mean = draws.reduce((a, b) => a + b, 0) / n;
    const variance = draws.reduce((sum, g) => sum + (g - mean) ** 2, 0) / n;
    // Euler's constant and pi^2 / 6; four standard errors (fourth central moment: 5.4 sigma^4)
    expect(Math.abs(mean - 0.5772156649)).toBeLessThan(4 * Math.sqrt(1.645 / n));
    expect(Math.abs(variance - Math.PI ** 2 / 6)).toBeLessThan(4 * 1.645 * Math.sqrt(4.4 / n));
  });
});

describe('sampling a row', () => {
  test('follows softmax(logits / temperature): chi-square', () => {
    const logits = [2, 1, 0, -1, 0.5, -Infinity];
    const temperature = 0.5;
    const n = 8000;
    const seen = new Array<number>(6).fill(0);
    for (let sequence = 0; sequence < n; sequence++) {
      const id = sample(logits, { temperature, sequence });
      seen[id] = seen[id] + 1;
    }
    const weights = logits.map((x) => Math.exp(x / temperature));
    const total = weights.reduce((a, b) => a + b);
    expect(seen[5]).toBe(0);
    let chiSquare = 0;
    for (let id = 0; id < 5; id++) {
      const expected = (n * weights[id]) / total;
      chiSquare += (seen[id] - expected) ** 2 / expected;
    }
    // 99.9 % quantile of chi-square with 4 degrees of freedom
    expect(chiSquare).toBeLessThan(18.47);
  });

  test('takes its noise from the documented counter', () => {
    const flat = new Array<number>(11).fill(0);
    const noise = flat.map((_, v) => {
      const words = philox4x32(SETTINGS.seed, STREAM.sampling, v >> 2, 2, 3, 0);
      return -Math.log(-Math.log(unitInterval(words[v & 3])));
    });
    expect(sample(flat)).toBe(noise.indexOf(Math.max(...noise)));
  });

  test('seed, sequence and step each give other draws; the same ones the same', () => {
    const flat = new Array<number>(1000).fill(0);
    const draws = [{}, { seed: 8 }, { sequence: 4 }, { step: 3 }].map((c) => sample(flat, c));
    expect(new Set(draws).size).toBe(4);
    expect(sample(flat)).toBe(draws[0]);
  });

  test('temperature 0 takes the largest logit, the first of equals', () => {
    expect(sample([0, 3, 1, 3], { temperature: 0 })).toBe(1);
    expect(sample([NaN, -Infinity, -5, Infinity], { temperature: 0 })).toBe(2);
  });

  test('reads the row at its offset', () => {
    const logits = Float32Array.of(9, 9, 0, 1, 0, 9);
    expect(sampleRow(logits, 2, 3, { ...SETTINGS, temperature: 0 })).toBe(1);
  });

  test('refuses rows without a usable logit and impossible temperatures', () => {
    expect(() => sample([NaN, -Infinity])).toThrow('No logit of sequence 3, step 2 is a usable');
    expect(() => sample([0], { temperature: -1 })).toThrow('must be 0 or more, not -1');
    expect(() => sample([0], { temperature: NaN })).toThrow('must be 0 or more, not NaN');
  });
});
