import { describe, expect, test } from 'vitest';
import { dequantiseBlocks, quantiseBlocks, type BlockLayout } from './block-quantisation';
import { Random, STREAM } from './philox';

const layouts: BlockLayout[] = [
  { k: 64, n: 3, bits: 4, blockSize: 32 },
  // The last block of each column is not full.
  { k: 43, n: 5, bits: 4, blockSize: 16 },
  { k: 40, n: 2, bits: 8, blockSize: 32 },
  { k: 33, n: 2, bits: 2, blockSize: 16 },
];

function matrix({ k, n }: BlockLayout): Float64Array {
  const random = new Random(3, STREAM.synthetic);
  return Float64Array.from({ length: k * n }, () => random.normal());
}

describe('blocks of few bits', () => {
  test('packed bytes are read low bits first, columns one after the other', () => {
    const layout: BlockLayout = { k: 16, n: 2, bits: 4, blockSize: 16 };
    const packed = Uint8Array.from({ length: 16 }, (_, i) => (i < 8 ? 0x98 : 0x0f));
    const w = dequantiseBlocks(layout, packed, [2, 10]);
    // The first column is 8, 9, 8, 9, ... steps, zero at 8; the second 15, 0, 15, 0, ...
    expect(Array.from(w).slice(0, 4)).toEqual([0, 70, 2, -80]);
    const zeros = Uint8Array.of(9, 15);
    expect(Array.from(dequantiseBlocks(layout, packed, [2, 10], zeros)).slice(0, 4)).toEqual([
      -2, 0, 0, -150,
    ]);
    const numbers = [8.5, 0];
    expect(Array.from(dequantiseBlocks(layout, packed, [2, 10], { numbers })).slice(0, 4)).toEqual([
      -1, 150, 1, 0,
    ]);
  });

  test.each(layouts)('$k x $n at $bits bits: no entry is off by more than rounding', (layout) => {
    const w = matrix(layout);
    const blocks = Math.ceil(layout.k / layout.blockSize);
    for (const zeroPoints of [false, true]) {
      const { packed, scales, zeroPoints: zeros } = quantiseBlocks(layout, w, { zeroPoints });
      const back = dequantiseBlocks(layout, packed, scales, zeros);
      const off = Array.from(back, (x, i) => {
        const block = Math.floor(Math.floor(i / layout.n) / layout.blockSize);
        const step = Math.abs(scales[(i % layout.n) * blocks + block]);
        return Math.abs(x - w[i]) / step;
      });
      // Symmetric blocks cut an entry as large as the largest of the other sign; a zero point is rounded itself.
      expect(Math.max(...off)).toBeLessThan(1 + 1e-6);
      const near = off.filter((x) => x < 0.5 + 1e-6).length;
      expect(near / off.length).toBeGreaterThan(layout.bits === 2 ? 0.75 : 0.9);
    }
  });

  test('what lies on the grid comes back exactly, zeros too', () => {
    const layout: BlockLayout = { k: 32, n: 1, bits: 4, blockSize: 16 };
    const w = Float64Array.from({ length: 32 }, (_, i) => (i < 16 ? (i - 8) * 0.25 : 0));
    const { packed, scales } = quantiseBlocks(layout, w);
    expect(Array.from(dequantiseBlocks(layout, packed, scales), (x) => x + 0)).toEqual(
      Array.from(w),
    );
  });

  test('an array of another length is named with the length that it should have', () => {
    const layout: BlockLayout = { k: 32, n: 2, bits: 4, blockSize: 32 };
    expect(() => dequantiseBlocks(layout, new Uint8Array(31), [1, 1])).toThrow(
      '32 x 2 in blocks of 32 at 4 bits has 32 bytes, not 31',
    );
    expect(() => dequantiseBlocks(layout, new Uint8Array(32), [1])).toThrow('has 2 scales, not 1');
    expect(() => dequantiseBlocks(layout, new Uint8Array(32), [1, 1], new Uint8Array(1))).toThrow(
      '2 bytes of zero points, not 1',
    );
  });
});
