/**
 * Seconds of a training step in this tab, split as the trainer splits them, and jax-js's gradient against
 * its forward pass on the same microbatches. Contract: the trainer's own code; the first step, which
 * compiles, is not counted.
 */
import { defaultDevice, init } from '@jax-js/jax';
import { SITE_ASSETS } from '../src/engine/assets';
import { openBackend } from '../src/engine/backend';
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../src/settings/training';
import { fetchCatalogue, findPolicy, siteFiles } from '../src/policy/fetch';
import { PolicyHost } from '../src/policy/host';
import { forwardOf, gradientOf } from '../src/training/gradient';
import { microbatches, type TrainingSequence } from '../src/training/microbatches';
import { trainedObjective } from '../src/training/objective';
import { differentiable, uploadParams } from '../src/training/policy';
import { Racer } from '../src/training/racer';
import type { StepSeconds } from '../src/training/report';

export interface TrainingOptions {
  provider: 'webgpu' | 'wasm';
  rounds: number;
  prompts: number;
  groupSize: number;
  maxOperators: number;
}

export interface TrainingFigures {
  /** of each counted step */
  steps: { seconds: StepSeconds; updates: number; tokens: number }[];
  /** seconds per microbatch of 4 x 64 tokens */
  forward: number[];
  gradient: number[];
}

export async function benchTraining(options: TrainingOptions): Promise<TrainingFigures> {
  const { provider, rounds, prompts, groupSize, maxOperators } = options;
  const backend = await openBackend(provider, SITE_ASSETS);
  if (!(await init(provider)).includes(provider)) throw new Error(`jax-js has no ${provider} here`);
  defaultDevice(provider);
  const files = siteFiles(new URL('/models/', location.href).href);
  const manifest = findPolicy(await fetchCatalogue(files), 'arithmetic-dense');
  const host = await PolicyHost.open(await backend.runtime(), files, manifest);
  const policy = differentiable(host.files);
  const start = await host.checkpoint('step-03000');
  const racerSettings = DEFAULT_RACER.gspo;
  const settings: TrainingSettings = {
    ...DEFAULT_TRAINING,
    steps: rounds + 1,
    prompts,
    groupSize,
    maxOperators,
    evaluatePrompts: 0,
    racers: [racerSettings],
  };
  const racer = new Racer(
    { host, kernels: backend.kernels, policy },
    settings,
    racerSettings,
    start,
  );
  const hooks = { signal: new AbortController().signal, onPhase: () => undefined };
  const steps: TrainingFigures['steps'] = [];
  for (let i = 0; i <= rounds; i++) {
    const { report } = await racer.step(hooks);
    if (i === 0) continue;
    const tokens = report.meanLength * prompts * groupSize;
    steps.push({ seconds: report.seconds, updates: settings.minibatches, tokens });
  }
  racer.dispose();

  const objective = trainedObjective(racerSettings);
  const [forward, gradient] = [forwardOf(policy, objective, 0), gradientOf(policy, objective, 0)];
  const sequences = Array.from({ length: 4 }, (_, i): TrainingSequence => ({
    prompt: [1, 2, 3, 4],
    response: Array.from({ length: 61 }, (__, t) => (t * 5 + i) % 17),
    logpOld: new Float32Array(61).fill(-1),
    advantage: i % 2 === 0 ? 1 : -1,
    coefficient: 1 / 244,
  }));
  const [batch] = microbatches(sequences, 0);
  if (!batch) throw new Error('no microbatch');
  const params = uploadParams(start);
  const times = { forward: [] as number[], gradient: [] as number[] };
  for (let i = 0; i <= rounds; i++) {
    let began = performance.now();
    await forward(params, batch);
    const half = performance.now();
    const { gradient: found } = await gradient(params, batch);
    for (const array of Object.values(found)) await array.data();
    if (i === 0) continue;
    times.forward.push((half - began) / 1000);
    began = performance.now();
    times.gradient.push((began - half) / 1000);
  }
  return { steps, ...times };
}
