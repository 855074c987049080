import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Weights } from './graph/lift';
import { readSafetensors, SafetensorsError, writeSafetensors } from './safetensors';

const sample: Weights = new Map([
  ['a.weight', { shape: [2, 3], values: new Float32Array([1, -2, 3, 4.5, 1e-30, -0]) }],
  ['b.weight', { shape: [1], values: new Float32Array([7]) }],
]);

describe('safetensors', () => {
  test('what is written is read back, names, shapes, bits and metadata', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.tuple(
            fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__metadata__'),
            fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 20 }),
          ),
          { selector: ([name]) => name, maxLength: 6 },
        ),
        (entries) => {
          const weights: Weights = new Map(
            entries.map(([name, values]) => [
              name,
              { shape: [values.length], values: new Float32Array(values) },
            ]),
          );
          const back = readSafetensors(writeSafetensors(weights, { step: '12' }));
          expect(back.metadata.get('step')).toBe('12');
          expect(back.weights).toEqual(weights);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('weights that are not finite are refused by tensor and place, overlapping tensors by name', () => {
    for (const wrong of [NaN, Infinity, -Infinity]) {
      const weights: Weights = new Map([
        ...sample,
        ['c.weight', { shape: [3], values: new Float32Array([1, 2, wrong]) }],
      ]);
      expect(() => readSafetensors(writeSafetensors(weights))).toThrow(
        `tensor "c.weight" has ${wrong} at element 2`,
      );
    }
    const text = JSON.stringify({
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] },
    });
    const bytes = new Uint8Array(8 + text.length + 12);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(new TextEncoder().encode(text), 8);
    expect(() => readSafetensors(bytes)).toThrow('tensors "a" and "b" overlap');
  });

  test('halves of both kinds are read as the floats that they are', () => {
    const text = JSON.stringify({
      f: { dtype: 'F16', shape: [3], data_offsets: [0, 6] },
      b: { dtype: 'BF16', shape: [3], data_offsets: [6, 12] },
    });
    const bytes = new Uint8Array(8 + text.length + 12);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(new TextEncoder().encode(text), 8);
    // 1, -2, 65504 in half precision; 1, -2, 2^100 in bfloat16
    const halves = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x3f80, 0xc000, 0x7180]);
    bytes.set(new Uint8Array(halves.buffer), 8 + text.length);
    const { weights } = readSafetensors(bytes);
    expect(Array.from(weights.get('f')?.values ?? [])).toEqual([1, -2, 65504]);
    expect(Array.from(weights.get('b')?.values ?? [])).toEqual([1, -2, 2 ** 100]);
  });

  test('reads out of a larger buffer at an odd offset', () => {
    const bytes = writeSafetensors(sample);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readSafetensors(shifted.subarray(3)).weights).toEqual(sample);
  });

  test('any single cut or flipped byte of the header gives weights or one clear error', () => {
    const bytes = writeSafetensors(sample);
    const tryRead = (mutated: Uint8Array) => {
      try {
        readSafetensors(mutated, 'x.safetensors');
      } catch (error) {
        expect(error).toBeInstanceOf(SafetensorsError);
        expect((error as Error).message).toMatch(
          /^x\.safetensors is not a usable safetensors file: /,
        );
      }
    };
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(() => readSafetensors(bytes.subarray(0, cut))).toThrow(SafetensorsError);
    }
    for (let at = 0; at < bytes.length; at++) {
      const mutated = bytes.slice();
      mutated[at] = 0x5b ^ mutated[at];
      tryRead(mutated);
    }
  });

  test('a header that names a prototype key touches no prototype', () => {
    const text = '{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}';
    const bytes = new Uint8Array(8 + text.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(new TextEncoder().encode(text), 8);
    readSafetensors(bytes);
    expect(Object.hasOwn(Object.prototype, 'dtype')).toBe(false);
  });
});
