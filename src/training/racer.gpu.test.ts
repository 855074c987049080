/** Two training steps on real WebGPU beside the same on wasm: rollouts, gradient, update, and nothing left. */
import { defaultDevice, init } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from 'vitest';
import { TINY, tinyPolicy } from '../../models/build/tiny';
import { SITE_ASSETS } from '../engine/assets';
import { openDevice } from '../gpu/device';
import { createGpuKernels } from '../gpu/kernels';
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../link/training';
import { cpuKernels } from '../math/cpu-kernels';
import { PolicyHost } from '../policy/host';
import { loadRuntime } from '../policy/runtime';
import { DifferentiablePolicy } from './policy';
import { Racer, type TrainingContext } from './racer';
import type { StepReport } from './report';

const STEPS = 3;
const SETTINGS: TrainingSettings = {
  ...DEFAULT_TRAINING,
  policy: 'tiny',
  start: 'a',
  steps: STEPS,
  prompts: 2,
  groupSize: 4,
  minibatches: 2,
  maxOperators: 1,
  maxLength: 8,
  evaluatePrompts: 0,
  racers: [{ ...DEFAULT_RACER.gspo, epsilonLow: 0.1, epsilonHigh: 0.1, learningRate: 0.003 }],
};

async function contextOn(backend: 'webgpu' | 'wasm'): Promise<TrainingContext> {
  expect(await init(backend)).toContain(backend);
  defaultDevice(backend);
  const { files, manifest } = await tinyPolicy(7, {
    ...TINY,
    hiddenSize: 8,
    layers: 1,
    intermediateSize: 8,
  });
  const device = backend === 'webgpu' ? (await openDevice()).device : undefined;
  const runtime = await loadRuntime(backend, {
    assets: SITE_ASSETS,
    threads: 1,
    ...(device ? { device } : {}),
  });
  const host = await PolicyHost.open(runtime, files, manifest);
  const { onnx, cache, tokenizer } = host.files;
  const policy = new DifferentiablePolicy(onnx, cache, tokenizer.vocabulary.length);
  // Half of what an untrained policy writes counts as right, so that every step has a gradient.
  const verify = (_: string, response: string) => ({
    reward: response.charCodeAt(0) % 2,
    validSteps: 0,
  });
  return { host, kernels: device ? createGpuKernels(device) : cpuKernels, policy, verify };
}

async function train(context: TrainingContext, afterStep: () => void): Promise<StepReport[]> {
  const start = await context.host.checkpoint('a');
  const [racer] = SETTINGS.racers;
  if (!racer) throw new Error('no racer');
  const learner = new Racer(context, SETTINGS, racer, start);
  const hooks = { signal: new AbortController().signal, onPhase: () => undefined };
  const reports: StepReport[] = [];
  for (let i = 0; i < STEPS; i++) {
    reports.push((await learner.step(hooks)).report);
    afterStep();
  }
  learner.dispose();
  return reports;
}

/** Live buffers of every GPU device from now on, ours, onnxruntime's and jax-js's. */
function countGpuBuffers(): { live(): number } {
  let live = 0;
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const counted = new WeakSet<GPUBuffer>();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    counted.add(buffer);
    live++;
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    if (counted.delete(this)) live--;
    return destroy.call(this);
  };
  return { live: () => live };
}

describe('a race on WebGPU', () => {
  let gpu: StepReport[];
  let wasm: StepReport[];
  const counts: number[] = [];

  beforeAll(async () => {
    const buffers = countGpuBuffers();
    gpu = await train(await contextOn('webgpu'), () => counts.push(buffers.live()));
    wasm = await train(await contextOn('wasm'), () => undefined);
  }, 600_000);

  test('takes the same first step as on wasm, to float32 rounding', () => {
    const [a, b] = [gpu[0], wasm[0]] as [StepReport, StepReport];
    expect(a.reward).toBe(b.reward);
    expect(a.meanLength).toBe(b.meanLength);
    expect(a.gradientNorm).toBeGreaterThan(0.01);
    expect(Math.abs(a.gradientNorm / b.gradientNorm - 1)).toBeLessThan(1e-3);
    expect(Math.abs(a.weights.variance / b.weights.variance - 1)).toBeLessThan(1e-2);
    expect(a.clip).toEqual(b.clip);
  });

  test('holds as many buffers after its third step as after its second', () => {
    expect(counts[2]).toBe(counts[1]);
  });
});
