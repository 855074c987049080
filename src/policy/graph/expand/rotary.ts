/**
 * Rotary position embedding in plain operators: a head times the cosines of its position, plus the head with its
 * pairs turned times the sines. Pairs are turned, and tables spread over a head, by products with constant matrices
 * of 0 and +-1, which is exact and one node whether pairs stand half a head apart or side by side.
 */
import type { NodeProto } from 'onnx-buf';
import { dimensions } from '../proto';
import { Attributes, operatorOf, type Expansion, type FloatType, type Surgery } from './surgery';

export interface Rotation {
  /** names of tables [positions, pairs] */
  cos: string;
  sin: string;
  pairs: number;
  headSize: number;
  /** pairs side by side instead of half a head apart */
  interleaved: boolean;
  /** int64 [batch, length] rows of the tables */
  positions: string;
  /** of a head's axes [batch, heads, length, size] or [batch, length, heads, size] */
  headsAxis: 1 | 2;
  type: FloatType;
}

/** Places of pair `i` within a head. */
function placesOf({ pairs, interleaved }: Rotation, i: number): [number, number] {
  return interleaved ? [2 * i, 2 * i + 1] : [i, i + pairs];
}

function constants(s: Surgery, rotation: Rotation) {
  const { pairs, headSize, type } = rotation;
  const key = `rotary ${pairs} ${headSize} ${rotation.interleaved} ${type}`;
  return {
    turn: s.shared(`${key} turn`, () => {
      const turn = new Float64Array(headSize * headSize);
      for (let i = 0; i < pairs; i++) {
        const [first, second] = placesOf(rotation, i);
        turn[second * headSize + first] = -1;
        turn[first * headSize + second] = 1;
      }
      return s.floats([headSize, headSize], turn, type);
    }),
    spread: s.shared(`${key} spread`, () => {
      const spread = new Float64Array(pairs * headSize);
      for (let i = 0; i < pairs; i++) {
        for (const place of placesOf(rotation, i)) spread[i * headSize + place] = 1;
      }
      return s.floats([pairs, headSize], spread, type);
    }),
    /** 1 for the part of a head that is not turned; null: all of it is */
    rest:
      2 * pairs === headSize
        ? null
        : s.shared(`${key} rest`, () => {
            const rest = Float64Array.from({ length: headSize }, (_, i) => (i < 2 * pairs ? 0 : 1));
            return s.floats([headSize], rest, type);
          }),
  };
}

/** @returns the name of `x` turned by its positions */
export function rotate(s: Surgery, x: string, rotation: Rotation, output?: string): string {
  const { cos, sin, positions, headsAxis } = rotation;
  const { turn, spread, rest } = constants(s, rotation);
  const table = (name: string, more: string | null) =>
    s.shared(`rotary ${name} ${positions} ${headsAxis} ${spread}`, () => {
      const rows = s.node('MatMul', [s.node('Gather', [name, positions], { axis: 0 }), spread]);
      const whole = more === null ? rows : s.node('Add', [rows, more]);
      return s.node('Unsqueeze', [whole, s.integers([headsAxis])]);
    });
  const straight = s.node('Mul', [x, table(cos, rest)]);
  const turned = s.node('Mul', [s.node('MatMul', [x, turn]), table(sin, null)]);
  return s.node('Add', [straight, turned], {}, output);
}

/** Operators through which the number of dimensions stays that of the first input. */
const SAME_RANK =
  /(^|\.)(Add|Sub|Mul|Div|Cast|Identity|MatMul|MatMulNBits|Softmax|SimplifiedLayerNormalization|LayerNormalization|RotaryEmbedding|SkipSimplifiedLayerNormalization)$/;

/** Dimensions of a tensor, as far as the graph says; null: it does not. */
function rankOf(s: Surgery, name: string, depth = 64): number | null {
  const { graph } = s;
  const info = [...graph.valueInfo, ...graph.input].find((one) => one.name === name)?.type?.value;
  if (info?.case === 'tensorType' && info.value.shape) return info.value.shape.dim.length;
  const maker = graph.node.find(({ output }) => output.includes(name));
  if (!maker || depth === 0) return null;
  const numbers = (attribute: string) =>
    maker.attribute.find((one) => one.name === attribute)?.ints.length ?? 0;
  if (maker.opType === 'Transpose') return numbers('perm') || null;
  if (maker.opType === 'Reshape') {
    const shape = s.constant(maker.input[1]);
    if (shape) return Number(shape.dims[0]);
    const joined = graph.node.find(({ output }) => output.includes(maker.input[1]));
    return joined?.opType === 'Concat' ? joined.input.length : null;
  }
  return SAME_RANK.test(operatorOf(maker)) ? rankOf(s, maker.input[0], depth - 1) : null;
}

interface Inputs {
  x: string;
  positions: string | undefined;
  cos: string | undefined;
  sin: string | undefined;
}

/** The standard operator has its positions last, the contributed one second. */
function inputsOf(node: NodeProto): Inputs {
  const [x, second, third, fourth] = node.input as [string, ...(string | undefined)[]];
  return operatorOf(node) === 'RotaryEmbedding'
    ? { x, positions: fourth, cos: second, sin: third }
    : { x, positions: second, cos: third, sin: fourth };
}

export const rotaryEmbedding: Expansion = {
  operators: ['com.microsoft.RotaryEmbedding', 'RotaryEmbedding'],
  why: (node, s) => {
    const { x, positions, cos, sin } = inputsOf(node);
    const attributes = new Attributes(node);
    if (!positions) return 'has no position of each token';
    if (!s.constant(cos) || !s.constant(sin)) return 'has tables that are not constants';
    if (attributes.float('scale', 1) !== 1) return 'scales what it turns';
    if (attributes.integer('is_packed_batching') !== 0) return 'packs its batch';
    if (attributes.integer('rotary_embedding_dim') !== 0) return 'turns a part of each head only';
    const rank = rankOf(s, x);
    if (rank === 3 || rank === 4) return null;
    return 'gets heads of which the graph does not say how they lie';
  },
  expand: (node, s) => {
    const { x, positions, cos, sin } = inputsOf(node) as Record<keyof Inputs, string>;
    const table = s.constant(cos);
    const pairs = table ? dimensions(table)[1] : 0;
    const headSize = 2 * pairs;
    const flat = rankOf(s, x) === 3;
    const rotation: Rotation = {
      cos,
      sin,
      pairs,
      headSize,
      interleaved: new Attributes(node).integer('interleaved') !== 0,
      positions,
      headsAxis: flat ? 2 : 1,
      type: s.floatType(cos),
    };
    if (!flat) {
      rotate(s, x, rotation, node.output[0]);
      return;
    }
    const heads = s.node('Reshape', [x, s.shape('batch', 'length', -1, headSize)]);
    const turned = rotate(s, heads, rotation);
    s.node('Reshape', [turned, s.shape('batch', 'length', -1)], {}, node.output[0]);
  },
};
