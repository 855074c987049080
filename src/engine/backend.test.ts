/** Which backend is chosen, and what is said of it, where a device passes its check, fails it, or breaks. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { NODE_ASSETS } from '../../scripts/node/ort';
import type { OpenedDevice } from '../gpu/device';
import { cpuKernels } from '../math/cpu-kernels';
import { PolicyHost } from '../policy/host';
import { loadRuntime } from '../policy/runtime';
import type { ScoringKernels } from '../policy/score';
import type { Speed } from '../policy/speed';
import { openBackend, type BackendParts } from './backend';
import { proveKernels, provePolicy, tooSlow } from './device-proof';

let host: PolicyHost;
beforeAll(async () => {
  const { files, manifest } = await tinyPolicy();
  host = await PolicyHost.open(await loadRuntime('wasm', { assets: NODE_ASSETS }), files, manifest);
});

const fast = { rows: 512, tokensPerSecond: 10_000, msPerStep: 20 };
const slow = { rows: 32, tokensPerSecond: 190, msPerStep: 170 };
const wasm = { rows: 64, tokensPerSecond: 2000, msPerStep: 30 };

let devices = 0;

/** A machine whose GPU computes as the CPU does, but for what the test changes; each is an adapter of its own. */
function machine(change: Partial<BackendParts> = {}, device: Speed = fast) {
  const destroy = vi.fn();
  const opened = {
    device: { addEventListener: () => undefined, destroy },
    info: { vendor: 'acme', architecture: 'one', device: `${++devices}`, description: '' },
    name: 'acme one',
    isFallbackAdapter: false,
    lost: new Promise(() => undefined),
  } as unknown as OpenedDevice;
  const parts = {
    openDevice: vi.fn(() => Promise.resolve(opened)),
    createKernels: (): ScoringKernels => cpuKernels,
    loadRuntime,
    proveKernels: vi.fn(proveKernels),
    provePolicy: vi.fn(() =>
      Promise.resolve({
        trouble: tooSlow(device, wasm),
        speed: { device, wasm },
        fixedShapes: true,
      }),
    ),
    ...change,
  } satisfies BackendParts;
  return { parts, destroy };
}

const wrong: ScoringKernels = {
  ...cpuKernels,
  async tokenStats(...input) {
    const stats = await cpuKernels.tokenStats(...input);
    return { ...stats, entropy: stats.entropy.map((x) => x + 0.25) };
  },
};

describe('a GPU whose kernels', () => {
  test('agree is used, and proven with a policy once', async () => {
    const { parts, destroy } = machine();
    const backend = await openBackend('auto', NODE_ASSETS, parts);
    expect(backend.info).toMatchObject({ policy: 'webgpu', adapter: 'acme one' });
    expect(backend.info.rows).toBeUndefined();
    expect(await backend.prove(host)).toBe(backend);
    expect(backend.info).toMatchObject({ rows: 512 });
    expect(backend.info.reason).toContain('samples 5.0 times as fast (10,000 tokens/s, 512 resp');
    expect(backend.info).not.toHaveProperty('trouble');
    const { info } = backend;
    await backend.prove(host);
    expect(backend.info).toBe(info);
    // the device is opened again, as after a loss
    const again = await openBackend('auto', NODE_ASSETS, parts);
    host.session.fixedShapes = false;
    await again.prove(host);
    expect(again.info.rows).toBe(512);
    expect(host.session.fixedShapes).toBe(true);
    expect(parts.proveKernels).toHaveBeenCalledTimes(1);
    expect(parts.provePolicy).toHaveBeenCalledTimes(1);
    expect(destroy).not.toHaveBeenCalled();
  });

  test('are wrong is not used, and the page is told what is off by how much', async () => {
    const { parts, destroy } = machine({ createKernels: () => wrong });
    const { info } = await openBackend('auto', NODE_ASSETS, parts);
    expect(info).toMatchObject({ policy: 'wasm', kernels: 'cpu', adapter: 'acme one' });
    expect(info.reason).toMatch(
      /^The GPU \(acme one\) is not used\. It disagrees with float64 on entropies over 18 tokens \(off by 0\.\d+, allowed 0\.00001\)/,
    );
    expect(destroy).toHaveBeenCalledTimes(1);
  });

  test('are wrong is used where a person insists, and that is said', async () => {
    const { parts } = machine({ createKernels: () => wrong });
    const backend = await openBackend('webgpu', NODE_ASSETS, parts);
    expect(backend.info.policy).toBe('webgpu');
    expect(backend.info.trouble).toContain('It disagrees with float64 on entropies');
    await backend.prove(host);
    expect(backend.info.trouble).toContain('It disagrees with float64 on entropies');
  });

  test('do not run, or never end, is not used', async () => {
    const failing: ScoringKernels = {
      ...cpuKernels,
      tokenStats: () => Promise.reject(new Error('The GPU refused token statistics.')),
    };
    const { parts } = machine({ createKernels: () => failing });
    const { info } = await openBackend('auto', NODE_ASSETS, parts);
    expect(info.policy).toBe('wasm');
    expect(info.reason).toContain('It failed its check: The GPU refused token statistics.');
    const silent: ScoringKernels = {
      ...cpuKernels,
      tokenStats: () => new Promise(() => undefined),
    };
    expect(await proveKernels(silent, 20)).toContain('nothing came back within 0.02 s');
  });
});

describe('a GPU with a policy', () => {
  test('that is slower than WebAssembly is left for it; who insists is told', async () => {
    const { parts } = machine({}, slow);
    const auto = await openBackend('auto', NODE_ASSETS, parts);
    const chosen = await auto.prove(host);
    expect(chosen.info.policy).toBe('wasm');
    expect(await auto.prove(host)).toBe(chosen);
    expect(chosen.info.reason).toBe(
      'The GPU (acme one) is not used. It agrees with WebAssembly, but samples 11 times as slowly: ' +
        '190 tokens/s against 2,000 tokens/s.',
    );
    const forced = await openBackend('webgpu', NODE_ASSETS, parts);
    expect(await forced.prove(host)).toBe(forced);
    expect(forced.info.trouble).toContain('11 times as slowly');
    expect(forced.info.rows).toBe(32);
  });

  test('a check that was cut short is made again', async () => {
    const cut = vi.fn(() => Promise.reject(new DOMException('stopped', 'AbortError')));
    const { parts } = machine({ provePolicy: cut });
    const backend = await openBackend('auto', NODE_ASSETS, parts);
    await expect(backend.prove(host)).rejects.toThrow('stopped');
    await expect(backend.prove(host)).rejects.toThrow('stopped');
    expect(cut).toHaveBeenCalledTimes(2);
  });

  test('a check that one run cut short is made again for another that waits for it', async () => {
    const proof = { trouble: null, speed: null, fixedShapes: true };
    let checks = 0;
    const provePolicyOnce: BackendParts['provePolicy'] = (_host, _kernels, _wasm, { signal }) =>
      ++checks > 1
        ? Promise.resolve(proof)
        : new Promise((_, reject) =>
            signal?.addEventListener('abort', () => reject(new Error('stopped'))),
          );
    const { parts } = machine();
    const cut = { ...parts, provePolicy: provePolicyOnce };
    const backend = await openBackend('auto', NODE_ASSETS, cut);
    const first = new AbortController();
    const stopped = backend.prove(host, { signal: first.signal });
    const waits = backend.prove(host, { signal: new AbortController().signal });
    first.abort();
    await expect(stopped).rejects.toThrow('stopped');
    expect(await waits).toBe(backend);
    expect(checks).toBe(2);
  });

  test('the check compares with a session of its own on WebAssembly', async () => {
    const other = () => loadRuntime('wasm', { assets: NODE_ASSETS });
    const hardware = { patienceMs: Infinity, software: false };
    const right = await provePolicy(host, cpuKernels, other, hardware);
    expect(right.speed?.wasm.tokensPerSecond).toBeGreaterThan(0);
    expect(right.trouble === null || right.trouble.includes('slowly')).toBe(true);
    const software = await provePolicy(host, cpuKernels, other, { ...hardware, software: true });
    expect(software).toEqual({
      trouble: 'It agrees with WebAssembly. It is a software adapter, far slower than WebAssembly.',
      speed: null,
      fixedShapes: false,
    });
    const disagrees = await provePolicy(host, wrong, other, hardware);
    expect(disagrees.speed).toBeNull();
    expect(disagrees.trouble).toMatch(
      /^It disagrees with WebAssembly on scored entropies \(off by/,
    );
    const failing: ScoringKernels = {
      ...cpuKernels,
      tokenStats: () => Promise.reject(new Error('lost')),
    };
    const failed = await provePolicy(host, failing, other, hardware);
    expect(failed.trouble).toBe('It failed its check: lost');
  });
});

test('no adapter and a software one are told as before', async () => {
  const none = machine({ openDevice: () => Promise.reject(new Error('No GPU here.')) });
  expect((await openBackend('auto', NODE_ASSETS, none.parts)).info.reason).toBe('No GPU here.');
  await expect(openBackend('webgpu', NODE_ASSETS, none.parts)).rejects.toThrow(
    'WebGPU was asked for, but: No GPU here.',
  );
});
