import { createHash } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { sha256Hex } from './fetch';

const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * 31) % 256);
const expected = createHash('sha256').update(bytes).digest('hex');

afterEach(() => {
  vi.unstubAllGlobals();
});

test('is SHA-256 as Node computes it', async () => {
  expect(await sha256Hex(bytes)).toBe(expected);
});

test('is the same where the page is no secure context', async () => {
  vi.stubGlobal('crypto', { getRandomValues: () => undefined });
  expect(await sha256Hex(bytes)).toBe(expected);
});
