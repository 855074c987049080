/** Training on real WebGPU beside the same on wasm: every gradient, whole steps, and nothing left behind. */
import { beforeAll, describe, expect, test } from 'vitest';
import { TINY, tinyPolicy } from '../../models/build/tiny';
import { SITE_ASSETS } from '../engine/assets';
import { openDevice } from '../gpu/device';
import { createGpuKernels } from '../gpu/kernels';
import {
  DEFAULT_RACER,
  DEFAULT_TRAINING,
  TRAINING_OBJECTIVES,
  type TrainingObjective,
  type TrainingSettings,
} from '../settings/training';
import { cpuKernels } from '../math/cpu-kernels';
import { PolicyHost } from '../policy/host';
import { loadRuntime } from '../policy/runtime';
import type { Params } from './adamw';
import { gradientOf } from './gradient';
import { startJax } from './jax';
import { microbatches, type TrainingSequence } from './microbatches';
import { trainedObjective } from './objective';
import { differentiable, downloadParams, uploadParams } from './policy';
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
  await startJax(backend);
  const { files, manifest } = await tinyPolicy(7, {
    ...TINY,
    hiddenSize: 8,
    layers: 1,
    intermediateSize: 8,
  });
  const device = backend === 'webgpu' ? (await openDevice()).device : undefined;
  const runtime = await loadRuntime(backend, {
    assets: SITE_ASSETS,
    ...(device ? { device } : {}),
  });
  const host = await PolicyHost.open(runtime, files, manifest);
  const policy = differentiable(host.files);
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

/** Two responses of different lengths, one to be made likelier, with ratios on both sides of 1. */
const SEQUENCES: TrainingSequence[] = [
  {
    prompt: [3, 12, 4],
    response: [5, 6, 7, 8],
    logpOld: [-2.9, -2.5, -2.7, -3.1],
    advantage: 1.2,
    coefficient: 0.2,
  },
  { prompt: [7, 13], response: [9, 2], logpOld: [-2.2, -3.3], advantage: -0.7, coefficient: 0.3 },
];

/** Flat, by name, of one microbatch. */
async function gradientOn(
  context: TrainingContext,
  objective: TrainingObjective,
): Promise<{ loss: number; gradient: number[] }> {
  const racer = { ...DEFAULT_RACER[objective], epsilonLow: 0.2, epsilonHigh: 0.2 };
  const of = gradientOf(context.policy, trainedObjective(racer), 0);
  const params = uploadParams(await context.host.checkpoint('a'));
  const [batch] = microbatches(SEQUENCES, context.host.files.padToken);
  if (!batch) throw new Error('no microbatch');
  const { loss, gradient } = await of(params, batch);
  const values = await downloadParams(gradient);
  for (const array of Object.values<Params[string]>({ ...params, ...gradient })) {
    if (array.refCount > 0) array.dispose();
  }
  return { loss, gradient: [...values.values()].flatMap(({ values: x }) => Array.from(x)) };
}

test('the gradient of every objective is that of wasm, to float32 rounding', async () => {
  const on = async (backend: 'webgpu' | 'wasm') => {
    const context = await contextOn(backend);
    const found = new Map<TrainingObjective, Awaited<ReturnType<typeof gradientOn>>>();
    for (const objective of TRAINING_OBJECTIVES) {
      found.set(objective, await gradientOn(context, objective));
    }
    return found;
  };
  const [gpu, wasm] = [await on('webgpu'), await on('wasm')];
  for (const objective of TRAINING_OBJECTIVES) {
    const [a, b] = [gpu.get(objective), wasm.get(objective)];
    if (!a || !b) throw new Error(objective);
    const steepest = Math.max(...b.gradient.map(Math.abs));
    const apart = Math.max(...b.gradient.map((x, i) => Math.abs(x - a.gradient[i])));
    expect(steepest, objective).toBeGreaterThan(1e-3);
    expect(apart / steepest, objective).toBeLessThan(1e-4);
    // VESPO's weight is a power of the whole response: float32 errors of all its tokens add up there.
    expect(Math.abs(a.loss - b.loss), objective).toBeLessThan(objective === 'vespo' ? 1e-4 : 1e-5);
  }
});
