/** A racer as a whole, on wasm: that it learns, that it repeats itself, that it leaves nothing behind. */
import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../settings/training';
import { mean } from '../math/summation';
import { Random, STREAM } from '../math/philox';
import { adamW, zeroMoments, type AdamWState } from './adamw';
import { gradientOf } from './gradient';
import { microbatches, type TrainingSequence } from './microbatches';
import { trainedObjective } from './objective';
import { uploadParams } from './policy';
import { ADAM, Racer, type TrainingContext } from './racer';
import { countBuffers, trainingContext } from '../../scripts/node/tiny-training';

const SETTINGS: TrainingSettings = {
  ...DEFAULT_TRAINING,
  backend: 'wasm',
  policy: 'tiny',
  start: 'a',
  prompts: 8,
  groupSize: 8,
  minibatches: 2,
  maxOperators: 2,
  maxLength: 8,
  evaluatePrompts: 0,
};
const hooks = { signal: new AbortController().signal, onPhase: () => undefined };

let context: TrainingContext;
beforeAll(async () => {
  context = await trainingContext(7);
});

async function racer(settings: TrainingSettings, own: TrainingContext = context): Promise<Racer> {
  const start = await own.host.checkpoint(settings.start);
  return new Racer(own, settings, settings.racers[0], start);
}

async function rewards(settings: TrainingSettings, own: TrainingContext): Promise<number[]> {
  const learner = await racer(settings, own);
  const all: number[] = [];
  for (let i = 0; i < settings.steps; i++) all.push((await learner.step(hooks)).report.reward);
  learner.dispose();
  return all;
}

describe('reward goes up', () => {
  /** A task that an untrained policy gets right now and then: begin with a digit above 4. */
  const easy = (_: string, response: string) => ({
    reward: /^[5-9]/.test(response) ? 1 : 0,
    validSteps: 0,
  });

  test.each(['gspo', 'grpo', 'cispo', 'sapo'] as const)('with %s', async (objective) => {
    const settings: TrainingSettings = {
      ...SETTINGS,
      steps: 16,
      racers: [
        { ...DEFAULT_RACER[objective], epsilonLow: 0.2, epsilonHigh: 0.3, learningRate: 0.01 },
      ],
    };
    const all = await rewards(settings, { ...context, verify: easy });
    expect(mean(all.slice(0, 3))).toBeLessThan(0.5);
    expect(mean(all.slice(-4)) - mean(all.slice(0, 3))).toBeGreaterThan(0.3);
  });

  test('and stays where the learning rate is 0', async () => {
    const still = [{ ...DEFAULT_RACER.gspo, learningRate: 0 }];
    const all = await rewards(
      { ...SETTINGS, steps: 8, racers: still },
      { ...context, verify: easy },
    );
    expect(Math.abs(mean(all.slice(-4)) - mean(all.slice(0, 4)))).toBeLessThan(0.15);
  });
});

test('supervised, by the same gradient and optimizer, the loss reaches the data’s entropy', async () => {
  // Every response token is one of two, by a fair coin: nobody can do better than ln 2 per token.
  const random = new Random(4, STREAM.synthetic);
  const objective = trainedObjective(DEFAULT_RACER.reinforce);
  const gradient = gradientOf(context.policy, objective, 0);
  const update = adamW({ ...ADAM, weightDecay: 0, gradientClip: 1 });
  const params = uploadParams(await context.host.checkpoint('a'));
  let state: AdamWState = { params, mu: zeroMoments(params), nu: zeroMoments(params) };
  const ROWS = 16;
  const LENGTH = 12;
  const losses: number[] = [];
  for (let t = 1; t <= 120; t++) {
    const sequences = Array.from({ length: ROWS }, (): TrainingSequence => {
      const response = Array.from({ length: LENGTH }, () => (random.uniform() < 0.5 ? 3 : 9));
      return {
        prompt: [1, 2],
        response,
        logpOld: new Float32Array(LENGTH),
        advantage: 1,
        coefficient: 1 / (ROWS * LENGTH),
      };
    });
    const [batch] = microbatches(sequences, 0, ROWS);
    if (!batch) throw new Error('no batch');
    const result = await gradient(state.params, batch);
    losses.push(
      -mean(batch.members.flatMap((_, row) => logpsOf(result.logp, batch.starts[row], LENGTH))),
    );
    const { norm, ...next } = update(state, result.gradient, t < 90 ? 0.01 : 0.002, t);
    norm.dispose();
    state = next;
  }
  expect(losses[0]).toBeGreaterThan(2);
  expect(Math.abs(mean(losses.slice(-10)) - Math.log(2))).toBeLessThan(0.02);
});

const logpsOf = (logp: Float32Array, start: number | undefined, length: number) =>
  Array.from(logp.subarray(start, (start ?? 0) + length), Number);

test('the same seed gives the same curve; another gives another', async () => {
  const settings = {
    ...SETTINGS,
    steps: 3,
    racers: [{ ...DEFAULT_RACER.gspo, learningRate: 0.01 }],
  };
  const curve = async (seed: number) => {
    const learner = await racer({ ...settings, seed });
    const steps: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      steps.push({ ...(await learner.step(hooks)).report, seconds: null });
    }
    learner.dispose();
    return steps;
  };
  expect(await curve(1)).toEqual(await curve(1));
  expect(await curve(1)).not.toEqual(await curve(2));
});

test('a step that is aborted changes nothing', async () => {
  const settings = { ...SETTINGS, racers: [{ ...DEFAULT_RACER.grpo, learningRate: 0.01 }] };
  const [undisturbed, disturbed] = [await racer(settings), await racer(settings)];
  const abort = new AbortController();
  const step = disturbed.step({
    signal: abort.signal,
    onPhase: (phase) => phase === 'gradient' && abort.abort(),
  });
  await expect(step).rejects.toThrow();
  const { report: before } = await undisturbed.step(hooks);
  const { report: after } = await disturbed.step(hooks);
  expect({ ...after, seconds: null }).toEqual({ ...before, seconds: null });
  undisturbed.dispose();
  disturbed.dispose();
});

test('500 steps leave no buffer behind', async () => {
  const small: TrainingSettings = {
    ...SETTINGS,
    steps: 500,
    prompts: 2,
    groupSize: 2,
    maxOperators: 1,
    maxLength: 8,
    kl: 0.01,
    racers: [{ ...DEFAULT_RACER.gspo, learningRate: 1e-3 }],
  };
  // Rewards by coin, so that most steps have a gradient.
  let coin = 0;
  const verify = () => ({ reward: (coin = (coin * 5 + 3) % 8) > 3 ? 1 : 0, validSteps: 0 });
  const learner = await racer(small, { ...context, verify });
  const buffers = await countBuffers();
  const counts: number[] = [];
  let informative = 0;
  for (let i = 0; i < small.steps; i++) {
    const { report } = await learner.step(hooks);
    if (report.gradientNorm > 0) informative++;
    counts.push(buffers.live());
  }
  learner.dispose();
  expect(informative).toBeGreaterThan(100);
  // Constants of compiled functions stay; after the first steps there are no new ones.
  expect(new Set(counts.slice(50))).toHaveProperty('size', 1);
});
