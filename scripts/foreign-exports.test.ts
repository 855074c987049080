/**
 * The four shapes in which a foreign model stands on a hub, run by onnxruntime on wasm: the log-probs of a text
 * against a forward pass in float64 that was written from the architecture, with the weights of each file.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { referenceLogProbs } from '../src/policy/reference';
import { rowStats } from '../src/math/log-softmax';
import { loadRuntime, type Runtime } from '../src/policy/runtime';
import {
  foreignModel,
  FORMS,
  logitsOf,
  weightsIn,
  type ForeignModel,
  type Form,
} from './node/foreign';
import { NODE_ASSETS } from './node/ort';

/** Largest difference of a token's log-prob, nats: rounding of float32, and of half precision throughout. */
const TOLERANCE: Record<Form, number> = {
  model: 2e-5,
  model_fp16: 2e-2,
  model_gqa: 2e-5,
  model_q4: 2e-5,
};

const MODELS: [string, ForeignModel][] = [
  ['a foreign model', foreignModel()],
  ['the stand-in', foreignModel(null)],
];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
});

function apart(x: readonly number[], y: readonly number[]): number {
  return Math.max(...x.map((value, i) => Math.abs(value - y[i])));
}

describe.each(MODELS)('%s', (_, { text, architecture, onnx }) => {
  test.each(FORMS)('%s has the log-probs of float64 loops over the same weights', async (form) => {
    const { dims, values } = await logitsOf(runtime.ort, onnx[form], { tokens: [text] });
    const found = text
      .slice(1)
      .map((token, t) => rowStats(values, t * dims[2], dims[2], token).logp);
    const weights = weightsIn(onnx[form], architecture);
    const wanted = referenceLogProbs(architecture, weights, text.slice(0, 1), text.slice(1));
    expect(apart(found, wanted)).toBeLessThan(TOLERANCE[form]);
  });
});
