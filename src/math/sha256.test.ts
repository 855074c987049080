import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from './sha256';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const reference = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('is what Node computes, whatever the length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(hex(sha256(bytes))).toBe(reference(bytes));
    }),
  );
  const large = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 31) % 256);
  expect(hex(sha256(large))).toBe(reference(large));
});
