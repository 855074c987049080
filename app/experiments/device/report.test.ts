/** What a person reads first of a check of their device. */
import { expect, test } from 'vitest';
import type { BackendReport, DeviceReport } from '../../../src/engine/device-check';
import { findingOf, runSeconds, textOf } from './report';

const right = { what: 'log-probs', by: 1e-6, allowed: 1e-4 };
const backend = (change: Partial<BackendReport>): BackendReport => ({
  backend: 'wasm',
  comparisons: [right],
  speed: { sampling: 2000, scoring: 8000, rows: 64 },
  failed: null,
  ...change,
});
const report = (...backends: BackendReport[]): DeviceReport => ({
  adapter: 'This browser has no WebGPU.',
  backends,
  mismatch: [],
  policy: 'tiny',
});

test('the time of a run is that of sampling and of scoring its tokens', () => {
  const tokens = 512 * 37;
  expect(runSeconds(backend({}))).toBeCloseTo(tokens / 2000 + tokens / 8000);
  expect(runSeconds(backend({ speed: null }))).toBeNull();
});

test.each<[string, BackendReport[], 'good' | 'bad', RegExp]>([
  ['all is right', [backend({})], 'good', /^WebAssembly computes what it should\. .* 12 s/],
  [
    'the faster of two tells the time',
    [
      backend({}),
      backend({ backend: 'webgpu', speed: { sampling: 1e5, scoring: 1e5, rows: 512 } }),
    ],
    'good',
    /^WebAssembly and WebGPU compute what they should\. .* on WebGPU\.$/,
  ],
  [
    'a GPU is off',
    [backend({}), backend({ backend: 'webgpu', comparisons: [{ ...right, by: 1 }] })],
    'bad',
    /WebGPU is off on log-probs; the lab does not use it\.$/,
  ],
  [
    'no number is off',
    [backend({}), backend({ backend: 'webgpu', comparisons: [{ ...right, by: NaN }] })],
    'bad',
    /WebGPU is off on log-probs/,
  ],
  [
    'nothing works',
    [backend({ comparisons: [], failed: 'no memory.' })],
    'bad',
    /^The lab cannot work on this device\. WebAssembly failed: no memory\.$/,
  ],
  [
    'what was not compared is not called right',
    [backend({ comparisons: [] })],
    'bad',
    /^The lab cannot work/,
  ],
])('%s', (_, backends, tone, words) => {
  const finding = findingOf(report(...backends));
  expect(finding.tone).toBe(tone);
  expect(finding.words).toMatch(words);
});

test('the report as text names each comparison, what is off, and the adapter', () => {
  const off = { what: 'entropies', by: 0.25, allowed: 1e-4 };
  const text = textOf(
    report(backend({ comparisons: [right, off] })),
    [{ name: 'browser', value: 'Some Browser 1.0' }],
    '9.9',
  );
  expect(text).toContain('GSPO Lab 9.9');
  expect(text).toContain('browser: Some Browser 1.0');
  expect(text).toContain('GPU: This browser has no WebGPU.');
  expect(text).toMatch(/ok {2}log-probs/);
  expect(text).toMatch(/OFF entropies: 0\.25/);
});
