/**
 * The mixture of experts: the authored graph against plain float64 loops, its routes tapped and replayed,
 * and its gradient through the routers.
 */
import { defaultDevice, grad, init, numpy as np } from '@jax-js/jax';
import type { Tensor } from 'onnxruntime-web';
import { TensorProto_DataType } from 'onnx-buf';
import { beforeAll, describe, expect, test } from 'vitest';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { cut, tap } from '../../src/policy/graph/cut';
import { decode, encode } from '../../src/policy/graph/proto';
import { loadRuntime, type Runtime } from '../../src/policy/runtime';
import type { Params } from '../../src/training/adamw';
import { DifferentiablePolicy, uploadParams } from '../../src/training/policy';
import { initialWeights, type Architecture } from './architecture';
import { writeOnnx } from './onnx-author';
import { referenceLogProbs, type TokenRoute, type Weights64 } from '../../src/policy/reference';
import { TINY } from './tiny';

const MOE: Architecture = { ...TINY, intermediateSize: 6, experts: { count: 8, perToken: 2 } };
const PROMPT = [9, 13, 4, 11, 3, 12, 7, 16];
const RESPONSE = [3, 5, 11, 3, 12, 7, 16, 2, 1, 17];
const TOKENS = [...PROMPT, ...RESPONSE];
const ROUTES = Array.from({ length: MOE.layers }, (_, i) => `model.layers.${i}.mlp.router.routes`);

// Far from the small initialisation, so that routes are decided and matter.
const weights = new Map(
  [...initialWeights(MOE, 5)].map(([name, x]) => [
    name,
    name.includes('MatMul') ? x.map((y) => 3 * y) : x,
  ]),
);
const exact: Weights64 = new Map([...weights].map(([name, x]) => [name, Float64Array.from(x)]));
const onnx = writeOnnx(MOE, weights);
let runtime: Runtime;

beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  await init('wasm');
  defaultDevice('wasm');
});

async function run(bytes: Uint8Array, more: Record<string, Tensor> = {}) {
  const { ort } = runtime;
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const n = TOKENS.length - 1;
  const int64 = (values: number[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, n]);
  const feeds: Record<string, Tensor> = {
    input_ids: int64(TOKENS.slice(0, n)),
    attention_mask: int64(new Array<number>(n).fill(1)),
    position_ids: int64([...new Array(n).keys()]),
    ...more,
  };
  for (let i = 0; i < MOE.layers; i++) {
    for (const kind of ['key', 'value']) {
      const dims = [1, MOE.heads, 0, MOE.hiddenSize / MOE.heads];
      feeds[`past_key_values.${i}.${kind}`] = new ort.Tensor('float32', new Float32Array(0), dims);
    }
  }
  return session.run(feeds);
}

/** Log-probs of the response, in float64 from the graph's float32 logits. */
function responseLogProbs(logits: Float32Array): number[] {
  const v = MOE.vocabulary.length;
  return RESPONSE.map((id, t) => {
    const row = Array.from(logits.subarray((PROMPT.length - 1 + t) * v).subarray(0, v));
    const top = Math.max(...row);
    return row[id] - top - Math.log(row.reduce((s, x) => s + Math.exp(x - top), 0));
  });
}

function tapped(): Uint8Array {
  const model = decode(onnx);
  for (const name of ROUTES) tap(model, name, TensorProto_DataType.FLOAT);
  return encode(model);
}

const chosenOf = (routes: Float32Array): number[][] =>
  Array.from({ length: TOKENS.length - 1 }, (_, t) =>
    [...Array(8).keys()].filter((e) => routes[t * 8 + e] === 1),
  );

describe('the graph with experts', () => {
  test('gives the log-probs and the routes of plain float64 loops', async () => {
    const own: TokenRoute[][] = [];
    const expected = referenceLogProbs(MOE, exact, PROMPT, RESPONSE, { own });
    const result = await run(tapped());
    const measured = responseLogProbs(result['logits']?.data as Float32Array);
    measured.forEach((x, t) => expect(x).toBeCloseTo(expected[t], 4));
    ROUTES.forEach((name, layer) => {
      const chosen = chosenOf(result[name]?.data as Float32Array);
      expect(chosen).toEqual(
        own[layer]?.map((route) => route.map(({ expert }) => expert).sort((a, b) => a - b)),
      );
    });
    // Every expert is somebody's: a test on routes that never differ would show nothing.
    expect(new Set(own.flat(2).map(({ expert }) => expert)).size).toBeGreaterThan(4);
  });

  test('replaying its own routes changes nothing, bit for bit; others’ routes do', async () => {
    const model = decode(onnx);
    for (const name of ROUTES) cut(model, name, TensorProto_DataType.FLOAT);
    const bytes = encode(model);
    const own = await run(tapped());
    const routes = Object.fromEntries(ROUTES.map((name) => [name, own[name]]));
    const replayed = await run(bytes, routes);
    expect(replayed['logits']?.data).toEqual(own['logits']?.data);

    const first = own[ROUTES[0]];
    const turned = Float32Array.from(first.data as Float32Array, (_, i) => {
      const [t, e] = [Math.floor(i / 8), i % 8];
      return (first.data as Float32Array)[t * 8 + ((e + 3) % 8)];
    });
    const other = new runtime.ort.Tensor('float32', turned, first.dims);
    const changed = await run(bytes, { ...routes, [ROUTES[0]]: other });
    expect(changed['logits']?.data).not.toEqual(own['logits']?.data);
  });

  test('its gradient, routers included, equals finite differences of the float64 loops', async () => {
    // onnxruntime-web defines a global Worker in Node, which jax-js takes for a browser's.
    Reflect.deleteProperty(globalThis, 'Worker');
    const policy = new DifferentiablePolicy(onnx);
    const n = TOKENS.length - 1;
    const row = (values: number[]) => np.array(Int32Array.from(values), { shape: [1, n] });
    const mask = Float32Array.from({ length: n }, (_, t) => (t >= PROMPT.length - 1 ? 1 : 0));
    const total = (params: Params): np.Array =>
      policy
        .tokenLogProbs(params, {
          inputIds: row(TOKENS.slice(0, n)),
          targets: row(TOKENS.slice(1)),
          attentionMask: np.ones([1, n], { dtype: np.int32 }),
          positionIds: row([...new Array(n).keys()]),
        })
        .mul(np.array(mask, { shape: [1, n] }))
        .sum();
    const gradient = grad(total)(uploadParams(policy.fileWeights));

    for (const part of ['mlp.router', 'mlp.gate_proj', 'mlp.down_proj', 'attn.q_proj']) {
      const name = `model.layers.1.${part}.MatMul.weight`;
      const values = (await gradient[name]?.ref.data()) as Float32Array;
      const largest = values.reduce(
        (best, x, i) => (Math.abs(x) > Math.abs(values[best]) ? i : best),
        0,
      );
      const at = (step: number) => {
        const moved = new Map(exact);
        const copy = Float64Array.from(exact.get(name) as Float64Array);
        copy[largest] = copy[largest] + step;
        moved.set(name, copy);
        return referenceLogProbs(MOE, moved, PROMPT, RESPONSE).reduce((sum, x) => sum + x, 0);
      };
      const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
      expect(Math.abs(difference)).toBeGreaterThan(1e-2);
      expect(values[largest] / difference).toBeCloseTo(1, 3);
    }
    for (const array of Object.values(gradient)) array.dispose();
    policy.dispose();
  });
});
