import { describe, expect, test } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { fetchCheckpoint } from './fetch';
import { readOwnId } from '../settings/run';
import { OwnCheckpoints, MAX_CHECKPOINT_BYTES } from './own';
import { writeSafetensors } from './safetensors';
import type { Weights } from './graph/lift';

const fileOf = (weights: Weights, metadata = {}) => new Blob([writeSafetensors(weights, metadata)]);

describe('a checkpoint of one’s own', () => {
  test('is listed and read like a shipped one, under a name that says what it is', async () => {
    const { files, manifest, checkpoints } = await tinyPolicy();
    const own = new OwnCheckpoints(files);
    const info = await own.add(
      manifest,
      'My Run (2).safetensors',
      fileOf(checkpoints.b, { step: '7' }),
    );
    expect(info).toMatchObject({ series: 'own', step: 7, accuracy: null });
    expect(info.id).toMatch(/^own-my-run-2-[0-9a-f]{8}$/);
    expect(readOwnId(info.id)).toEqual({
      name: 'my-run-2.safetensors',
      hash: info.sha256.slice(0, 8),
    });
    expect(readOwnId('gspo-00100')).toBe(null);
    const [listed] = own.extend([manifest]);
    expect(listed?.checkpoints.map(({ id }) => id)).toEqual(['a', 'b', info.id]);
    if (!listed) throw new Error('not listed');
    const read = await fetchCheckpoint(own.source, listed, info.id);
    expect([...read.keys()]).toEqual([...checkpoints.b.keys()]);
    for (const [name, { values }] of read) expect(values).toEqual(checkpoints.b.get(name)?.values);
    // The shipped ones are still there, and the same file again is the same checkpoint.
    await fetchCheckpoint(own.source, listed, 'a');
    const again = await own.add(
      manifest,
      'My Run (2).safetensors',
      fileOf(checkpoints.b, { step: '7' }),
    );
    expect(again.id).toBe(info.id);
    expect(own.extend([manifest])[0]?.checkpoints).toHaveLength(3);
  });

  test('of another policy, cut off, or no checkpoint at all, is refused with a sentence', async () => {
    const { files, manifest, checkpoints } = await tinyPolicy();
    const own = new OwnCheckpoints(files);
    const wider: Weights = new Map(
      [...checkpoints.a].map(([name, { shape, values }], i) =>
        i === 0 ? [name, { shape: [...shape, 1], values }] : [name, { shape, values }],
      ),
    );
    const whole = new Uint8Array(await fileOf(checkpoints.a).arrayBuffer());
    const bad: [Blob, RegExp][] = [
      [fileOf(wider), /mine\.safetensors is no checkpoint of "tiny": Tensor/],
      [fileOf(new Map([...checkpoints.a].slice(1))), /has no tensor/],
      [new Blob([whole.subarray(0, whole.length - 8)]), /mine\.safetensors/],
      [new Blob(['{"hello": 1}']), /mine\.safetensors/],
      [new Blob([]), /mine\.safetensors/],
    ];
    for (const [file, why] of bad) {
      await expect(own.add(manifest, 'mine.safetensors', file)).rejects.toThrow(why);
    }
    const huge = { size: MAX_CHECKPOINT_BYTES + 1 } as Blob;
    await expect(own.add(manifest, 'huge.safetensors', huge)).rejects.toThrow(/at most 64 MB/);
    expect(own.extend([manifest])).toEqual([manifest]);
  });
});
