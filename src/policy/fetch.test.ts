import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { tinyPolicy, type TinyPolicy } from '../../models/build/tiny';
import { fetchCheckpoint, fetchPolicy, sha256Hex, type FileSource } from './fetch';
import type { CheckpointInfo, PolicyManifest } from './manifest';
import { writeSafetensors } from './safetensors';
import { addDifference, differenceOf } from './weights';

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

describe('a checkpoint', () => {
  const changed = async (change: (policy: TinyPolicy) => Promise<PolicyManifest>) => {
    const policy = await tinyPolicy();
    return { ...policy, manifest: await change(policy) };
  };
  const withSecond = (manifest: PolicyManifest, more: Partial<CheckpointInfo>): PolicyManifest => {
    const [a, b] = manifest.checkpoints;
    return { ...manifest, checkpoints: [a, { ...b, ...more }] };
  };

  test('that the graph holds is read from it', async () => {
    const { manifest, files, checkpoints } = await changed(async ({ manifest }) =>
      withSecond(manifest, { ...manifest.onnx }),
    );
    const read = await fetchCheckpoint(files, manifest, 'b');
    expect([...read.keys()].sort()).toEqual([...checkpoints.a.keys()].sort());
    for (const [name, { values }] of read) expect(values).toEqual(checkpoints.a.get(name)?.values);
  });

  test('that is stored as 16-bit differences is the other one plus these', async () => {
    const { manifest, files, checkpoints } = await tinyPolicy();
    const bytes = writeSafetensors(differenceOf(checkpoints.a, checkpoints.b), {}, 'F16');
    const stored = withSecond(manifest, {
      differenceTo: 'a',
      bytes: bytes.byteLength,
      sha256: await sha256Hex(bytes),
    });
    const source: FileSource = async (path, ...rest) =>
      path.endsWith('b.safetensors') ? bytes : files(path, ...rest);
    const read = await fetchCheckpoint(source, stored, 'b');
    let largest = 0;
    for (const [name, { values }] of checkpoints.b) {
      const from = checkpoints.a.get(name)?.values as Float32Array;
      const got = read.get(name)?.values as Float32Array;
      values.forEach((x, i) => {
        const allowed = 2 ** -11 * Math.abs(x - from[i]) + 2 ** -24 * Math.abs(x) + 2 ** -34;
        expect(Math.abs(got[i] - x)).toBeLessThanOrEqual(allowed);
        largest = Math.max(largest, Math.abs(got[i] - from[i]));
      });
    }
    // and no copy of the other one
    expect(largest).toBeGreaterThan(0.01);
    const chain = { ...stored.checkpoints[0], differenceTo: 'b' };
    const circle = { ...stored, checkpoints: [chain, stored.checkpoints[1]] };
    await expect(fetchCheckpoint(source, circle, 'b')).rejects.toThrow('which is one itself');
  });

  test('is not made of differences to other tensors', () => {
    const base = new Map([['w.weight', { shape: [2], values: Float32Array.of(1, 2) }]]);
    const other = new Map([['v.weight', { shape: [2], values: Float32Array.of(1, 2) }]]);
    expect(() => addDifference(base, other)).toThrow('no tensor "w.weight"');
  });
});
