/**
 * What jax-js can differentiate of a graph, and what it cannot.
 *
 * `makeDifferentiable` expands the operators that onnxruntime contributes and writes a few standard ones otherwise,
 * that jax-js (onnx 0.1) lacks or differentiates badly: `Range` as a slice of a table, a `Reshape` that copies sizes
 * (0) with these sizes read, squares as products (its power is exp(p log |x|), whose gradient at 0 is not a number).
 * `whyNotDifferentiable` says which operator, at which node, stands in the way.
 *
 * Contract: every tensor keeps its name and its numbers, for sequences of up to MOST_POSITIONS.
 */
import { TensorProto_DataType, type NodeProto } from 'onnx-buf';
import { removeUnused } from '../cut';
import { isTrainable } from '../lift';
import { DEFAULT_PORT_NAMES, type PortNames } from '../ports';
import { dimensions, floatValues, GraphError, integerValues, type OnnxModel } from '../proto';
import { EXPANDED_OPERATORS, expandOperators, nodeInWords, whyNotExpanded } from './expand';
import { matMulNBits, unpackedName } from './blocks';
import { Attributes, operatorOf, Surgery, type Expansion } from './surgery';

const { FLOAT, FLOAT16 } = TensorProto_DataType;

/** Positions that a `Range` can count: a table of as many is written into the graph. */
const MOST_POSITIONS = 2 ** 14;

/** Operators of jax-js's ONNX reader that have a gradient, or need none where they stand (shapes, masks, indices). */
export const DIFFERENTIABLE_OPERATORS: ReadonlySet<string> = new Set([
  ...['Abs', 'Add', 'And', 'Cast', 'Ceil', 'Clip', 'Concat', 'Constant', 'ConstantOfShape', 'Cos'],
  ...['CumSum', 'Div', 'Einsum', 'Elu', 'Equal', 'Erf', 'Exp', 'Expand', 'Flatten', 'Floor'],
  ...['Gather', 'Gelu', 'Gemm', 'Greater', 'GreaterOrEqual', 'HardSigmoid', 'Identity', 'IsNaN'],
  ...['LayerNormalization', 'LeakyRelu', 'Less', 'LessOrEqual', 'Log', 'LogSoftmax', 'MatMul'],
  ...['Max', 'Min', 'Mish', 'Mul', 'Neg', 'Not', 'Or', 'Pad', 'Pow', 'Reciprocal', 'ReduceL2'],
  ...['ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceSum', 'ReduceSumSquare', 'Relu', 'Reshape'],
  ...['Shape', 'Sigmoid', 'Sign', 'Sin', 'Slice', 'Softmax', 'Softplus', 'Split', 'Sqrt'],
  ...['Squeeze', 'Sub', 'Swish', 'Tanh', 'Tile', 'Transpose', 'Trilu', 'Unsqueeze', 'Where', 'Xor'],
]);

/** What else is in the way where one of these is, in words of their own. */
const KNOWN_OBSTACLES: Record<string, string> = {
  MatMulInteger: 'multiplies integers of 8 bits, which have no gradient',
  DynamicQuantizeLinear: 'rounds to integers of 8 bits, which has no gradient',
  QuantizeLinear: 'rounds to integers, which has no gradient',
  If: 'chooses between two graphs',
  Loop: 'is a loop',
  Scan: 'is a loop',
  'com.microsoft.MultiHeadAttention':
    'is fused attention that the lab cannot write in plain operators',
  Attention: 'is fused attention that the lab cannot write in plain operators',
};

const isConstant = (s: Surgery, name: string, value: number): boolean => {
  const tensor = s.constant(name);
  if (tensor === null || dimensions(tensor).some((size) => size !== 1)) return false;
  const values = [FLOAT, FLOAT16].includes(tensor.dataType)
    ? floatValues(tensor)
    : integerValues(tensor);
  return values[0] === value;
};

const range: Expansion = {
  operators: ['Range'],
  why: ({ input: [start, , step] }, s) => {
    if (step === undefined || !isConstant(s, step, 1)) return 'counts in other steps than 1';
    return s.constant(start)?.dataType === FLOAT ? 'counts in floats' : null;
  },
  expand: ({ input, output }, s) => {
    const [start, end] = input.map((name) => s.node('Reshape', [name, s.integers([-1])]));
    const table = s.integers(Array.from({ length: MOST_POSITIONS }, (_, i) => i));
    s.node('Slice', [table, start, end], {}, output[0]);
  },
};

/** Sizes that a Reshape copies from what it reshapes. */
const copiedSizes = ({ input }: NodeProto, s: Surgery): number[] => {
  const shape = s.constant(input[1]);
  return shape ? integerValues(shape).flatMap((size, i) => (size === 0 ? [i] : [])) : [];
};

const reshape: Expansion = {
  operators: ['Reshape'],
  why: () => null,
  expand: (node, s) => {
    const shape = s.constant(node.input[1]);
    const copied = copiedSizes(node, s);
    if (!shape || copied.length === 0 || new Attributes(node).integer('allowzero') !== 0) {
      s.nodes.push(node);
      return;
    }
    const [x] = node.input as [string];
    const sizes = s.node('Shape', [x]);
    const parts = integerValues(shape).map((size, i) =>
      size === 0
        ? s.node('Slice', [sizes, s.integers([i]), s.integers([i + 1])])
        : s.integers([size]),
    );
    s.node('Reshape', [x, s.node('Concat', parts, { axis: 0 })], {}, node.output[0]);
  },
};

const square: Expansion = {
  operators: ['Pow'],
  why: ({ input: [, exponent] }, s) =>
    exponent !== undefined && [2, 0.5].some((power) => isConstant(s, exponent, power))
      ? null
      : 'raises to another power than 2',
  expand: ({ input: [x, exponent], output }, s) => {
    if (isConstant(s, exponent, 2)) s.node('Mul', [x, x], {}, output[0]);
    else s.node('Sqrt', [x], {}, output[0]);
  },
};

const REWRITTEN = new Map(
  [range, reshape, square].flatMap((one) =>
    one.operators.map((operator): [string, Expansion] => [operator, one]),
  ),
);

/**
 * Why no gradient can be taken through this graph, as a sentence; null: it can, as far as the graph tells.
 * @param model is not changed, nor is a packed matrix unpacked
 */
export function whyNotDifferentiable(
  model: OnnxModel,
  names: PortNames = DEFAULT_PORT_NAMES,
): string | null {
  const { graph, proto } = model;
  if (proto.functions.length > 0)
    return 'The graph has functions of its own, which are not read here.';
  const surgery = new Surgery(graph, model, names);
  const expanded = whyNotExpanded(model, { names });
  if (expanded !== null) return `No gradient can be taken: ${expanded}.`;
  for (const node of graph.node) {
    const operator = operatorOf(node);
    if (EXPANDED_OPERATORS.includes(operator)) continue;
    const rewritten = REWRITTEN.get(operator);
    const why = rewritten
      ? rewritten.why(node, surgery)
      : DIFFERENTIABLE_OPERATORS.has(operator)
        ? null
        : (KNOWN_OBSTACLES[operator] ?? 'is an operator without a gradient here');
    if (why !== null) return `No gradient can be taken: ${nodeInWords(node)} ${why}.`;
  }
  if (graph.initializer.some(({ externalData }) => externalData.length > 0)) {
    return 'No gradient can be taken: the weights are not in the file but beside it.';
  }
  const weights = graph.initializer.filter(
    ({ name, dataType }) => dataType === FLOAT && isTrainable(name),
  );
  const packed = graph.node.filter((node) => matMulNBits.operators.includes(operatorOf(node)));
  if (weights.length > 0 || packed.some(({ input }) => isTrainable(unpackedName(input[1])))) {
    const half = graph.initializer.find(({ dataType }) => dataType === FLOAT16);
    return half === undefined
      ? null
      : `No gradient can be taken: "${half.name}" is float16, and training is in float32. Choose the fp32 file.`;
  }
  const half = graph.initializer.some(({ dataType }) => dataType === FLOAT16);
  return half
    ? 'No gradient can be taken: the weights are float16, and training is in float32. Choose the fp32 file.'
    : 'No gradient can be taken: the graph has no float32 weights.';
}

/**
 * @param model is edited in place
 * @throws GraphError with the sentence of `whyNotDifferentiable`; the model is then as it was
 */
export function makeDifferentiable(model: OnnxModel, names: PortNames = DEFAULT_PORT_NAMES): void {
  const why = whyNotDifferentiable(model, names);
  if (why !== null) throw new GraphError(why);
  expandOperators(model, { names });
  const { graph } = model;
  if (!graph.node.some((node) => REWRITTEN.has(operatorOf(node)))) return;
  const surgery = new Surgery(graph, model, names, 'lab.plain');
  for (const node of graph.node) {
    const rewritten = REWRITTEN.get(operatorOf(node));
    if (rewritten) rewritten.expand(node, surgery);
    else surgery.nodes.push(node);
  }
  surgery.finish();
  removeUnused(graph);
}
