/**
 * Matrices in blocks of few bits as matrices of floats: `MatMulNBits` becomes `MatMul`. Contract: the weights are
 * those that the operator computes with, rounded once to the type of their scales; they get the name that they had
 * before an exporter packed them, so that they can be lifted and trained.
 */
import { TensorProto_DataType, type NodeProto } from 'onnx-buf';
import { dequantiseBlocks, type BlockLayout } from '../../../math/block-quantisation';
import { byteValues, floatValues, GraphError } from '../proto';
import { Attributes, type Expansion, type Surgery } from './surgery';

const AT = { x: 0, packed: 1, scales: 2, zeroPoints: 3, order: 4, bias: 5 };
const BITS = [2, 4, 8];

export function layoutOf(node: NodeProto): BlockLayout {
  const attributes = new Attributes(node);
  return {
    k: attributes.integer('K'),
    n: attributes.integer('N'),
    bits: attributes.integer('bits', 4) as BlockLayout['bits'],
    blockSize: attributes.integer('block_size'),
  };
}

const named = (name: string | undefined) => (name === '' ? undefined : name);

/** "model.layers.0.mlp.up_proj.MatMul.weight_Q4" was "model.layers.0.mlp.up_proj.MatMul.weight". */
export function unpackedName(packed: string): string {
  const before = packed.replace(/(_Q\d+\w*|_quant(ized)?|\.qweight)$/, '');
  return /\.weight$|^onnx::MatMul_/.test(before) ? before : `${before}.weight`;
}

export const matMulNBits: Expansion = {
  operators: ['com.microsoft.MatMulNBits'],
  why: (node, s) => {
    const { bits, blockSize, k, n } = layoutOf(node);
    if (!BITS.includes(bits)) return `has ${bits} bits a weight`;
    if (k < 1 || n < 1 || blockSize < 1) return 'does not say how large its matrix is';
    const [packed, scales] = [s.constant(node.input[AT.packed]), s.constant(node.input[AT.scales])];
    if (!packed || !scales) return 'has weights that are not constants';
    if (named(node.input[AT.order]) !== undefined) return 'has its rows in another order';
    const zeros = named(node.input[AT.zeroPoints]);
    return zeros === undefined || s.constant(zeros)
      ? null
      : 'has zero points that are no constants';
  },
  expand: (node, s) => {
    const layout = layoutOf(node);
    const { k, n } = layout;
    const [x, packedName, scalesName] = node.input as [string, string, string];
    const matrix = s.shared(`blocks ${packedName}`, () => {
      const type = s.floatType(scalesName);
      const dims = [k, n];
      return s.weight(unpackedName(packedName), dims, unpackedMatrix(node, layout, s), type);
    });
    const bias = named(node.input[AT.bias]);
    const [output] = node.output as [string];
    if (bias === undefined) s.node('MatMul', [x, matrix], {}, output);
    else s.node('Add', [s.node('MatMul', [x, matrix]), bias], {}, output);
  },
};

/**
 * @returns [K, N] row-major
 * @throws GraphError where the file's arrays do not fit what the node says of them
 */
export function unpackedMatrix(node: NodeProto, layout: BlockLayout, s: Surgery): Float64Array {
  const tensor = (at: number) => s.constant(named(node.input[at]));
  const [packed, scales, zeros] = [tensor(AT.packed), tensor(AT.scales), tensor(AT.zeroPoints)];
  if (!packed || !scales) throw new GraphError(`Node "${node.name}" has no weights.`);
  const packedZeros = zeros?.dataType === TensorProto_DataType.UINT8;
  try {
    return dequantiseBlocks(
      layout,
      byteValues(packed),
      floatValues(scales),
      zeros && (packedZeros ? byteValues(zeros) : { numbers: floatValues(zeros) }),
    );
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GraphError(`Node "${node.name}" cannot be unpacked: ${why}`, { cause });
  }
}
