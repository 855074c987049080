import { expect, test } from 'vitest';
import { placeRows } from './place-rows';
import { readBack } from './submit';
import { buffersLeft, filledBuffer, testDevice } from './testing';

test('rows become the beginnings of longer ones, and what lies behind stays', async () => {
  const device = await testDevice();
  const left = await buffersLeft(device, async () => {
    const [rows, length, stride] = [5, 300, 310];
    const words = Float32Array.from({ length: rows * length }, (_, i) => i + 1);
    const from = filledBuffer(device, words);
    const to = filledBuffer(device, new Float32Array(rows * stride).fill(-1));
    await placeRows(device, [{ from, to, rows, length, stride }]);
    const got = new Float32Array(await readBack(device, to, rows * stride * 4));
    for (let row = 0; row < rows; row++) {
      const line = got.subarray(row * stride, (row + 1) * stride);
      const want = words.subarray(row * length, (row + 1) * length);
      expect([...line]).toEqual([...want, ...Array<number>(stride - length).fill(-1)]);
    }
    from.destroy();
    to.destroy();
  });
  expect(left).toBe(0);
});
