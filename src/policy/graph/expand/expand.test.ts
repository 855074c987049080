/**
 * Each operator against itself: a graph of one contributed operator in onnxruntime, and the same graph in plain
 * operators, on the same random tensors. Matrices in blocks against float64 too.
 */
import { create } from '@bufbuild/protobuf';
import type { Tensor } from 'onnxruntime-web';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf';
import { beforeAll, describe, expect, test } from 'vitest';
import { NODE_ASSETS } from '../../../../scripts/node/ort';
import {
  dequantiseBlocks,
  quantiseBlocks,
  type BlockLayout,
} from '../../../math/block-quantisation';
import { fromHalf, toHalf } from '../../../math/half';
import { Random, STREAM } from '../../../math/philox';
import { loadRuntime, type Runtime } from '../../runtime';
import { bytes, floats, integers, nodeOf, portInfo, type AttributeValue } from '../make';
import { decode, encode, GraphError } from '../proto';
import { expandOperators, whyNotExpanded } from './expand';
import { operatorOf } from './surgery';

const { FLOAT, FLOAT16, INT32, INT64 } = TensorProto_DataType;
const MICROSOFT = 'com.microsoft';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
});

const random = new Random(11, STREAM.synthetic);
const normal = (dims: readonly number[]) =>
  Float32Array.from({ length: dims.reduce((x, y) => x * y, 1) }, () => random.normal());

type Feed = { dims: number[]; type: 'float32' | 'float16' | 'int64'; values: ArrayLike<number> };
const float = (dims: number[], values: ArrayLike<number> = normal(dims)): Feed => ({
  dims,
  type: 'float32',
  values,
});
const half = (dims: number[]): Feed => ({ ...float(dims), type: 'float16' });
const long = (dims: number[], values: number[]): Feed => ({ dims, type: 'int64', values });

interface OneOperator {
  feeds: Record<string, Feed>;
  constants?: TensorProto[];
  nodes: NodeProto[];
  outputs: string[];
  opset?: number;
}

function modelOf({ feeds, constants = [], nodes, outputs, opset = 17 }: OneOperator): Uint8Array {
  const types = { float32: FLOAT, float16: FLOAT16, int64: INT64 };
  const graph = create(GraphProtoSchema, {
    name: 'one',
    node: nodes,
    initializer: constants,
    input: Object.entries(feeds).map(([name, { dims, type }]) =>
      // A cache fixes its heads and their size, as an exporter's does.
      portInfo(
        name,
        types[type],
        dims.map((size, i) => (name.startsWith('past') && i % 2 === 1 ? size : `${name} ${i}`)),
      ),
    ),
    output: outputs.map((name) =>
      portInfo(name, Object.values(feeds).some(({ type }) => type === 'float16') ? FLOAT16 : FLOAT),
    ),
  });
  const opsetImport = [
    create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) }),
    create(OperatorSetIdProtoSchema, { domain: MICROSOFT, version: 1n }),
  ];
  return encode({ graph, proto: create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph }) });
}

async function run(onnx: Uint8Array, feeds: Record<string, Feed>, outputs: string[]) {
  const { ort } = runtime;
  const session = await ort.InferenceSession.create(onnx, { executionProviders: ['wasm'] });
  const tensors: Record<string, Tensor> = {};
  for (const [name, { type, dims, values }] of Object.entries(feeds)) {
    if (!session.inputNames.includes(name)) continue;
    tensors[name] =
      type === 'int64'
        ? new ort.Tensor('int64', BigInt64Array.from(Array.from(values), BigInt), dims)
        : type === 'float16'
          ? new ort.Tensor('float16', Uint16Array.from(values, toHalf), dims)
          : new ort.Tensor('float32', Float32Array.from(values), dims);
  }
  const found = await session.run(tensors);
  await session.release();
  return outputs.map((name) => {
    const { data, type } = found[name];
    if (type !== 'float16') return Array.from(data as Float32Array);
    const bits = data as unknown as Uint16Array;
    return Array.from(new Uint16Array(bits.buffer, bits.byteOffset, bits.length), fromHalf);
  });
}

/** @returns largest difference over all outputs, and the operators of the plain graph */
async function compare(one: OneOperator): Promise<{ apart: number; operators: string[] }> {
  const onnx = modelOf(one);
  const model = decode(onnx);
  expect(expandOperators(model)).toHaveLength(1);
  const operators = model.graph.node.map(operatorOf);
  const own = await run(onnx, one.feeds, one.outputs);
  const plain = await run(encode(model), one.feeds, one.outputs);
  const apart = own.flatMap((values, i) => {
    expect(plain[i]).toHaveLength(values.length);
    return values.map((x, j) => Math.abs(x - plain[i][j]));
  });
  return { apart: Math.max(...apart), operators };
}

describe('norms', () => {
  const dims = [2, 3, 16];
  const gain = floats('gain', [16], normal([16]));
  const attributes = { epsilon: { float: 1e-3 } };

  test.each([17, 18])('root mean square, opset %d', async (opset) => {
    const nodes = [nodeOf('SimplifiedLayerNormalization', ['x', 'gain'], 'y', attributes)];
    const feeds = { x: float(dims) };
    const one = { feeds, constants: [gain], nodes, outputs: ['y'], opset };
    expect((await compare(one)).apart).toBeLessThan(1e-6);
  });

  test('root mean square in half precision', async () => {
    const nodes = [nodeOf('SimplifiedLayerNormalization', ['x', 'gain'], 'y', attributes)];
    const constants = [floats('gain', [16], normal([16]), FLOAT16)];
    const one = { feeds: { x: half(dims) }, constants, nodes, outputs: ['y'] };
    // One step of half precision near 4.
    expect((await compare(one)).apart).toBeLessThanOrEqual(2 ** -8);
  });

  test.each([
    ['SkipSimplifiedLayerNormalization', ['x', 'skip', 'gain']],
    ['SkipSimplifiedLayerNormalization', ['x', 'skip', 'gain', 'bias']],
    ['SkipLayerNormalization', ['x', 'skip', 'gain']],
    ['SkipLayerNormalization', ['x', 'skip', 'gain', 'shift', 'bias']],
  ])('%s of %s, and the sum that it hands on', async (operator, inputs) => {
    const outputs = ['y', '', '', 'sum'];
    const nodes = [nodeOf(operator, inputs, outputs, attributes, MICROSOFT)];
    const constants = [
      gain,
      floats('shift', [16], normal([16])),
      floats('bias', [16], normal([16])),
    ];
    const feeds = { x: float(dims), skip: float(dims) };
    const one = { feeds, constants, nodes, outputs: ['y', 'sum'] };
    expect((await compare(one)).apart).toBeLessThan(2e-6);
  });
});

const POSITIONS = 12;
function tables(pairs: number): TensorProto[] {
  const values = (f: (angle: number) => number) =>
    Float32Array.from({ length: POSITIONS * pairs }, (_, i) =>
      f(Math.floor(i / pairs) * 50 ** (-(i % pairs) / pairs)),
    );
  return [
    floats('cos', [POSITIONS, pairs], values(Math.cos)),
    floats('sin', [POSITIONS, pairs], values(Math.sin)),
  ];
}

describe('rotary embedding', () => {
  test.each([
    ['flat', 0],
    ['flat', 1],
    ['by head', 0],
    ['by head', 1],
  ])('%s, interleaved %d', async (layout, interleaved) => {
    const [batch, length, heads, size] = [2, 3, 2, 16] as const;
    const flat = layout === 'flat';
    const constants = [...tables(size / 2), integers('split', [batch, length, heads, size])];
    const rotary = (x: string) =>
      nodeOf('RotaryEmbedding', [x, 'positions', 'cos', 'sin'], 'y', { interleaved }, MICROSOFT);
    const nodes = flat
      ? [nodeOf('Add', ['x', 'x'], 'in'), rotary('in')]
      : [
          nodeOf('Reshape', ['x', 'split'], 'apart'),
          nodeOf('Transpose', ['apart'], 'in', { perm: [0, 2, 1, 3] }),
          rotary('in'),
        ];
    const feeds = {
      input_ids: long([batch, length], [0, 0, 0, 0, 0, 0]),
      x: float([batch, length, heads * size]),
      positions: long([batch, length], [0, 1, 2, 5, 6, 11]),
    };
    const one = { feeds, constants, nodes, outputs: ['y'] };
    expect((await compare(one)).apart).toBeLessThan(1e-6);
  });
});

interface Attention {
  heads?: number;
  kvHeads?: number;
  past?: number;
  length?: number;
  /** of a head */
  size?: number;
  pairs?: number;
  packed?: boolean;
  /** names of further inputs, from the tenth on */
  more?: string[];
  attributes?: Record<string, AttributeValue>;
  mask?: number[][];
}

/** The graph as exporters write it: the tokens of each row counted from its mask. */
function attention({
  heads = 4,
  kvHeads = 2,
  past = 0,
  length = 4,
  size = 16,
  pairs = size / 2,
  packed = false,
  more = [],
  attributes = {},
  mask = [1, 1].map(() => Array<number>(past + length).fill(1)),
}: Attention): OneOperator {
  const batch = mask.length;
  const width = (count: number) => [batch, length, count * size];
  const cache = [batch, kvHeads, past, size];
  const total = past + length;
  const feeds: Record<string, Feed> = {
    input_ids: long([batch, length], Array<number>(batch * length).fill(0)),
    attention_mask: long([batch, total], mask.flat()),
    q: float(width(packed ? heads + 2 * kvHeads : heads)),
    past_key: float(cache),
    past_value: float(cache),
  };
  if (!packed) Object.assign(feeds, { k: float(width(kvHeads)), v: float(width(kvHeads)) });
  const given: Record<string, Feed> = {
    positions: long(
      [batch, length],
      mask.flatMap(() => Array.from({ length }, (_, i) => past + i)),
    ),
    bias: float([1, heads, length, total]),
  };
  for (const name of more) if (given[name]) feeds[name] = given[name];
  return {
    feeds,
    constants: [...tables(pairs), integers('one', 1), integers('axis', [1])],
    nodes: [
      nodeOf('ReduceSum', ['attention_mask', 'axis'], 'count', { keepdims: 0 }),
      nodeOf('Sub', ['count', 'one'], 'last'),
      nodeOf('Cast', ['last'], 'seqlens_k', { to: INT32 }),
      nodeOf('Shape', ['attention_mask'], 'shape'),
      nodeOf('Gather', ['shape', 'one'], 'width', { axis: 0 }),
      nodeOf('Cast', ['width'], 'total', { to: INT32 }),
      nodeOf(
        'GroupQueryAttention',
        [
          'q',
          ...(packed ? ['', ''] : ['k', 'v']),
          ...['past_key', 'past_value', 'seqlens_k', 'total', 'cos', 'sin', ...more],
        ],
        ['y', 'present_key', 'present_value'],
        { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1, ...attributes },
        MICROSOFT,
      ),
    ],
    outputs: ['y', 'present_key', 'present_value'],
  };
}

describe('attention', () => {
  test.each<[string, Attention]>([
    ['as many key heads as queries', { kvHeads: 4 }],
    ['two queries a key head', {}],
    ['three queries a key head', { heads: 6 }],
    ['behind a cache', { past: 5, length: 1 }],
    ['several tokens behind a cache', { past: 5, length: 3, mask: [Array<number>(8).fill(1)] }],
    ['pairs side by side', { attributes: { rotary_interleaved: 1 } }],
    ['a part of each head turned', { size: 32, pairs: 8 }],
    ['no rotary of its own', { attributes: { do_rotary: 0 } }],
    ['queries, keys and values as one', { packed: true }],
    ['a scale of its own', { attributes: { scale: { float: 0.4 } } }],
    ['scores bounded', { attributes: { softcap: { float: 1.5 } } }],
    ['a window of 2', { attributes: { local_window_size: 2 } }],
    ['a window of 3 behind a cache', { past: 6, length: 1, attributes: { local_window_size: 3 } }],
    ['positions given', { more: ['positions'] }],
    ['a bias given', { more: ['', 'bias'] }],
    ['a bias and bounded scores', { more: ['', 'bias'], attributes: { softcap: { float: 2 } } }],
  ])('%s', async (_, asked) => {
    const { apart, operators } = await compare(attention(asked));
    expect(operators.filter((operator) => operator.startsWith(MICROSOFT))).toEqual([]);
    expect(apart).toBeLessThan(3e-6);
  });

  test('a row padded on the left comes out as it does alone; the operator itself gets it wrong', async () => {
    const padded = attention({ length: 5, mask: [Array<number>(5).fill(1), [0, 0, 1, 1, 1]] });
    const alone = attention({ length: 3, mask: [[1, 1, 1]] });
    const tail = ({ dims, values }: Feed): Feed => {
      const row = Array.from(values).slice(Array.from(values).length / 2);
      const width = dims[2];
      return float([1, 3, width], row.slice(2 * width));
    };
    for (const name of ['q', 'k', 'v']) alone.feeds[name] = tail(padded.feeds[name]);
    const wanted = (await run(modelOf(alone), alone.feeds, ['y']))[0];
    const last = (values: number[]) => values.slice(values.length - wanted.length);
    const apart = (values: number[]) =>
      Math.max(...last(values).map((x, i) => Math.abs(x - wanted[i])));
    const onnx = modelOf(padded);
    const model = decode(onnx);
    expandOperators(model);
    expect(apart((await run(encode(model), padded.feeds, ['y']))[0])).toBeLessThan(3e-6);
    expect(apart((await run(onnx, padded.feeds, ['y']))[0])).toBeGreaterThan(0.01);
  });
});

describe('matrices in blocks', () => {
  const layouts: [
    string,
    BlockLayout,
    { zeroPoints?: boolean; numbers?: boolean; bias?: boolean },
  ][] = [
    ['4 bits', { k: 64, n: 6, bits: 4, blockSize: 32 }, {}],
    ['4 bits, zero points', { k: 96, n: 6, bits: 4, blockSize: 32 }, { zeroPoints: true }],
    [
      '4 bits, the last block not full',
      { k: 80, n: 5, bits: 4, blockSize: 32 },
      { zeroPoints: true },
    ],
    ['4 bits, a bias', { k: 64, n: 8, bits: 4, blockSize: 16 }, { bias: true }],
    ['4 bits, zero points as numbers', { k: 64, n: 8, bits: 4, blockSize: 32 }, { numbers: true }],
    ['8 bits', { k: 64, n: 4, bits: 8, blockSize: 32 }, {}],
    ['8 bits, zero points', { k: 64, n: 4, bits: 8, blockSize: 32 }, { zeroPoints: true }],
  ];

  test.each(layouts)(
    '%s: onnxruntime computes with the weights of float64',
    async (_, layout, how) => {
      const { k, n, bits, blockSize } = layout;
      const w = normal([k, n]);
      const { zeroPoints = false, numbers = false, bias = false } = how;
      const { packed, scales, zeroPoints: zeros } = quantiseBlocks(layout, w, { zeroPoints });
      const blocks = Math.ceil(k / blockSize);
      const shifts = Float32Array.from({ length: n * blocks }, () => 7 + random.uniform());
      const constants = [
        bytes('w_Q4', [n, blocks, (blockSize * bits) / 8], packed),
        floats('scales', [n * blocks], scales),
        ...(zeros ? [bytes('zeros', [zeros.length], zeros)] : []),
        ...(numbers ? [floats('zeros', [n * blocks], shifts)] : []),
        ...(bias ? [floats('bias', [n], normal([n]))] : []),
      ];
      const inputs = [
        'x',
        'w_Q4',
        'scales',
        zeros || numbers ? 'zeros' : '',
        '',
        bias ? 'bias' : '',
      ];
      while (inputs.at(-1) === '') inputs.pop();
      const attributes = { K: k, N: n, bits, block_size: blockSize };
      const nodes = [nodeOf('MatMulNBits', inputs, 'y', attributes, MICROSOFT)];
      const feeds = { x: float([2, 3, k]) };
      const one = { feeds, constants, nodes, outputs: ['y'] };
      const { apart, operators } = await compare(one);
      expect(operators).toEqual(bias ? ['MatMul', 'Add'] : ['MatMul']);
      expect(apart).toBeLessThan(2e-5);

      const back = dequantiseBlocks(layout, packed, scales, numbers ? { numbers: shifts } : zeros);
      const [own] = await run(modelOf(one), feeds, ['y']);
      const x = feeds.x.values;
      const shift = bias ? decodeFloats(constants.at(-1) as TensorProto) : new Float32Array(n);
      own.forEach((y, i) => {
        const [row, column] = [Math.floor(i / n), i % n];
        let sum = shift[column];
        for (let j = 0; j < k; j++) sum += x[row * k + j] * back[j * n + column];
        expect(Math.abs(y - sum)).toBeLessThan(2e-5);
      });
    },
  );

  const decodeFloats = ({ rawData }: TensorProto) => new Float32Array(rawData.slice().buffer);
});

describe('what cannot be expanded is named', () => {
  test.each<[string, OneOperator, string]>([
    [
      'attention without a mask',
      (() => {
        const { feeds, ...one } = attention({});
        Reflect.deleteProperty(feeds, 'attention_mask');
        return { ...one, feeds, nodes: one.nodes.slice(-1) };
      })(),
      'GroupQueryAttention at node "y.node" has no int64 input "attention_mask"',
    ],
    [
      'smooth softmax',
      attention({ attributes: { smooth_softmax: 1 } }),
      'lets a head attend to nothing',
    ],
    ['heads that do not come out even', attention({ heads: 5 }), 'shares 2 key heads among 5'],
  ])('%s', (_, one, sentence) => {
    const model = decode(modelOf(one));
    const before = encode(model);
    expect(whyNotExpanded(model)).toContain(sentence);
    expect(() => expandOperators(model)).toThrow(GraphError);
    expect(Buffer.from(encode(model)).equals(before)).toBe(true);
  });

  test('a graph of an old opset', () => {
    const model = decode(modelOf({ ...attention({}), opset: 12 }));
    expect(() => expandOperators(model)).toThrow('opset 12');
  });
});
