import { expect, test } from 'vitest';
import { DEFAULT_TRAINING } from '../../../src/settings/training';
import type { PolicyManifest } from '../../../src/policy/manifest';
import { stampOfRace } from './race-stamp';

const hash = (letter: string) => letter.repeat(64);
const { policy, start, seed } = DEFAULT_TRAINING;
const SHIPPED = [
  {
    name: policy,
    onnx: { file: 'onnx/model.onnx', sha256: hash('a') },
    config: { file: 'config.json', sha256: hash('d') },
    tokenizer: { file: 'tokenizer.json', sha256: hash('e') },
    checkpoints: [
      { id: start, file: `checkpoints/${start}.safetensors`, sha256: hash('b') },
      { id: 'another', file: 'checkpoints/another.safetensors', sha256: hash('c') },
    ],
  },
] as PolicyManifest[];
const race = { settings: DEFAULT_TRAINING, backend: null, own: null };

test('a race’s figures name its start, its seed and the files that it began from', () => {
  const stamp = stampOfRace(race, 'https://example.org/#/train', SHIPPED);
  expect(stamp.seed).toBe(seed);
  expect(stamp.source).toContain(`from ${policy}, ${start}`);
  expect(stamp.policies.map(({ sha256 }) => sha256)).toEqual(['a', 'd', 'e', 'b'].map(hash));
  expect(stamp.link).toBe('https://example.org/#/train');
});

test('a start of the person’s own is named, and no shipped hash is claimed for it', () => {
  const own = { name: 'mine.safetensors', bytes: new Uint8Array() };
  const stamp = stampOfRace({ ...race, own }, null, SHIPPED);
  expect(stamp.source).toContain('mine.safetensors');
  expect(stamp.policies.map(({ sha256 }) => sha256)).toEqual(['a', 'd', 'e'].map(hash));
});
