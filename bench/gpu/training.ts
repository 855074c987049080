/**
 * Seconds of a training step in Node, as the trainer splits them, on WebGPU (Dawn) or on WebAssembly.
 * Contract: the trainer's own code; the first step, which compiles, is told apart.
 */
import { createGpuKernels } from '../../src/gpu/kernels';
import { cpuKernels } from '../../src/math/cpu-kernels';
import { fetchCatalogue, findPolicy } from '../../src/policy/fetch';
import { PolicyHost } from '../../src/policy/host';
import { loadRuntime } from '../../src/policy/runtime';
import {
  DEFAULT_RACER,
  DEFAULT_TRAINING,
  type TrainingSettings,
} from '../../src/settings/training';
import { startJax } from '../../src/training/jax';
import { differentiable } from '../../src/training/policy';
import { Racer } from '../../src/training/racer';
import { modelFiles, SITE_ASSETS } from './assets';

export async function trainingSteps(
  provider: 'webgpu' | 'wasm',
  { small, device }: { small: boolean; device: GPUDevice },
): Promise<object> {
  await startJax(provider);
  const onGpu = provider === 'webgpu';
  const runtime = await loadRuntime(provider, {
    assets: SITE_ASSETS,
    ...(onGpu ? { device } : {}),
  });
  const manifest = findPolicy(await fetchCatalogue(modelFiles), 'arithmetic-dense');
  const host = await PolicyHost.open(runtime, modelFiles, manifest);
  const policy = differentiable(host.files);
  const racerSettings = DEFAULT_RACER.gspo;
  const steps = small ? 2 : 4;
  const settings: TrainingSettings = {
    ...DEFAULT_TRAINING,
    steps,
    prompts: small ? 2 : 4,
    groupSize: 8,
    maxOperators: small ? 3 : 9,
    evaluatePrompts: 0,
    racers: [racerSettings],
  };
  const start = await host.checkpoint(manifest.defaultPair.old);
  const kernels = onGpu ? createGpuKernels(device) : cpuKernels;
  const racer = new Racer({ host, kernels, policy }, settings, racerSettings, start);
  const hooks = { signal: new AbortController().signal, onPhase: () => undefined };
  const taken = [];
  for (let i = 0; i < steps; i++) {
    const began = performance.now();
    const { report } = await racer.step(hooks);
    const parts = Object.entries(report.seconds).map(([part, s]) => [
      part,
      Number((s / settings.minibatches).toPrecision(3)),
    ]);
    taken.push({
      secondsPerUpdate: Number(
        ((performance.now() - began) / 1000 / settings.minibatches).toPrecision(3),
      ),
      ...Object.fromEntries(parts),
      gradientNorm: report.gradientNorm,
      reward: report.reward,
    });
  }
  racer.dispose();
  return {
    responses: settings.prompts * settings.groupSize,
    updates: settings.minibatches,
    steps: taken,
  };
}
