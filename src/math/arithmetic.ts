/**
 * Weights as an engine of less exact arithmetic has them. Contract: pure; what is stored are float32 numbers that a
 * weight-only engine multiplies with (float32 activations), so that one graph serves every arithmetic.
 *
 * - `fp16`: every tensor rounded to half precision.
 * - `int8`: matrices to 8 bits with one scale per output column, symmetric (ONNX `QuantizeLinear` on the last axis:
 *   nearest, ties to even, scale = largest size / 127).
 * - `int4`: matrices in blocks of 32 along the inputs at 4 bits, symmetric, and `int4-zero` the same with a zero point
 *   per block: what onnxruntime's `MatMulNBits` multiplies with. Its tools quantise products only, as here: embeddings
 *   and norms stay.
 */
import { dequantiseBlocks, quantiseBlocks } from './block-quantisation';
import { fromHalf, nearestEven, toHalf } from './half';

export const ARITHMETICS = ['fp32', 'fp16', 'int8', 'int4', 'int4-zero'] as const;
export type Arithmetic = (typeof ARITHMETICS)[number];

/** Inputs that share a scale at 4 bits. */
export const BLOCK_SIZE = 32;
const LARGEST_INT8 = 127;

/** Scales are float32, as `QuantizeLinear` has them. @param w [K, N] row-major @returns q and [N] scales */
export function quantiseColumns(
  w: ArrayLike<number>,
  columns: number,
): { q: Int8Array<ArrayBuffer>; scales: Float32Array<ArrayBuffer> } {
  const scales = new Float32Array(columns);
  for (let i = 0; i < w.length; i++) {
    const column = i % columns;
    scales[column] = Math.max(scales[column], Math.abs(w[i]) / LARGEST_INT8);
  }
  const q = Int8Array.from({ length: w.length }, (_, i) => {
    const scale = scales[i % columns];
    // The operator divides in float32.
    const steps = scale === 0 ? 0 : nearestEven(Math.fround(w[i] / scale));
    return Math.max(-LARGEST_INT8 - 1, Math.min(LARGEST_INT8, steps));
  });
  return { q, scales };
}

/**
 * @param shape of the tensor; a matrix is [inputs, outputs]
 * @param multiplied whether it is a matrix that activations are multiplied with
 * @returns the given values themselves where the arithmetic leaves them
 */
export function inArithmetic(
  arithmetic: Arithmetic,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer>,
  multiplied: boolean,
): Float32Array<ArrayBuffer> {
  if (arithmetic === 'fp32') return values;
  if (arithmetic === 'fp16') return values.map((x) => fromHalf(toHalf(x)));
  const [k, n] = shape;
  if (!multiplied || shape.length !== 2 || k === undefined || n === undefined) return values;
  if (arithmetic === 'int8') {
    const { q, scales } = quantiseColumns(values, n);
    return Float32Array.from(q, (x, i) => x * scales[i % n]);
  }
  const layout = { k, n, bits: 4, blockSize: BLOCK_SIZE } as const;
  const blocks = quantiseBlocks(layout, values, { zeroPoints: arithmetic === 'int4-zero' });
  return Float32Array.from(
    dequantiseBlocks(layout, blocks.packed, blocks.scales, blocks.zeroPoints),
  );
}
