/**
 * A checkpoint as trainers write it in an ONNX export of the same model: the log-probs are those of a float64 forward pass
 * with the checkpoint's weights, whatever the export calls its own; what does not fit is a sentence.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { parameterSpecs } from '../models/build/architecture';
import { referenceLogProbs } from '../src/policy/reference';
import { rowStats } from '../src/math/log-softmax';
import { withCheckpoint } from '../src/policy/foreign/checkpoint';
import type { Weights } from '../src/policy/graph/lift';
import { loadRuntime, type Runtime } from '../src/policy/runtime';
import { writeSafetensors } from '../src/policy/safetensors';
import { foreignModel, logitsOf, weightsIn, type ForeignModel } from './node/foreign';
import { NODE_ASSETS } from './node/ort';

const MODELS: [string, ForeignModel][] = [
  ['a foreign model', foreignModel()],
  ['the stand-in', foreignModel(null)],
];
const NO_FILES = { external: new Map() };

let runtime: Runtime;
beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
});

/** `model.layers.0.attn.q_proj.MatMul.weight` as PyTorch has it. */
const trainerName = (name: string) =>
  name
    .replace('.MatMul.weight', '.weight')
    .replace('.attn.', '.self_attn.')
    .replace(/layers\.\d+\.final_norm_layernorm/, 'norm');

/** Weights a little beside the model's, by both names and in both layouts. */
function trained({ architecture, onnx }: ForeignModel) {
  const before = weightsIn(onnx.model, architecture);
  const after: typeof before = new Map();
  const written: Weights = new Map();
  parameterSpecs(architecture).forEach(({ name, shape }, k) => {
    const values = Float32Array.from(
      before.get(name) ?? [],
      (x, i) => x * (1 + 0.1 * Math.sin(i + k)) + 0.001 * Math.cos(3 * i),
    );
    after.set(name, Float64Array.from(values));
    const linear = name.endsWith('.MatMul.weight');
    const [rows, columns = 1] = shape as [number, number?];
    const turned = values.map(
      (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] as number,
    );
    written.set(trainerName(name), {
      shape: linear ? [columns, rows] : [...shape],
      values: linear ? turned : values,
    });
  });
  return { after, written };
}

const apart = (x: readonly number[], y: readonly number[]) =>
  Math.max(...x.map((value, i) => Math.abs(value - y[i])));

describe.each(MODELS)('%s', (_, model) => {
  const { text, architecture, onnx } = model;
  const { after, written } = trained(model);
  const bytes = writeSafetensors(written);

  async function logProbs(graph: Uint8Array): Promise<number[]> {
    const { dims, values } = await logitsOf(runtime.ort, graph, { tokens: [text] });
    return text.slice(1).map((token, t) => rowStats(values, t * dims[2], dims[2], token).logp);
  }
  const wanted = (weights: typeof after) =>
    referenceLogProbs(architecture, weights, text.slice(0, 1), text.slice(1));

  test.for<['model' | 'model_fp16', number]>([
    ['model', 5e-5],
    ['model_fp16', 5e-2],
  ])('in %s has the log-probs of float64 loops over its weights', async ([form, tolerance]) => {
    const before = onnx[form].slice();
    const files = { onnx: Uint8Array.from(onnx[form]), ...NO_FILES };
    const { onnx: graph } = withCheckpoint(files, bytes, 'a.safetensors');
    expect(apart(await logProbs(graph), wanted(after))).toBeLessThan(tolerance);
    // The weights do matter.
    expect(apart(await logProbs(onnx[form]), wanted(after))).toBeGreaterThan(10 * tolerance);
    expect(Buffer.compare(onnx[form], before)).toBe(0);
  });

  test('of other weights than the graph’s is not taken: fewer bits, a tensor more or fewer, another shape', () => {
    const plain = { onnx: Uint8Array.from(onnx.model), ...NO_FILES };
    const fewer = { onnx: Uint8Array.from(onnx.model_q4), ...NO_FILES };
    const change = (edit: (weights: Weights) => void) => {
      const other = new Map(written);
      edit(other);
      return writeSafetensors(other);
    };
    expect(() => withCheckpoint(fewer, bytes, 'a.safetensors')).toThrow(/rounded to fewer bits/);
    const without = change((weights) => weights.delete('model.norm.weight'));
    expect(() => withCheckpoint(plain, without, 'a.safetensors')).toThrow(
      /a\.safetensors has no tensor for the weight ".*norm/,
    );
    const more = change((weights) =>
      weights.set('model.layers.99.mlp.up_proj.weight', {
        shape: [1],
        values: new Float32Array(1),
      }),
    );
    expect(() => withCheckpoint(plain, more, 'a.safetensors')).toThrow(
      /no place for tensor "model\.layers\.99/,
    );
    const wide = change((weights) =>
      weights.set('model.norm.weight', { shape: [3], values: new Float32Array(3) }),
    );
    expect(() => withCheckpoint(plain, wide, 'a.safetensors')).toThrow(
      /"model\.norm\.weight" is \[3\] in a\.safetensors, the graph’s ".*" is \[\d+\]/,
    );
    expect(() => withCheckpoint(plain, bytes, 'model-00001-of-00002.safetensors')).toThrow(
      /one of several files/,
    );
    expect(() => withCheckpoint(plain, new Uint8Array(9), 'a.safetensors')).toThrow(
      /not a usable safetensors/,
    );
  });
});
