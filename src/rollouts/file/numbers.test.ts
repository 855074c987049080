/** The fast reader of number arrays is JSON.parse, to the last bit, or leaves the line to it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObject } from './numbers';

const bytes = (text: string) => new TextEncoder().encode(text);
/** Arrays are good until the next line only, hence the copies. */
const parse = (text: string) => {
  const fields = parseObject(bytes(text));
  if (fields === null) return null;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Float64Array ? Array.from(value) : value,
    ]),
  );
};

describe('numbers', () => {
  const bits = (values: readonly number[]) => new BigUint64Array(Float64Array.from(values).buffer);
  const same = (texts: readonly string[]) => {
    const line = `{"a":[${texts.join(',')}]}`;
    const found = parseObject(bytes(line));
    expect(found?.['a']).toBeInstanceOf(Float64Array);
    const values = Array.from(found?.['a'] as Float64Array);
    expect(bits(values)).toEqual(bits((JSON.parse(line) as { a: number[] }).a));
  };

  it('every float64, as JavaScript writes it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        (values) => same(values.map(String)),
      ),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('float32 log-probs with the digits of a float64, as Python writes tensors', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -60, max: 0, noNaN: true }), { minLength: 1 }),
        (values) => same(values.map((x) => (Math.abs(x) < 1e-4 ? x.toExponential() : String(x)))),
      ),
      { numRuns: 2000, seed: 2 },
    );
  });

  it('any number of digits, any exponent, also next to a tie', () => {
    const digits = fc.string({
      unit: fc.constantFrom(...'0123456789'),
      minLength: 1,
      maxLength: 25,
    });
    const text = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.nat(99),
        digits,
        fc.constantFrom('', 'e-7', 'E+3', 'e-30'),
      )
      .map(([sign, whole, part, power]) => `${sign}${whole}.${part}${power}`);
    fc.assert(fc.property(fc.array(text, { minLength: 1 }), same), { numRuns: 2000, seed: 3 });
    // 2^53 + 1 lies half way between two float64, and so do its neighbours in decimals.
    same(['9007199254740993', '9007199254740993.0', '9007199254740.9925', '-0', '0.0', '0e5']);
    same(['1.0000000000000001', '1.0000000000000002', '0.50000000000000005', '-1.1920929e-07']);
  });
});

describe('lines', () => {
  it('are what JSON.parse makes of them, whatever stands around the arrays', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc.oneof(
            fc.jsonValue({ maxDepth: 3 }),
            fc.array(fc.double({ noNaN: true, min: -9, max: 0 })),
          ),
        ),
        (fields) => {
          const text = JSON.stringify(fields);
          expect(parse(text)).toEqual(JSON.parse(text));
          const spaced = JSON.stringify(fields, null, 1);
          expect(parse(spaced)).toEqual(JSON.parse(spaced));
        },
      ),
      { numRuns: 1000, seed: 4 },
    );
  });

  it('keep text that looks like an array, and the last of two equal names', () => {
    const text = String.raw`{"prompt":"\"logp_old\":[-1,-2]","a":[1],"a":[2,3],"__proto__":[4]}`;
    const found = parse(text);
    expect(found?.['prompt']).toBe('"logp_old":[-1,-2]');
    expect(found?.['a']).toEqual([2, 3]);
    expect(Object.getPrototypeOf(parseObject(bytes(text)))).toBe(Object.prototype);
  });

  it.each([
    '{"a":[1,]}',
    '{"a":[01]}',
    '{"a":[+1]}',
    '{"a":[1.]}',
    '{"a":[.5]}',
    '{"a":[1e]}',
    '{"a":[-]}',
    '{"a":[NaN]}',
    '{"a":[1 2]}',
    '{"a":[1,2}',
    '{"a":[1,2',
    '{"a":[1]',
    '{[1]:2}',
    '{"a" [1]}',
    '{"a":[1]}]',
    '{"a":"[1]',
    '[1]',
    '3',
    '',
  ])('%s is left to JSON.parse', (text) => {
    expect(parseObject(bytes(text))).toBeNull();
  });

  it('arrays inside of arrays and objects stay plain', () => {
    const text = '{"a":[[1,2],[3]],"meta":{"b":[1,2]},"c":["x",1]}';
    expect(parseObject(bytes(text))).toEqual(JSON.parse(text));
  });
});
