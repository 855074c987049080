/** Routing replay in training: the gradient on given experts, and who may ask for it. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Architecture } from '../../models/build/architecture';
import { TINY } from '../../models/build/tiny';
import { trainingContext } from '../../scripts/node/tiny-training';
import { chosenExperts, expertsOf } from '../math/routing';
import { routesOf } from '../policy/score';
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../settings/training';
import { gradientOf } from './gradient';
import { microbatches, type TrainingSequence } from './microbatches';
import { trainedObjective } from './objective';
import { uploadParams } from './policy';
import { Racer, type TrainingContext } from './racer';

const EXPERTS: Architecture = { ...TINY, intermediateSize: 6, experts: { count: 8, perToken: 2 } };
const SETTINGS: TrainingSettings = {
  ...DEFAULT_TRAINING,
  backend: 'wasm',
  policy: 'tiny',
  start: 'a',
  steps: 2,
  prompts: 4,
  groupSize: 4,
  minibatches: 2,
  maxOperators: 2,
  maxLength: 8,
  evaluatePrompts: 0,
};
const hooks = { signal: new AbortController().signal, onPhase: () => undefined };
const replayed = { ...DEFAULT_RACER.grpo, learningRate: 0.01, routing: 'replayed' as const };

let context: TrainingContext;
beforeAll(async () => {
  context = await trainingContext(7, EXPERTS);
});

/** Two responses of unlike lengths: the shorter one's row pads. */
const SEQUENCES = [
  { prompt: [9, 13, 4], response: [3, 5, 11, 3, 12, 7] },
  { prompt: [2, 8], response: [6, 1] },
];

async function microbatch(turn: number) {
  const { host } = context;
  const weights = host.session.upload(await host.checkpoint('a'));
  const routes = await routesOf(host.session, weights, SEQUENCES, host.files.padToken);
  weights.dispose();
  const sequences = SEQUENCES.map((own, i): TrainingSequence => ({
    ...own,
    logpOld: new Float32Array(own.response.length).fill(-2),
    advantage: i === 0 ? 1 : -1,
    coefficient: 0.1,
    // Sets stand in even columns; a turned one sends every token to other experts.
    routes: (routes?.[i] ?? new Float32Array()).map((x, k) =>
      k % 2 === 0 && turn > 0 ? (x * 2 ** turn) % 255 || 3 : x,
    ),
  }));
  const [batch] = microbatches(sequences, host.files.padToken, 4);
  if (batch === undefined) throw new Error('no batch');
  return batch;
}

async function gradient(replay: boolean, turn = 0) {
  const policy = replay ? context.replaying?.() : context.policy;
  if (!policy) throw new Error('no policy');
  const own = gradientOf(policy, trainedObjective(DEFAULT_RACER.grpo), 0);
  const params = uploadParams(await context.host.checkpoint('a'));
  const result = await own(params, await microbatch(turn));
  const values: number[] = [];
  for (const array of Object.values(result.gradient)) {
    values.push(...((await array.data()) as Float32Array));
  }
  for (const array of Object.values(params)) array.dispose();
  return { values, loss: result.loss };
}

describe('the gradient on given experts', () => {
  test('is the policy’s own where the experts are its own, and another where they are others', async () => {
    const plain = await gradient(false);
    const own = await gradient(true);
    const others = await gradient(true, 3);
    expect(plain.values.every(Number.isFinite)).toBe(true);
    expect(Math.max(...plain.values.map(Math.abs))).toBeGreaterThan(1e-3);
    const apart = (a: number[], b: number[]) =>
      Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));
    expect(apart(own.values, plain.values)).toBeLessThan(1e-6);
    expect(own.loss).toBeCloseTo(plain.loss, 6);
    expect(others.values.every(Number.isFinite)).toBe(true);
    expect(apart(others.values, plain.values)).toBeGreaterThan(1e-3);
  });

  test('is taken on the experts that onnxruntime sends each token to, prompt included', async () => {
    const batch = await microbatch(0);
    const { routes, width, rows } = batch;
    if (routes === undefined) throw new Error('no routes');
    const columns = routes.length / (rows * width);
    expect(columns).toBe(2 * EXPERTS.layers);
    const chosen = chosenExperts(routes, 1, EXPERTS.layers, 8);
    for (let place = 0; place < rows * width; place++) {
      const of = [...chosen.subarray(place * 8, place * 8 + 8)];
      expect(of.reduce((a, b) => a + b, 0)).toBe(2);
    }
    // Tokens differ in where they go: a table of one route would pass the rest.
    const sets = Array.from({ length: 8 }, (_, t) => expertsOf(routes[t * columns]).join());
    expect(new Set(sets).size).toBeGreaterThan(1);
  });
});

describe('a racer that replays', () => {
  const racerOf = async (own: TrainingContext) => {
    const start = await own.host.checkpoint('a');
    return new Racer(own, { ...SETTINGS, racers: [replayed] }, replayed, start);
  };

  test('trains, and tells the gradient norm of every update', async () => {
    // Begins with an even digit, or not: groups differ.
    const verify = (_: string, response: string) => ({
      reward: /^[02468]/.test(response) ? 1 : 0,
      validSteps: 0,
    });
    const racer = await racerOf({ ...context, verify });
    const { report, rollouts } = await racer.step(hooks);
    expect(report.gradientNorms?.length).toBeGreaterThan(0);
    expect(report.gradientNorm).toBeGreaterThan(0);
    expect(report.flips).toBeGreaterThan(0);
    expect(report.flips).toBeLessThan(1);
    const { logpOld, logpNew, entropyOld = [], entropyNew = [] } = rollouts;
    const over = (of: (t: number) => number) =>
      Array.from(logpOld, (_, t) => of(t)).reduce((sum, x) => sum + x, 0) / logpOld.length;
    const at = (column: ArrayLike<number>, t: number) => column[t] as number;
    expect(report.entropyChange?.measured).toBeCloseTo(
      over((t) => at(entropyNew, t) - at(entropyOld, t)),
      10,
    );
    expect(report.entropyChange?.firstOrder).toBeCloseTo(
      over((t) => -(at(logpOld, t) + at(entropyOld, t)) * (at(logpNew, t) - at(logpOld, t))),
      10,
    );
    racer.dispose();
  });

  test('is refused on a policy without experts, in a sentence', async () => {
    const dense = await trainingContext(7);
    await expect(racerOf(dense)).rejects.toThrow(/"tiny" has no experts/);
  });
});
