/**
 * Gradients through graphs that the lab did not write: their log-probs in jax-js are onnxruntime's, their gradient is
 * that of finite differences in float64, and a few steps make a text likelier.
 */
import { defaultDevice, init, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from 'vitest';
import { initialWeights, parameterSpecs, type Architecture } from '../../models/build/architecture';
import { writeHubOnnx } from '../../models/build/hub-author';
import { referenceLogProbs, type Weights64 } from '../policy/reference';
import { foreignModel, logitsOf, type Form } from '../../scripts/node/foreign';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { rowStats } from '../math/log-softmax';
import { Random, STREAM } from '../math/philox';
import { loadRuntime } from '../policy/runtime';
import { adamW, zeroMoments, type Params } from './adamw';
import { DifferentiablePolicy, downloadParams, uploadParams, type TokenGrids } from './policy';
import { ADAM } from './racer';

beforeAll(async () => {
  await init('wasm');
  defaultDevice('wasm');
  Reflect.deleteProperty(globalThis, 'Worker');
});

/** One row of a text, each token predicting the next. @param padding places on the left that hold nothing */
function gridsOf(text: readonly number[], padding = 0): TokenGrids {
  const length = text.length - 1;
  const row = (value: (i: number) => number) =>
    np.array(
      Int32Array.from({ length: padding + length }, (_, i) =>
        i < padding ? 0 : value(i - padding),
      ),
      { shape: [1, padding + length], dtype: np.int32 },
    );
  return {
    inputIds: row((i) => text[i]),
    attentionMask: row(() => 1),
    positionIds: row((i) => i),
    targets: row((i) => text[i + 1]),
  };
}

const logProbOf = (policy: DifferentiablePolicy, text: readonly number[]) => (params: Params) =>
  policy.tokenLogProbs(params, gridsOf(text)).sum();

const foreign = foreignModel();

describe.each([
  ['a foreign model', foreign],
  ['the stand-in', foreignModel(null)],
] as const)('%s', (_, model) => {
  test.each<Form>(['model', 'model_gqa', 'model_q4'])(
    '%s has the same log-probs in jax-js as in onnxruntime, padded on the left too',
    async (form) => {
      const { ort } = await loadRuntime('wasm', { assets: NODE_ASSETS });
      const { text, onnx } = model;
      const { dims, values } = await logitsOf(ort, onnx[form], { tokens: [text] });
      const policy = new DifferentiablePolicy(onnx[form]);
      Reflect.deleteProperty(globalThis, 'Worker');
      for (const padding of [0, 3]) {
        const params = uploadParams(policy.fileWeights);
        const found = await policy.tokenLogProbs(params, gridsOf(text, padding)).data();
        const apart = text.slice(1).map((token, t) => {
          const { logp } = rowStats(values, t * dims[2], dims[2], token);
          return Math.abs(logp - found[padding + t]);
        });
        expect(Math.max(...apart)).toBeLessThan(5e-5);
      }
      policy.dispose();
    },
  );
});

test.each<Form>(['model', 'model_gqa', 'model_q4'])(
  'a few steps on %s make another text likelier',
  async (form) => {
    const policy = new DifferentiablePolicy(foreign.onnx[form]);
    const target = [...foreign.text].reverse();
    const loss = logProbOf(policy, target);
    const step = valueAndGrad((params: Params) => loss(params).mul(-1));
    const update = adamW({ ...ADAM, weightDecay: 0, gradientClip: 1 });
    const params = uploadParams(policy.fileWeights);
    let state = { params, mu: zeroMoments(params), nu: zeroMoments(params) };
    const seen: number[] = [];
    for (let t = 1; t <= 6; t++) {
      const [value, gradient] = step(tree.ref(state.params)) as [np.Array, Params];
      seen.push(-Number((await value.data())[0]));
      const { norm, ...next } = update(state, gradient, 3e-3, t);
      expect(Number((await norm.data())[0])).toBeGreaterThan(0);
      state = next;
    }
    expect(seen.every(Number.isFinite)).toBe(true);
    expect((seen.at(-1) as number) - seen[0]).toBeGreaterThan(5);
    policy.dispose();
  },
);

test('the gradient through shared key heads and fused norms is that of finite differences', async () => {
  const small: Architecture = {
    vocabulary: Array.from({ length: 11 }, (_, i) => String(i)),
    hiddenSize: 16,
    layers: 1,
    heads: 4,
    kvHeads: 2,
    intermediateSize: 8,
    maxPositions: 16,
    ropeTheta: 100,
    rmsNormEpsilon: 1e-5,
  };
  const weights = initialWeights(small, 5);
  const text = [1, 7, 3, 3, 10, 2, 5];
  const policy = new DifferentiablePolicy(writeHubOnnx(small, weights));
  const [, gradient] = valueAndGrad(logProbOf(policy, text))(uploadParams(policy.fileWeights)) as [
    np.Array,
    Params,
  ];
  const found = await downloadParams(gradient);
  const w: Weights64 = new Map([...weights].map(([name, x]) => [name, Float64Array.from(x)]));
  const total = () =>
    referenceLogProbs(small, w, text.slice(0, 1), text.slice(1)).reduce((sum, x) => sum + x, 0);
  const steepest = Math.max(
    ...[...found.values()].flatMap(({ values }) => [...values.map(Math.abs)]),
  );
  expect(steepest).toBeGreaterThan(0.1);
  const random = new Random(9, STREAM.synthetic);
  const step = 1e-5;
  for (const { name } of parameterSpecs(small)) {
    const values = w.get(name) as Float64Array;
    let compared = 0;
    for (let i = 0; i < values.length; i++) {
      if (values.length > 20 && random.uniform() > 0.1) continue;
      const middle = values[i];
      values[i] = middle + step;
      const above = total();
      values[i] = middle - step;
      const below = total();
      values[i] = middle;
      const wanted = (above - below) / (2 * step);
      const got = found.get(name)?.values[i] as number;
      expect(Math.abs(got - wanted), `${name}[${i}]`).toBeLessThan(2e-5 * steepest);
      compared++;
    }
    expect(compared, name).toBeGreaterThan(3);
  }
});
