/** The check of a device on a tiny policy: what is right is found right, what is broken is named. */
import { expect, test, vi } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { NoGpuError, type OpenedDevice } from '../gpu/device';
import { cpuKernels } from '../math/cpu-kernels';
import type { FileSource } from '../policy/fetch';
import { loadRuntime } from '../policy/runtime';
import type { ScoringKernels } from '../policy/score';
import { checkDevice, type CheckParts, type CheckProgress } from './device-check';

const noGpu: CheckParts = {
  openDevice: () => Promise.reject(new NoGpuError('This browser has no WebGPU.')),
  createKernels: () => cpuKernels,
  loadRuntime,
};

/** A GPU that computes as the CPU does, but for what the test changes. */
function gpu(kernels: ScoringKernels = cpuKernels, load = loadRuntime) {
  const destroy = vi.fn();
  const opened = {
    device: {
      destroy,
      features: new Set(['subgroups']),
      limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 },
    },
    name: 'acme one',
    isFallbackAdapter: true,
  } as unknown as OpenedDevice;
  const parts: CheckParts = {
    openDevice: () => Promise.resolve(opened),
    createKernels: () => kernels,
    loadRuntime: (provider, options) =>
      provider === 'webgpu'
        ? load('wasm', { assets: NODE_ASSETS })
        : loadRuntime(provider, options),
  };
  return { parts, destroy };
}

async function check(parts: CheckParts, signal = new AbortController().signal) {
  const told: CheckProgress[] = [];
  const { files } = await tinyPolicy();
  const report = await checkDevice({
    assets: NODE_ASSETS,
    files,
    tell: (progress) => told.push(progress),
    signal,
    parts,
  });
  return { report, told };
}

test('without a GPU, WebAssembly is held against float64 and timed, and the reason stands there', async () => {
  const { report, told } = await check(noGpu);
  expect(report.adapter).toBe('This browser has no WebGPU.');
  const [wasm, ...others] = report.backends;
  expect(others).toEqual([]);
  expect(wasm).toMatchObject({ backend: 'wasm', failed: null });
  const [exact] = wasm?.comparisons ?? [];
  expect(exact?.what).toContain('float64');
  // float32 is never float64
  expect(exact?.by).toBeGreaterThan(0);
  expect(exact?.by).toBeLessThan(1e-5);
  expect(wasm?.speed?.sampling).toBeGreaterThan(0);
  expect(wasm?.speed?.scoring).toBeGreaterThan(0);
  const fractions = told.map(({ fraction }) => fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  expect(Math.max(...fractions)).toBeLessThan(1);
});

test('a GPU is compared kernel by kernel, with float64 and with WebAssembly, token by token', async () => {
  const { parts, destroy } = gpu();
  const { report } = await check(parts);
  expect(report.adapter).toMatchObject({
    name: 'acme one',
    software: true,
    features: ['subgroups'],
  });
  const [, own] = report.backends;
  expect(own).toMatchObject({ backend: 'webgpu', failed: null });
  const what = own?.comparisons.map((one) => one.what).join() ?? '';
  for (const part of ['log-probs over 18 tokens', 'against float64', 'responses of 4 sampled']) {
    expect(what).toContain(part);
  }
  expect(own?.comparisons.every(({ by, allowed }) => by <= allowed)).toBe(true);
  expect(destroy).toHaveBeenCalledOnce();
});

test('a GPU that computes entropies wrong is off on entropies, and on nothing else', async () => {
  const { parts } = gpu({
    ...cpuKernels,
    async tokenStats(...input) {
      const stats = await cpuKernels.tokenStats(...input);
      return { ...stats, entropy: stats.entropy.map((x) => x + 0.25) };
    },
  });
  const { report } = await check(parts);
  const off = report.backends[1]?.comparisons.filter(({ by, allowed }) => !(by <= allowed)) ?? [];
  expect(off.length).toBeGreaterThan(0);
  expect(off.every(({ what, by }) => what.includes('entropies') && by > 0.05)).toBe(true);
});

test('the same weights on two engines: how far the trainer’s log-probs are from the sampler’s, both ways', async () => {
  const { report: same } = await check(gpu().parts);
  expect(same.mismatch.map(({ sampler }) => sampler)).toEqual(['webgpu', 'wasm']);
  for (const { bias, spread, responses, tokens } of same.mismatch) {
    expect(responses).toBe(8);
    expect(tokens).toBeGreaterThan(8);
    expect([Math.abs(bias), spread].every((x) => x < 1e-6)).toBe(true);
  }
  const { parts } = gpu({
    ...cpuKernels,
    async tokenStats(...input) {
      const stats = await cpuKernels.tokenStats(...input);
      return { ...stats, logp: stats.logp.map((x) => x + 0.25) };
    },
  });
  const [onGpu, onWasm] = (await check(parts)).report.mismatch;
  expect(onGpu?.bias).toBeCloseTo(-0.25, 5);
  expect(onWasm?.bias).toBeCloseTo(0.25, 5);
  expect(onGpu?.spread).toBeLessThan(1e-5);
  expect(onGpu?.largest).toBeCloseTo(0.25, 5);
  expect(onGpu?.sumSpread).toBeGreaterThan(0.25);
});

test('a GPU whose runtime does not start is reported, and what was found on WebAssembly stands', async () => {
  const { parts, destroy } = gpu(cpuKernels, () => Promise.reject(new Error('no such operator')));
  const { report } = await check(parts);
  expect(report.backends[1]).toMatchObject({ failed: 'no such operator' });
  expect(report.backends[0]?.comparisons).toHaveLength(1);
  expect(destroy).toHaveBeenCalledOnce();
});

test('files that are not the pinned ones are reported, not computed with', async () => {
  const { files } = await tinyPolicy();
  const wrong: FileSource = async (path, ...rest) => {
    const bytes = await files(path, ...rest);
    if (!path.endsWith('config.json')) return bytes;
    const config = JSON.parse(new TextDecoder().decode(bytes)) as object;
    return new TextEncoder().encode(JSON.stringify({ ...config, rope_theta: 500 }));
  };
  await expect(
    checkDevice({
      assets: NODE_ASSETS,
      files: wrong,
      tell: () => undefined,
      signal: new AbortController().signal,
      parts: noGpu,
    }),
  ).resolves.toMatchObject({ backends: [{ failed: expect.stringContaining('config.json') }] });
});

test('cancelled, it ends', async () => {
  const abort = new AbortController();
  abort.abort(new Error('cancelled'));
  await expect(check(noGpu, abort.signal)).rejects.toThrow('cancelled');
});
