/**
 * Root-mean-square and layer normalisation as onnxruntime contributes them, in plain operators. Contract: half
 * precision is computed in float32 and rounded once, as the operators do.
 */
import { TensorProto_DataType } from 'onnx-buf';
import { Attributes, operatorOf, type Expansion, type FloatType, type Surgery } from './surgery';

const { FLOAT, FLOAT16 } = TensorProto_DataType;
/** Where the attribute is left out. */
const EPSILON = 1e-5;
/** Of their forms behind a residual. */
const SKIP_EPSILON = 1e-12;

interface Norm {
  x: string;
  gain: string;
  /** added behind the gain */
  shift?: string | undefined;
  epsilon: number;
  /** whether the mean is taken off first */
  centred: boolean;
  type: FloatType;
  output: string;
}

function writeNorm(s: Surgery, { x, gain, shift, epsilon, centred, type, output }: Norm): void {
  const half = type === FLOAT16;
  const wide = (name: string) => (half ? s.node('Cast', [name], { to: FLOAT }) : name);
  const all = wide(x);
  const from = centred ? s.node('Sub', [all, s.mean(all)]) : all;
  const square = s.node('Mul', [from, from]);
  const root = s.node('Sqrt', [s.node('Add', [s.mean(square), s.scalar(epsilon, FLOAT)])]);
  const unit = s.node('Div', [from, root]);
  const last = [shift !== undefined, half].filter(Boolean).length;
  const scaled = s.node('Mul', [unit, wide(gain)], {}, last === 0 ? output : undefined);
  const shifted =
    shift === undefined
      ? scaled
      : s.node('Add', [scaled, wide(shift)], {}, half ? undefined : output);
  if (half) s.node('Cast', [shifted], { to: type }, output);
}

const named = (name: string | undefined) => (name === '' ? undefined : name);

export const norm: Expansion = {
  operators: ['SimplifiedLayerNormalization', 'RMSNormalization'],
  why: (node) => {
    if (named(node.output[1]) !== undefined) return 'hands out its deviation too';
    const axis = new Attributes(node).integer('axis', -1);
    return axis === -1 ? null : `is over axis ${axis}, not the last one`;
  },
  expand: (node, s) => {
    const [x, gain] = node.input as [string, string];
    const epsilon = new Attributes(node).float('epsilon', EPSILON);
    const type = s.floatType(gain);
    writeNorm(s, { x, gain, epsilon, centred: false, type, output: node.output[0] });
  },
};

const SIMPLIFIED = 'com.microsoft.SkipSimplifiedLayerNormalization';

/** Behind a residual: the sum is normalised, and handed out as the fourth output. */
export const skipNorm: Expansion = {
  operators: [SIMPLIFIED, 'com.microsoft.SkipLayerNormalization'],
  why: ({ output }) =>
    [output[1], output[2]].some((name) => named(name) !== undefined)
      ? 'hands out its mean or deviation too'
      : null,
  expand: (node, s) => {
    const centred = operatorOf(node) !== SIMPLIFIED;
    const [input, skip, gain] = node.input as [string, string, string];
    const [shift, bias] = centred
      ? [named(node.input[3]), named(node.input[4])]
      : [undefined, named(node.input[3])];
    const sum = named(node.output[3]);
    const biased = bias === undefined ? skip : s.node('Add', [skip, bias]);
    const x = s.node('Add', [input, biased], {}, sum);
    const epsilon = new Attributes(node).float('epsilon', SKIP_EPSILON);
    const type = s.floatType(gain);
    writeNorm(s, { x, gain, shift, epsilon, centred, type, output: node.output[0] });
  },
};

export const NORMS: readonly Expansion[] = [norm, skipNorm];
