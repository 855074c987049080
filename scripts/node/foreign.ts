/**
 * For tests: a language model that was not made here, in the four shapes in which models stand on a hub, and the
 * weights in each as the float64 forward (`src/policy/reference.ts`) takes them.
 *
 * Contract: read from the folder that `FOREIGN_MODELS` names, or from `shared/foreign` beside this checkout or its
 * parent. A clone by itself has neither: then, and with `FOREIGN_MODELS=none`, the shipped arithmetic policy is written
 * in the same four shapes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as Ort from 'onnxruntime-web';
import type { NodeProto, TensorProto } from 'onnx-buf';
import { parameterSpecs, type Architecture } from '../../models/build/architecture';
import { inHalf, writeHubOnnx } from '../../models/build/hub-author';
import type { Weights64 } from '../../src/policy/reference';
import { dequantiseBlocks, type BlockLayout } from '../../src/math/block-quantisation';
import { fromHalf } from '../../src/math/half';
import { emptyCacheShape, readPorts } from '../../src/policy/graph/ports';
import { decode, dimensions, floatValues, integerValues } from '../../src/policy/graph/proto';
import { ROOT } from './ort';

export const FORMS = ['model', 'model_fp16', 'model_gqa', 'model_q4'] as const;
export type Form = (typeof FORMS)[number];

interface Config {
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads?: number;
  max_position_embeddings: number;
  rope_theta: number;
  rms_norm_eps: number;
}

export interface ForeignModel {
  /** folder in Hugging Face layout; null: it exists in memory only */
  folder: string | null;
  architecture: Architecture;
  onnx: Record<Form, Uint8Array>;
  /** token ids of a text that the model finds likely, the first token of all texts included */
  text: number[];
}

const STORIES = 'hub/stories260k/';
/** "Once upon a time, there was a little girl." behind <s> */
const STORY = [1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 286, 268, 415, 426];

function folderOf(): string | null {
  const named = process.env['FOREIGN_MODELS'];
  if (named === 'none') return null;
  if (named !== undefined) return `${named.replace(/\/$/, '')}/${STORIES}`;
  return (
    ['../shared/foreign/', '../../shared/foreign/']
      .map((path) => fileURLToPath(new URL(path + STORIES, ROOT)))
      .find((path) => existsSync(path)) ?? null
  );
}

function architectureOf(config: Config): Architecture {
  return {
    vocabulary: Array.from({ length: config.vocab_size }, (_, i) => String(i)),
    hiddenSize: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    kvHeads: config.num_key_value_heads ?? config.num_attention_heads,
    intermediateSize: config.intermediate_size,
    maxPositions: config.max_position_embeddings,
    ropeTheta: config.rope_theta,
    rmsNormEpsilon: config.rms_norm_eps,
  };
}

/** @param folder null: the stand-in, wherever a foreign model is */
export function foreignModel(folder = folderOf()): ForeignModel {
  const base = folder ?? fileURLToPath(new URL('models/arithmetic-dense/', ROOT));
  const read = (path: string) => new Uint8Array(readFileSync(base + path));
  const config = JSON.parse(readFileSync(`${base}config.json`, 'utf8')) as Config;
  const architecture = architectureOf(config);
  if (folder !== null) {
    const onnx = Object.fromEntries(
      FORMS.map((form) => [form, read(`onnx/${form}.onnx`)]),
    ) as Record<Form, Uint8Array>;
    return { folder, architecture, onnx, text: STORY };
  }
  const model = read('onnx/model.onnx');
  const weights = weightsIn(model, architecture);
  return {
    folder,
    architecture,
    onnx: {
      model,
      model_fp16: inHalf(model),
      model_gqa: writeHubOnnx(architecture, weights),
      model_q4: writeHubOnnx(architecture, weights, { bits: 4 }),
    },
    text: arithmeticText(base),
  };
}

/** 8*3+2-6=24+2-6=26-6=20; by the shipped policy's own tokens, which are single characters. */
function arithmeticText(base: string): number[] {
  const { model } = JSON.parse(readFileSync(`${base}tokenizer.json`, 'utf8')) as {
    model: { vocab: Record<string, number> };
  };
  return Array.from('8*3+2-6=24+2-6=26-6=20;', (character) => model.vocab[character]);
}

/** An operator's integer attribute. */
const integer = ({ attribute }: NodeProto, name: string) =>
  Number(attribute.find((one) => one.name === name)?.i ?? 0);

/** A matrix [in, out] in float64, whether it is stored in floats, halves, or blocks. */
function matrixOf(node: NodeProto, tensors: ReadonlyMap<string, TensorProto>) {
  const input = (i: number) => tensors.get(node.input[i] ?? '');
  const stored = input(1) as TensorProto;
  if (node.opType === 'MatMul') {
    return { shape: dimensions(stored), values: Float64Array.from(floatValues(stored)) };
  }
  const layout: BlockLayout = {
    k: integer(node, 'K'),
    n: integer(node, 'N'),
    bits: integer(node, 'bits') as BlockLayout['bits'],
    blockSize: integer(node, 'block_size'),
  };
  const zeros = input(3);
  return {
    shape: [layout.k, layout.n],
    values: dequantiseBlocks(
      layout,
      Uint8Array.from(integerValues(stored)),
      floatValues(input(2) as TensorProto),
      zeros ? Uint8Array.from(integerValues(zeros)) : null,
    ),
  };
}

/**
 * Heads padded with zeros to the size that onnxruntime's attention wants: each half of a head stands at the begin of
 * its half of the wider one.
 * @param axis 1: heads are columns, as of queries; 0: rows, as of what mixes them
 */
function unpadHeads(
  shape: number[],
  values: Float64Array,
  head: number,
  heads: number,
  axis: 0 | 1,
) {
  const wide = shape[axis] / heads;
  if (wide === head) return values;
  const kept = Array.from({ length: heads * head }, (_, i) => {
    const [of, at] = [Math.floor(i / head), i % head];
    return of * wide + (at < head / 2 ? at : wide / 2 + at - head / 2);
  });
  const [rows, columns] = shape as [number, number];
  const result: number[] = [];
  if (axis === 0)
    for (const row of kept) result.push(...values.subarray(row * columns, (row + 1) * columns));
  else
    for (let row = 0; row < rows; row++)
      for (const column of kept) result.push(values[row * columns + column]);
  return Float64Array.from(result);
}

/**
 * The weights of an export by the names of `parameterSpecs`, found by what the exporters call their nodes.
 * @throws Error where one is not there or has another size than the config gives it
 */
export function weightsIn(onnx: Uint8Array, architecture: Architecture): Weights64 {
  const { graph } = decode(onnx);
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const { heads, kvHeads = heads, hiddenSize } = architecture;
  const head = hiddenSize / heads;
  const found: Weights64 = new Map();
  for (const node of graph.node) {
    if (!/^MatMul(NBits)?$/.test(node.opType) || !tensors.has(node.input[1])) continue;
    // An anonymous weight ("onnx::MatMul_123") belongs to a node that has its module's name, and the other way round.
    const name = `${node.name} ${node.input[1]}`.replaceAll('/', '.');
    const [, layer, block, part] =
      /layers\.(\d+)\.(self_attn|attn|mlp)\.(\w+)_proj\b/.exec(name) ?? [];
    if (part === undefined) {
      if (/lm_head/.test(name)) found.set('lm_head.MatMul.weight', matrixOf(node, tensors).values);
      continue;
    }
    const matrix = matrixOf(node, tensors);
    const own = `model.layers.${layer}.${block === 'mlp' ? 'mlp' : 'attn'}.${part}_proj.MatMul.weight`;
    const { shape, values } = matrix;
    if (block === 'mlp') found.set(own, values);
    else if (part === 'o') found.set(own, unpadHeads(shape, values, head, heads, 0));
    else found.set(own, unpadHeads(shape, values, head, part === 'q' ? heads : kvHeads, 1));
  }
  for (const { name, shape } of parameterSpecs(architecture)) {
    const tensor = tensors.get(name);
    if (tensor && !found.has(name)) found.set(name, Float64Array.from(floatValues(tensor)));
    // Tied to the embedding, which is [out, in].
    if (name === 'lm_head.MatMul.weight' && !found.has(name)) {
      const embedding = found.get('model.embed_tokens.weight') as Float64Array;
      const [d, v] = shape as [number, number];
      found.set(
        name,
        Float64Array.from({ length: d * v }, (_, i) => embedding[(i % v) * d + Math.floor(i / v)]),
      );
    }
    const size = shape.reduce((x, y) => x * y, 1);
    const { length } = found.get(name) ?? [];
    if (length !== size) throw new Error(`${name}: ${size} values are wanted, not ${length}.`);
  }
  return found;
}

/** A forward pass of an ONNX file over rows of one length, cache empty. */
export interface Pass {
  tokens: readonly (readonly number[])[];
  /** 1 = attended to; left out: all */
  mask?: readonly (readonly number[])[];
}

/** @returns [rows, length, vocabulary] logits of the named output, as numbers */
export async function logitsOf(
  ort: typeof Ort,
  onnx: Uint8Array,
  { tokens, mask = tokens.map((row) => row.map(() => 1)) }: Pass,
): Promise<{ dims: readonly number[]; values: Float32Array }> {
  const ports = readPorts(decode(onnx));
  const dims = [tokens.length, tokens[0].length];
  const longs = (values: readonly (readonly number[])[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values.flat(), BigInt), dims);
  const feeds: Record<string, Ort.Tensor> = { [ports.tokens.name]: longs(tokens) };
  if (ports.mask) feeds[ports.mask.name] = longs(mask);
  if (ports.positions) {
    feeds[ports.positions.name] = longs(
      mask.map((row) =>
        row.map((_, i) => Math.max(0, row.slice(0, i + 1).reduce((x, y) => x + y, 0) - 1)),
      ),
    );
  }
  for (const port of ports.caches) {
    const { name, type } = port.input;
    const nothing = type === 'float16' ? new Uint16Array(0) : new Float32Array(0);
    feeds[name] = new ort.Tensor(type, nothing as never, emptyCacheShape(port, tokens.length));
  }
  const session = await ort.InferenceSession.create(onnx, { executionProviders: ['wasm'] });
  const { [ports.logits.name]: logits } = await session.run(feeds);
  const half = ports.logits.type === 'float16';
  const values = half
    ? Float32Array.from(new Uint16Array((logits.data as Uint16Array).buffer), fromHalf)
    : (logits.data as Float32Array);
  await session.release();
  return { dims: logits.dims, values };
}
