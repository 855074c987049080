/**
 * `GroupQueryAttention` of onnxruntime in plain operators: heads split, turned by their positions where the operator
 * does that itself, joined with the cache, mixed, merged.
 *
 * Contract: where no row is padded on the left the numbers are the operator's own, but for float rounding. Positions
 * and what a token sees follow the attention mask (as `position_ids` of an exporter would), not the operator's count
 * of tokens per row: rows padded on the left come out as they do alone, which the operator gets wrong. Key heads that
 * several queries share are not repeated: the queries of a group stand one below the other.
 */
import type { NodeProto } from 'onnx-buf';
import { dimensions } from '../proto';
import { rotate, type Rotation } from './rotary';
import { Attributes, type Expansion, type Surgery } from './surgery';

/** Inputs by their places. */
const AT = {
  query: 0,
  key: 1,
  value: 2,
  pastKey: 3,
  pastValue: 4,
  cos: 7,
  sin: 8,
  positions: 9,
  bias: 10,
  sink: 11,
};
const TURNED = [0, 1, 3, 2];
const SPLIT = [0, 2, 1, 3];

interface Shape {
  heads: number;
  kvHeads: number;
  /** null: the graph does not say */
  headSize: number | null;
}

const input = (node: NodeProto, name: keyof typeof AT): string | undefined => {
  const found = node.input[AT[name]];
  return found === '' ? undefined : found;
};

function shapeOf(node: NodeProto, s: Surgery): Shape {
  const attributes = new Attributes(node);
  const past = s.graph.input.find(({ name }) => name === input(node, 'pastKey'));
  const tensor = past?.type?.value;
  const last = tensor?.case === 'tensorType' ? tensor.value.shape?.dim.at(-1)?.value : undefined;
  return {
    heads: attributes.integer('num_heads'),
    kvHeads: attributes.integer('kv_num_heads'),
    headSize: last?.case === 'dimValue' ? Number(last.value) : null,
  };
}

/** Queries, keys and values as [batch, length, heads of each * size], split where they come as one. */
function projections(node: NodeProto, s: Surgery, { heads, kvHeads, headSize }: Shape) {
  const [query, key, value] = [input(node, 'query'), input(node, 'key'), input(node, 'value')];
  if (query === undefined || (key !== undefined && value !== undefined)) {
    return { query, key, value };
  }
  const size = headSize ?? 0;
  const ends = [0, heads * size, (heads + kvHeads) * size, (heads + 2 * kvHeads) * size];
  const [q, k, v] = [0, 1, 2].map((i) =>
    s.node('Slice', [query, s.integers([ends[i]]), s.integers([ends[i + 1]]), s.integers([2])]),
  );
  return { query: q, key: k, value: v };
}

export const groupQueryAttention: Expansion = {
  operators: ['com.microsoft.GroupQueryAttention'],
  why: (node, s) => {
    const attributes = new Attributes(node);
    const { heads, kvHeads, headSize } = shapeOf(node, s);
    if (headSize === null) return 'has a cache whose head size the graph does not fix';
    if (kvHeads < 1 || heads % kvHeads !== 0) {
      return `shares ${kvHeads} key heads among ${heads} queries, which does not come out even`;
    }
    if (!s.hasMask) return `has no int64 input "${s.names.mask}" to take its positions from`;
    if (attributes.integer('smooth_softmax') > 0 || input(node, 'sink') !== undefined) {
      return 'lets a head attend to nothing (smooth softmax)';
    }
    if (attributes.integer('qk_output') !== 0) return 'hands out its scores too';
    if (node.input.slice(AT.sink + 1).some((name) => name !== '')) {
      return 'has a cache in fewer bits';
    }
    if (attributes.integer('do_rotary') === 0) return null;
    const [cos, sin] = [s.constant(input(node, 'cos')), s.constant(input(node, 'sin'))];
    return cos && sin ? null : 'has rotary tables that are not constants';
  },
  expand: (node, s) => {
    const attributes = new Attributes(node);
    const shape = shapeOf(node, s);
    const { heads, kvHeads } = shape;
    const size = shape.headSize ?? 0;
    const [pastKey, pastValue] = [input(node, 'pastKey'), input(node, 'pastValue')];
    const cos = input(node, 'cos');
    const type = s.floatType(pastKey, cos);
    const { query, key, value } = projections(node, s, shape) as Record<string, string>;

    const split = (x: string, count: number) => {
      const apart = s.node('Reshape', [x, s.shape('batch', 'length', count, size)]);
      return s.node('Transpose', [apart], { perm: SPLIT });
    };
    const table = s.constant(cos);
    const turns = attributes.integer('do_rotary') !== 0 && table !== null;
    const rotation = (): Rotation => ({
      cos: cos ?? '',
      sin: input(node, 'sin') ?? '',
      pairs: table ? dimensions(table)[1] : 0,
      headSize: size,
      interleaved: attributes.integer('rotary_interleaved') !== 0,
      positions: input(node, 'positions') ?? s.rows(),
      headsAxis: 1,
      type,
    });
    const turned = (x: string) => (turns ? rotate(s, x, rotation()) : x);
    const join = (past: string | undefined, now: string, output: string | undefined) =>
      past === undefined
        ? s.node('Identity', [now], {}, output || undefined)
        : s.node('Concat', [past, now], { axis: 2 }, output || undefined);

    const queries = turned(split(query, heads));
    const keys = join(pastKey, turned(split(key, kvHeads)), node.output[1]);
    const values = join(pastValue, split(value, kvHeads), node.output[2]);

    const grouped = heads !== kvHeads;
    /** Of [batch, heads, length, x], the queries of a group below each other. */
    const group = (x: string, last: number) =>
      grouped ? s.node('Reshape', [x, groupShape(s, heads, kvHeads, last)]) : x;
    const ungroup = (x: string, last: number) =>
      grouped ? s.node('Reshape', [x, s.shape('batch', heads, 'length', last)]) : x;

    const keysTurned = s.node('Transpose', [keys], { perm: TURNED });
    const products = s.node('MatMul', [group(queries, size), keysTurned]);
    const scale = attributes.float('scale') || size ** -0.5;
    let scores = s.node('Mul', [ungroup(products, -1), s.scalar(scale, type)]);
    const cap = attributes.float('softcap');
    if (cap > 0) {
      const bounded = s.node('Tanh', [s.node('Div', [scores, s.scalar(cap, type)])]);
      scores = s.node('Mul', [bounded, s.scalar(cap, type)]);
    }
    const window = attributes.integer('local_window_size', -1);
    scores = s.node('Add', [scores, s.bias(window > 0 ? window : null, type)]);
    const more = input(node, 'bias');
    if (more !== undefined) scores = s.node('Add', [scores, more]);
    const weights = s.node('Softmax', [scores], { axis: -1 });
    const mixed = ungroup(s.node('MatMul', [group(weights, -1), values]), size);
    const back = s.node('Transpose', [mixed], { perm: SPLIT });
    s.node('Reshape', [back, s.shape('batch', 'length', heads * size)], {}, node.output[0]);
  },
};

/** [batch, key heads, queries of a group * length, last] */
function groupShape(s: Surgery, heads: number, kvHeads: number, last: number): string {
  return s.shared(`group ${heads} ${kvHeads} ${last}`, () => {
    const below = s.node('Mul', [s.size('length'), s.integers([heads / kvHeads])]);
    const parts = [s.size('batch'), s.integers([kvHeads]), below, s.integers([last])];
    return s.node('Concat', parts, { axis: 0 });
  });
}
