import { createHash } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { fetchPolicy, sha256Hex } from './fetch';

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

test.each(['config.json', 'tokenizer.json', 'onnx/model.onnx'])(
  'a %s of other bytes is refused by its name, however sound it looks',
  async (changed) => {
    const { manifest, files } = await tinyPolicy();
    const other: typeof files = async (path, ...rest) => {
      const bytes = await files(path, ...rest);
      return path === `tiny/${changed}` ? Uint8Array.from([...bytes, 0x20]) : bytes;
    };
    await expect(fetchPolicy(files, manifest)).resolves.toBeDefined();
    await expect(fetchPolicy(other, manifest)).rejects.toThrow(
      `models/tiny/${changed} is not the file that the manifest names`,
    );
  },
);
