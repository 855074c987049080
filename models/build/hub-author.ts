/**
 * A policy in the shapes in which models stand on a hub, for tests and benches: with onnxruntime's contributed
 * operators (`GroupQueryAttention` with its own rotary, `SimplifiedLayerNormalization` and its Skip form), its
 * matrices as they are or in blocks of 4 bits (`MatMulNBits`), or any graph of float32 in half precision.
 *
 * Contract: inputs `input_ids`, `attention_mask`, `past_key_values.N.key|value`, no `position_ids`; weights by the
 * names of `parameterSpecs`, matrices [in, out]. onnxruntime runs it where a head's size is a multiple of 16.
 */
import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { blocksOf, quantiseBlocks } from '../../src/math/block-quantisation';
import { bytes, floats, integers, nodeOf, portInfo } from '../../src/policy/graph/make';
import { decode, encode, floatValues } from '../../src/policy/graph/proto';
import { parameterSpecs, type Architecture } from './architecture';

const CONTRIBUTED = 'com.microsoft';
const BLOCK_SIZE = 32;
const { FLOAT, FLOAT16, INT32, INT64 } = TensorProto_DataType;

export interface HubForm {
  /** bits of the matrices in blocks, head of the vocabulary included; absent: float32 */
  bits?: 4 | 8;
  /** blocks with zero points of their own; absent: symmetric */
  zeroPoints?: boolean;
}

/** @throws RangeError where a weight is missing, misshapen, or the policy has experts */
export function writeHubOnnx(
  a: Architecture,
  weights: Pick<ReadonlyMap<string, ArrayLike<number>>, 'get'>,
  { bits, zeroPoints = false }: HubForm = {},
): Uint8Array<ArrayBuffer> {
  if (a.experts) throw new RangeError('Experts are written by onnx-author.ts.');
  const node: NodeProto[] = [];
  const initializer: TensorProto[] = [];
  const shapes = new Map(parameterSpecs(a).map(({ name, shape }) => [name, shape]));
  const weightOf = (name: string) => {
    const [values, shape] = [weights.get(name), shapes.get(name)];
    const size = shape?.reduce((x, y) => x * y, 1);
    if (!values || !shape || values.length !== size) {
      throw new RangeError(`weight ${name}: ${size} values are wanted, not ${values?.length ?? 0}`);
    }
    return { values, shape };
  };
  const keep = (name: string): string => {
    const { values, shape } = weightOf(name);
    initializer.push(floats(name, shape, values));
    return name;
  };
  const project = (x: string, module: string, output = `${module}.output`): string => {
    const name = `${module}.MatMul.weight`;
    if (bits === undefined) {
      node.push(nodeOf('MatMul', [x, keep(name)], output));
      return output;
    }
    const { values, shape } = weightOf(name);
    const [k, n] = shape as [number, number];
    const layout = { k, n, bits, blockSize: BLOCK_SIZE };
    const blocks = blocksOf(layout);
    const quantised = quantiseBlocks(layout, values, { zeroPoints });
    const [q, scales, zeros] = [`${name}_Q${bits}`, `${name}_scales`, `${name}_zp`];
    initializer.push(
      bytes(q, [n, blocks, (BLOCK_SIZE * bits) / 8], quantised.packed),
      floats(scales, [n * blocks], quantised.scales),
    );
    if (quantised.zeroPoints) {
      initializer.push(bytes(zeros, [quantised.zeroPoints.length], quantised.zeroPoints));
    }
    node.push(
      nodeOf(
        'MatMulNBits',
        [x, q, scales, ...(zeroPoints ? [zeros] : [])],
        output,
        { K: k, N: n, bits, block_size: BLOCK_SIZE, accuracy_level: 0 },
        CONTRIBUTED,
      ),
    );
    return output;
  };

  const head = a.hiddenSize / a.heads;
  const kvHeads = a.kvHeads ?? a.heads;
  const epsilon = { epsilon: { float: a.rmsNormEpsilon } };
  for (const [name, f] of [
    ['cos_cache', Math.cos],
    ['sin_cache', Math.sin],
  ] as const) {
    const half = head / 2;
    const values = Float64Array.from({ length: a.maxPositions * half }, (_, i) =>
      f(Math.floor(i / half) * a.ropeTheta ** (-(i % half) / half)),
    );
    initializer.push(floats(name, [a.maxPositions, half], values));
  }
  initializer.push(integers('one', 1), integers('last_axis', [1]));
  node.push(
    nodeOf('ReduceSum', ['attention_mask', 'last_axis'], 'mask.sum', { keepdims: 0 }),
    nodeOf('Sub', ['mask.sum', 'one'], 'mask.last'),
    nodeOf('Cast', ['mask.last'], 'mask.seqlens_k', { to: INT32 }),
    nodeOf('Shape', ['attention_mask'], 'mask.shape'),
    nodeOf('Gather', ['mask.shape', 'one'], 'mask.width', { axis: 0 }),
    nodeOf('Cast', ['mask.width'], 'mask.total', { to: INT32 }),
    nodeOf('Gather', [keep('model.embed_tokens.weight'), 'input_ids'], 'model.embed_tokens'),
  );

  let residual = 'model.embed_tokens';
  /** Null: nothing to add yet, as before the first layer. */
  let branch: string | null = null;
  const norm = (name: string): string => {
    const gain = keep(`${name}.weight`);
    if (branch === null) {
      node.push(
        nodeOf('SimplifiedLayerNormalization', [residual, gain], name, { axis: -1, ...epsilon }),
      );
      return name;
    }
    const sum = `${name}.sum`;
    const inputs = [residual, branch, gain];
    const outputs = [name, '', '', sum];
    node.push(nodeOf('SkipSimplifiedLayerNormalization', inputs, outputs, epsilon, CONTRIBUTED));
    residual = sum;
    return name;
  };
  for (let i = 0; i < a.layers; i++) {
    const layer = `model.layers.${i}`;
    const normed = norm(`${layer}.input_layernorm`);
    const attended = `${layer}.attn.output`;
    node.push(
      nodeOf(
        'GroupQueryAttention',
        [
          ...['q', 'k', 'v'].map((part) => project(normed, `${layer}.attn.${part}_proj`)),
          `past_key_values.${i}.key`,
          `past_key_values.${i}.value`,
          'mask.seqlens_k',
          'mask.total',
          'cos_cache',
          'sin_cache',
        ],
        [attended, `present.${i}.key`, `present.${i}.value`],
        {
          num_heads: a.heads,
          kv_num_heads: kvHeads,
          scale: { float: head ** -0.5 },
          do_rotary: 1,
          rotary_interleaved: 0,
        },
        CONTRIBUTED,
      ),
    );
    branch = project(attended, `${layer}.attn.o_proj`);
    const fed = norm(`${layer}.post_attention_layernorm`);
    const gate = project(fed, `${layer}.mlp.gate_proj`);
    const inner = `${layer}.mlp`;
    const up = project(fed, `${inner}.up_proj`);
    node.push(
      nodeOf('Sigmoid', [gate], `${inner}.sigmoid`),
      nodeOf('Mul', [gate, `${inner}.sigmoid`], `${inner}.silu`),
      nodeOf('Mul', [`${inner}.silu`, up], `${inner}.gated`),
    );
    branch = project(`${inner}.gated`, `${inner}.down_proj`);
  }
  project(norm('model.norm'), 'lm_head', 'logits');

  const caches = (prefix: string, length: string): ValueInfoProto[] =>
    Array.from({ length: a.layers }, (_, i) =>
      ['key', 'value'].map((kind) =>
        portInfo(`${prefix}.${i}.${kind}`, FLOAT, ['batch_size', kvHeads, length, head]),
      ),
    ).flat();
  const graph = create(GraphProtoSchema, {
    name: 'policy',
    node,
    initializer,
    input: [
      portInfo('input_ids', INT64, ['batch_size', 'sequence_length']),
      portInfo('attention_mask', INT64, ['batch_size', 'total_sequence_length']),
      ...caches('past_key_values', 'past_sequence_length'),
    ],
    output: [
      portInfo('logits', FLOAT, ['batch_size', 'sequence_length', a.vocabulary.length]),
      ...caches('present', 'total_sequence_length'),
    ],
  });
  return encode({
    graph,
    proto: create(ModelProtoSchema, {
      irVersion: 8n,
      producerName: 'gspo-lab',
      opsetImport: [
        create(OperatorSetIdProtoSchema, { domain: '', version: 17n }),
        create(OperatorSetIdProtoSchema, { domain: CONTRIBUTED, version: 1n }),
      ],
      graph,
    }),
  });
}

/** The largest number of half precision. */
const MOST = 65504;

/** The same graph in half precision throughout: weights, constants, caches and logits. */
export function inHalf(onnx: Uint8Array): Uint8Array<ArrayBuffer> {
  const model = decode(onnx);
  const { graph } = model;
  graph.initializer = graph.initializer.map((tensor) => {
    if (tensor.dataType !== FLOAT) return tensor;
    const values = floatValues(tensor).map((x) => Math.min(MOST, Math.max(-MOST, x)));
    return floats(tensor.name, tensor.dims.map(Number), values, FLOAT16);
  });
  for (const { type } of [...graph.input, ...graph.output]) {
    if (type?.value.case !== 'tensorType') continue;
    const tensor = type.value.value;
    if (tensor.elemType === FLOAT) tensor.elemType = FLOAT16;
  }
  return encode(model);
}
