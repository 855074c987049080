/** A mixture of experts on both providers in one real browser: the same routes, and the same log-probs on given ones. */
import { expect, test } from 'vitest';
import { TINY, tinyPolicy } from '../../models/build/tiny';
import { SITE_ASSETS } from '../engine/assets';
import { openDevice } from '../gpu/device';
import { createGpuKernels } from '../gpu/kernels';
import { cpuKernels } from '../math/cpu-kernels';
import { expertsOf } from '../math/routing';
import { PolicyHost } from './host';
import { loadRuntime, type Runtime } from './runtime';
import { routesOf, scoreReplayed, scoreSequences, type ScoringKernels } from './score';

const MOE = { ...TINY, intermediateSize: 6, experts: { count: 8, perToken: 2 as const } };
const SEQUENCES = [
  { prompt: [9, 13, 4], response: [3, 5, 11, 3, 12, 7, 16, 2] },
  { prompt: [2, 8], response: [6, 1, 10] },
];

/** Margins below this are rounding: either route is right. */
const TIE = 1e-4;

test('WebGPU sends tokens to the experts that WebAssembly sends them to, and replays them alike', async () => {
  const tiny = await tinyPolicy(3, MOE);
  const { device } = await openDevice();
  const measure = async (runtime: Runtime, kernels: ScoringKernels) => {
    const host = await PolicyHost.open(runtime, tiny.files, tiny.manifest);
    const pair = await host.pair('a', 'b', 1);
    const pad = host.files.padToken;
    const routes = await routesOf(host.session, pair.theta, SEQUENCES, pad);
    const { logp } = await scoreSequences(host.session, pair.theta, kernels, SEQUENCES, pad);
    const replayed = await scoreReplayed(host.session, pair, kernels, SEQUENCES, pad);
    const own = { old: pair.theta, theta: pair.theta };
    const onOwn = await scoreReplayed(host.session, own, kernels, SEQUENCES, pad);
    await host.dispose();
    if (routes === null || replayed === null || onOwn === null) throw new Error('no experts');
    return { routes, logp, replayed, onOwn };
  };
  const wasm = await measure(await loadRuntime('wasm', { assets: SITE_ASSETS }), cpuKernels);
  const gpu = await measure(
    await loadRuntime('webgpu', { assets: SITE_ASSETS, device }),
    createGpuKernels(device),
  );

  const sets = new Set<string>();
  wasm.routes.forEach((own, i) => {
    for (let at = 0; at < own.length; at += 2) {
      sets.add(expertsOf(own[at] as number).join());
      if ((own[at + 1] as number) < TIE) continue;
      expect(gpu.routes[i]?.[at], `sequence ${i}, entry ${at}`).toBe(own[at]);
      expect(gpu.routes[i]?.[at + 1]).toBeCloseTo(own[at + 1] as number, 3);
    }
  });
  // Routers that always chose the same two would show nothing.
  expect(sets.size).toBeGreaterThan(3);

  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.max(...Array.from(a, (x, t) => Math.abs(x - (b[t] as number))));
  expect(apart(gpu.replayed, wasm.replayed)).toBeLessThan(1e-4);
  // Onto its own routes nothing changes; onto those of the other policy something does.
  for (const { onOwn, logp, replayed } of [wasm, gpu]) {
    expect(apart(onOwn, logp)).toBeLessThan(1e-5);
    expect(apart(replayed, logp)).toBeGreaterThan(1e-4);
  }
}, 180_000);
