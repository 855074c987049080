/**
 * Gradients and updates through the policy, against an independent float64 computation: log-probs from plain
 * loops, their derivatives by central differences, objectives from `src/math/objectives`.
 *
 * Derivatives are taken of log-probs and chained with the objective's own gradient, because several
 * objectives stop gradients on purpose: a difference of their losses would be another number.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { parameterSpecs } from '../../models/build/architecture';
import { referenceLogProbs, type Weights64 } from '../policy/reference';
import { DEFAULT_RACER, TRAINING_OBJECTIVES, type RacerSettings } from '../settings/training';
import { evaluateObjective } from '../math/objectives/evaluate';
import { Random, STREAM } from '../math/philox';
import type { Weights } from '../policy/graph/lift';
import { adamW, zeroMoments, type AdamWState, type Params } from './adamw';
import { gradientOf } from './gradient';
import { minibatchGradient } from './minibatch';
import { racerObjective, trainedObjective } from './objective';
import { downloadParams, uploadParams } from './policy';
import type { TrainingContext } from './racer';
import type { TrainingRollout } from './rollout';
import { MINUTE, trainingContext } from '../../scripts/node/tiny-training';

const LENGTHS = [4, 6, 3];
const PROMPTS = [
  [3, 12, 4],
  [5, 11, 2, 12],
  [7, 13],
];
const ADVANTAGES = [1.2, -0.7, 0.4];
const PARAMETERS = parameterSpecs(MINUTE).map(({ name }) => name);

let context: TrainingContext;
let start: Weights;
let responses: number[][];

beforeAll(async () => {
  context = await trainingContext(5, MINUTE);
  start = await context.host.checkpoint('a');
  const random = new Random(1, STREAM.synthetic);
  responses = LENGTHS.map((length) => Array.from({ length }, () => random.integer(17)));
});

const widen = (weights: Weights): Weights64 =>
  new Map([...weights].map(([name, { values }]) => [name, Float64Array.from(values)]));

function logProbs(w: Weights64): number[] {
  return responses.flatMap((response, i) => referenceLogProbs(MINUTE, w, PROMPTS[i], response));
}

const offsets = () =>
  Uint32Array.from([0, ...LENGTHS.map((_, i) => LENGTHS.slice(0, i + 1).reduce((a, b) => a + b))]);

/** @param shift of the old log-probs, so that ratios leave 1; float32, as the sampler has them */
function rolloutOf(w: Weights64, shift: number): TrainingRollout {
  const random = new Random(2, STREAM.synthetic);
  const logp = Float32Array.from(logProbs(w), (x) => x + shift * random.normal());
  const nothing = new Float32Array(logp.length);
  return {
    prompts: PROMPTS,
    responses: responses.map((tokens) => ({ tokens, finished: true })),
    texts: ['a', 'b', 'c'],
    group: Uint32Array.from([0, 1, 2]),
    reward: Float64Array.from([1, 0, 1]),
    advantage: Float64Array.from(ADVANTAGES),
    answers: ['', '', ''],
    verdicts: ADVANTAGES.map(() => ({ reward: 1, validSteps: 1 })),
    offsets: offsets(),
    old: { logp, entropy: nothing, collision: nothing, extras: {} },
  };
}

/** d loss / d parameter, by chaining central differences of log-probs with the objective's gradient. */
function referenceGradient(
  w: Weights64,
  rollout: TrainingRollout,
  racer: RacerSettings,
  wanted: (name: string, index: number) => boolean,
): { loss: number; gradient: Map<string, Float64Array> } {
  const batch = {
    offsets: offsets(),
    logpOld: Float64Array.from(rollout.old.logp),
    logpNew: Float64Array.from(logProbs(w)),
    advantage: Float64Array.from(ADVANTAGES),
  };
  const { loss, gradient: perToken } = evaluateObjective(batch, trainedObjective(racer));
  const step = 1e-5;
  const gradient = new Map<string, Float64Array>();
  for (const name of PARAMETERS) {
    const values = w.get(name) as Float64Array;
    const own = new Float64Array(values.length).fill(Number.NaN);
    for (let i = 0; i < values.length; i++) {
      if (!wanted(name, i)) continue;
      const middle = values[i];
      values[i] = middle + step;
      const above = logProbs(w);
      values[i] = middle - step;
      const below = logProbs(w);
      values[i] = middle;
      own[i] = above.reduce((sum, y, t) => sum + (perToken[t] * (y - below[t])) / (2 * step), 0);
    }
    gradient.set(name, own);
  }
  return { loss, gradient };
}

function trained(params: Params, rollout: TrainingRollout, racer: RacerSettings) {
  return minibatchGradient(params, {
    rollout,
    members: [0, 1, 2],
    reference: null,
    routes: null,
    pad: context.host.files.padToken,
    trained: trainedObjective(racer),
    trl: racerObjective(racer, 'trl'),
    verl: racerObjective(racer, 'verl'),
    gradient: gradientOf(context.policy, trainedObjective(racer), 0),
    signal: new AbortController().signal,
  });
}

test('float64 loops and the policy’s graph agree on the loss', async () => {
  const w = widen(start);
  const rollout = rolloutOf(w, 0.15);
  const racer = DEFAULT_RACER.reinforce;
  const { loss } = await trained(uploadParams(start), rollout, racer);
  expect(loss).toBeCloseTo(referenceGradient(w, rollout, racer, () => false).loss, 5);
});

describe.each(TRAINING_OBJECTIVES)('the gradient of %s through the policy', (objective) => {
  // Bands wide enough that some responses are inside, narrow enough that some are not.
  const racer: RacerSettings = { ...DEFAULT_RACER[objective], epsilonLow: 0.1, epsilonHigh: 0.1 };
  // VESPO's weight is of the whole response's probability: float32 rounding of every token adds up in it.
  const slack = objective === 'vespo' ? 10 : 1;

  test.each([0, 0.15])('is that of finite differences, ratios spread by %f', async (shift) => {
    const w = widen(start);
    const rollout = rolloutOf(w, shift);
    const random = new Random(3, STREAM.synthetic);
    const wanted = () => random.uniform() < 0.06;
    const expected = referenceGradient(w, rollout, racer, wanted);
    const { loss, gradient } = await trained(uploadParams(start), rollout, racer);
    if (gradient === null) throw new Error('no response had any influence');
    expect(Math.abs(loss - expected.loss)).toBeLessThan(5e-6 * slack);
    const found = await downloadParams(gradient);
    const all = [...found.values()].flatMap(({ values }) => [...values]);
    const steepest = Math.max(...all.map(Math.abs));
    expect(steepest).toBeGreaterThan(1e-3);
    let compared = 0;
    for (const [name, own] of expected.gradient) {
      own.forEach((want, i) => {
        if (Number.isNaN(want)) return;
        compared++;
        const got = found.get(name)?.values[i] as number;
        expect(Math.abs(got - want), `${name}[${i}]`).toBeLessThan(2e-5 * slack * steepest);
      });
    }
    expect(compared).toBeGreaterThan(20);
  });
});

test('two updates on the same rollouts are those of an independent float64 AdamW', async () => {
  const racer: RacerSettings = { ...DEFAULT_RACER.gspo, epsilonLow: 0.05, epsilonHigh: 0.05 };
  // A large epsilon: where gradients are as small as their rounding, Adam would divide noise by noise.
  const options = {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-2,
    weightDecay: 0.1,
    gradientClip: 0.05,
  };
  const rate = 0.01;
  const w = widen(start);
  const rollout = rolloutOf(w, 0);

  const params = uploadParams(start);
  let state: AdamWState = { params, mu: zeroMoments(params), nu: zeroMoments(params) };
  const update = adamW(options);
  const norms: number[] = [];
  for (const t of [1, 2]) {
    const { gradient } = await trained(state.params, rollout, racer);
    if (gradient === null) throw new Error('no gradient');
    const { norm, ...next } = update(state, gradient, rate, t);
    norms.push(Number((await norm.data())[0]));
    state = next;
  }
  const found = await downloadParams(state.params);

  const mu = new Map(PARAMETERS.map((n) => [n, w.get(n)?.map(() => 0) as Float64Array]));
  const nu = new Map([...mu].map(([n, zeros]) => [n, zeros.slice()]));
  for (const t of [1, 2]) {
    const { gradient } = referenceGradient(w, rollout, racer, () => true);
    const norm = Math.sqrt(
      [...gradient.values()].reduce((sum, g) => sum + g.reduce((a, x) => a + x * x, 0), 0),
    );
    expect(norms[t - 1]).toBeCloseTo(norm, 4);
    const clip = Math.min(1, options.gradientClip / (norm + 1e-6));
    for (const [name, values] of w) {
      const isMatrix = (start.get(name)?.shape.length ?? 0) === 2;
      const [g, m, v] = [gradient.get(name), mu.get(name), nu.get(name)] as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      values.forEach((value, i) => {
        const slope = g[i] * clip;
        m[i] = options.beta1 * m[i] + (1 - options.beta1) * slope;
        v[i] = options.beta2 * v[i] + (1 - options.beta2) * slope ** 2;
        const unit =
          m[i] /
          (1 - options.beta1 ** t) /
          (Math.sqrt(v[i] / (1 - options.beta2 ** t)) + options.epsilon);
        values[i] = value - rate * (unit + (isMatrix ? options.weightDecay * value : 0));
      });
    }
  }
  // The clip did bind, and the second update saw ratios away from 1.
  expect(Math.min(...norms)).toBeGreaterThan(options.gradientClip);
  for (const [name, values] of w) {
    values.forEach((want, i) => {
      const got = found.get(name)?.values[i] as number;
      expect(Math.abs(got - want), `${name}[${i}]`).toBeLessThan(2e-3 * rate);
    });
  }
});
