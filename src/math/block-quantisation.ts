/**
 * Weights in blocks of few bits, as ONNX's `MatMulNBits` stores them: a matrix [K, N] column by column, each column
 * in blocks of `blockSize` along K with a scale of its own.
 *
 *     w[k, n] = (q[n, k] - zero[n, block]) * scale[n, block],   block = floor(k / blockSize)
 *
 * Contract: float64, the reference for onnxruntime's operator. `q` is packed low bits first, [N, blocks,
 * blockSize * bits / 8] bytes; zero points are packed the same way, each column from a byte of its own, or are
 * numbers [N, blocks]; without them a zero is 2^(bits - 1).
 */

export interface BlockLayout {
  /** rows of the matrix: inputs */
  k: number;
  /** columns: outputs */
  n: number;
  bits: 2 | 4 | 8;
  /** a power of two, at least 16 */
  blockSize: number;
}

export interface QuantisedBlocks {
  /** [N, blocks, blockSize * bits / 8] */
  packed: Uint8Array<ArrayBuffer>;
  /** [N, blocks] */
  scales: Float32Array<ArrayBuffer>;
  /** [N, ceil(blocks * bits / 8)]; null: 2^(bits - 1) everywhere */
  zeroPoints: Uint8Array<ArrayBuffer> | null;
}

export const blocksOf = ({ k, blockSize }: Pick<BlockLayout, 'k' | 'blockSize'>) =>
  Math.ceil(k / blockSize);

/** Columns that are unpacked together. */
const TILE = 64;

const bytesFor = (entries: number, bits: number) => Math.ceil((entries * bits) / 8);

/** Entry `i` of those that begin at byte `from`. */
function unpack(bytes: Uint8Array, from: number, i: number, bits: number): number {
  const perByte = 8 / bits;
  const byte = bytes[from + Math.floor(i / perByte)];
  return (byte >> ((i % perByte) * bits)) & (2 ** bits - 1);
}

function pack(bytes: Uint8Array, from: number, i: number, bits: number, value: number): void {
  const perByte = 8 / bits;
  const at = from + Math.floor(i / perByte);
  bytes[at] = bytes[at] | (value << ((i % perByte) * bits));
}

/**
 * @param scales [N, blocks]
 * @param zeroPoints packed bytes, or one number per block
 * @returns [K, N] row-major
 * @throws RangeError where an array has not the length that the layout gives it
 */
export function dequantiseBlocks(
  layout: BlockLayout,
  packed: Uint8Array,
  scales: ArrayLike<number>,
  zeroPoints: Uint8Array | { numbers: ArrayLike<number> } | null = null,
): Float64Array<ArrayBuffer> {
  const { k, n, bits, blockSize } = layout;
  const blocks = blocksOf(layout);
  const blob = bytesFor(blockSize, bits);
  const zeroBytes = bytesFor(blocks, bits);
  const demand = (what: string, found: number, wanted: number) => {
    if (found === wanted) return;
    throw new RangeError(
      `A matrix of ${k} x ${n} in blocks of ${blockSize} at ${bits} bits has ${wanted} ${what}, not ${found}.`,
    );
  };
  demand('bytes', packed.length, n * blocks * blob);
  demand('scales', scales.length, n * blocks);
  if (zeroPoints instanceof Uint8Array) {
    demand('bytes of zero points', zeroPoints.length, n * zeroBytes);
  } else if (zeroPoints) {
    demand('zero points', zeroPoints.numbers.length, n * blocks);
  }
  const zeroOf = (column: number, block: number): number => {
    if (zeroPoints === null) return 2 ** (bits - 1);
    return zeroPoints instanceof Uint8Array
      ? unpack(zeroPoints, column * zeroBytes, block, bits)
      : zeroPoints.numbers[column * blocks + block];
  };
  const w = new Float64Array(k * n);
  const mask = 2 ** bits - 1;
  const perByte = 8 / bits;
  // Row by row within a block and a tile of columns: what is written lies together, what is read stays near.
  for (let block = 0; block < blocks; block++) {
    const end = Math.min(k, (block + 1) * blockSize);
    for (let tile = 0; tile < n; tile += TILE) {
      const last = Math.min(n, tile + TILE);
      const zeros = Float64Array.from({ length: last - tile }, (_, i) => zeroOf(tile + i, block));
      for (let row = block * blockSize; row < end; row++) {
        const i = row - block * blockSize;
        const [byte, shift] = [Math.floor(i / perByte), (i % perByte) * bits];
        for (let column = tile; column < last; column++) {
          const at = column * blocks + block;
          const q = (packed[at * blob + byte] >> shift) & mask;
          w[row * n + column] = (q - zeros[column - tile]) * scales[at];
        }
      }
    }
  }
  return w;
}

/**
 * Rounds a matrix to blocks. Symmetric: the entry of largest size becomes -2^(bits - 1), so that one of the 2^bits
 * steps is not wasted; an entry of the other sign as large as it is cut by one step. With zero points: the block's
 * range, widened to hold 0, in 2^bits - 1 steps.
 *
 * @param w [K, N] row-major
 */
export function quantiseBlocks(
  layout: BlockLayout,
  w: ArrayLike<number>,
  { zeroPoints = false }: { zeroPoints?: boolean } = {},
): QuantisedBlocks {
  const { k, n, bits, blockSize } = layout;
  const blocks = blocksOf(layout);
  const blob = bytesFor(blockSize, bits);
  const zeroBytes = bytesFor(blocks, bits);
  const most = 2 ** bits - 1;
  const result: QuantisedBlocks = {
    packed: new Uint8Array(n * blocks * blob),
    scales: new Float32Array(n * blocks),
    zeroPoints: zeroPoints ? new Uint8Array(n * zeroBytes) : null,
  };
  for (let column = 0; column < n; column++) {
    for (let block = 0; block < blocks; block++) {
      const at = column * blocks + block;
      const from = block * blockSize;
      const end = Math.min(k, from + blockSize);
      let [least, greatest] = [0, 0];
      for (let row = from; row < end; row++) {
        const x = w[row * n + column];
        least = Math.min(least, x);
        greatest = Math.max(greatest, x);
      }
      const largest = -least > greatest ? least : greatest;
      result.scales[at] = zeroPoints ? (greatest - least) / most : largest / -(2 ** (bits - 1));
      // What is stored is float32; rounding is to that scale.
      const scale = result.scales[at];
      const step = (x: number) => (scale === 0 ? 0 : Math.round(x / scale));
      const zero = zeroPoints ? Math.min(most, Math.max(0, step(-least))) : 2 ** (bits - 1);
      if (result.zeroPoints) pack(result.zeroPoints, column * zeroBytes, block, bits, zero);
      for (let row = from; row < from + blockSize; row++) {
        const q = row < end ? zero + step(w[row * n + column]) : zero;
        pack(result.packed, at * blob, row - from, bits, Math.min(most, Math.max(0, q)));
      }
    }
  }
  return result;
}
