/** Every objective, in both libraries' conventions: value and gradient against the float64 oracle. */
import { defaultDevice, grad, init, numpy as np } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from 'vitest';
import { coefficients } from '../math/objectives/aggregate';
import { evaluateObjective } from '../math/objectives/evaluate';
import { objective, RESPONSE_IDS, type ObjectiveSettings } from '../math/objectives/registry';
import type { ObjectiveBatch } from '../math/objectives/types';
import { Random, STREAM } from '../math/philox';
import { lossAggregation, objectiveLoss, type LossInputs } from './losses';

const LENGTHS = [3, 7, 1, 5, 7];
const WIDTH = 8;

beforeAll(async () => {
  await init('wasm');
  defaultDevice('wasm');
});

/** Ragged responses whose token ratios have the given spread; both signs of the advantage. */
function drawBatch(seed: number, spread: number): ObjectiveBatch {
  const random = new Random(seed, STREAM.synthetic);
  const offsets = Uint32Array.from([0, ...LENGTHS.map((_, i) => sum(LENGTHS.slice(0, i + 1)))]);
  const tokens = offsets.at(-1) as number;
  // float32 values, so that both sides start from the same numbers
  const logpOld = Float32Array.from({ length: tokens }, () => -0.05 - random.uniform() * 2);
  const logpNew = logpOld.map((a) => Math.min(-0.01, a + spread * random.normal()));
  const advantage = Float64Array.from([1.5, -0.75, 0.5, -1.25, 0.25]);
  return { offsets, logpOld, logpNew, advantage };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** [B, T] with `rest` in the padding. */
function padded(
  values: ArrayLike<number>,
  { offsets }: ObjectiveBatch,
  rest = 0,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(LENGTHS.length * WIDTH).fill(rest);
  LENGTHS.forEach((length, i) => {
    for (let j = 0; j < length; j++) {
      out[i * WIDTH + j] = values[offsets[i] + j];
    }
  });
  return out;
}

async function differentiated(batch: ObjectiveBatch, settings: ObjectiveSettings) {
  const shape = [LENGTHS.length, WIDTH];
  const grid = (values: Float32Array<ArrayBuffer>) => np.array(values, { shape });
  const column = (values: ArrayLike<number>) =>
    np.array(Float32Array.from(values), { shape: [LENGTHS.length, 1] });
  const tokens = batch.logpOld.length;
  const inputs = (): LossInputs => ({
    logpOld: grid(padded(batch.logpOld, batch)),
    mask: grid(padded(new Float32Array(tokens).fill(1), batch)),
    advantage: column(batch.advantage),
    length: column(LENGTHS),
    coefficient: column(coefficients(lossAggregation(settings), settings.library, batch.offsets)),
  });
  // Rubbish in the padding must not matter.
  const logp = () => grid(padded(batch.logpNew, batch, -3));
  const loss = (x: np.Array) => objectiveLoss(settings, x, inputs());
  return {
    value: Number((await loss(logp()).data())[0]),
    gradient: (await grad(loss)(logp()).data()) as Float32Array,
  };
}

const OBJECTIVES = RESPONSE_IDS.map(objective);

describe.each(OBJECTIVES.map((objective) => [objective.id, objective] as const))('%s', (_, o) => {
  test.each(['trl', 'verl'] as const)('in the convention of %s', async (library) => {
    const settings = o[library];
    if (settings === null) return expect(o[library === 'trl' ? 'verl' : 'trl']).not.toBeNull();
    // From almost on-policy to far beyond every band.
    for (const [seed, spread] of [
      [1, 1e-4],
      [2, 0.1],
      [3, 1.2],
    ] as const) {
      const batch = drawBatch(seed, spread);
      const expected = evaluateObjective(batch, settings);
      const { value, gradient } = await differentiated(batch, settings);
      const size = sum([...expected.tokenLoss].map(Math.abs));
      expect(Math.abs(value - expected.loss)).toBeLessThan(2e-6 * size + 1e-7);
      const steepest = Math.max(...expected.gradient.map(Math.abs));
      const want = padded(expected.gradient, batch);
      gradient.forEach((g, i) => {
        expect(Math.abs(g - want[i])).toBeLessThan(1e-5 * steepest + 1e-9);
      });
    }
  });
});

test('every objective of the registry leaves some response with a gradient', () => {
  for (const { trl, verl } of OBJECTIVES) {
    const { gradient } = evaluateObjective(drawBatch(2, 0.1), (trl ?? verl) as ObjectiveSettings);
    expect(gradient.some((g) => g !== 0)).toBe(true);
  }
});
