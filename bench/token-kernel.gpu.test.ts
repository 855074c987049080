import { expect, test } from 'vitest';
import { buffersLeft, testDevice } from '../src/gpu/testing';
import { benchTokenKernel } from './token-kernel';

test('measures the kernel and both copies over the same bytes, and cleans up', async () => {
  const device = await testDevice();
  const left = await buffersLeft(device, async () => {
    const bench = await benchTokenKernel(device, { rows: 4, rounds: 3, roundMs: 2 });
    expect(bench.bytes).toBe(4 * 50_257 * 4);
    const { tokenKernel, treeKernel, bufferCopy, shaderCopy } = bench;
    for (const { median, lower, upper, repetitions, gigabytesPerSecond } of [
      tokenKernel,
      treeKernel,
      bufferCopy,
      shaderCopy,
    ]) {
      expect(lower).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(lower);
      expect(upper).toBeGreaterThanOrEqual(median);
      expect(repetitions).toBeGreaterThanOrEqual(1);
      expect(gigabytesPerSecond * median).toBeCloseTo(bench.bytes / 1e6, 6);
    }
    expect(bench.ratioToBufferCopy).toBeCloseTo(tokenKernel.median / bufferCopy.median, 12);
    expect(bench.ratioToTree).toBeCloseTo(tokenKernel.median / treeKernel.median, 12);
    expect(bench.subgroups).toBe(device.features.has('subgroups'));
    expect(bench.ratioToShaderCopy).toBeCloseTo(tokenKernel.median / shaderCopy.median, 12);
  });
  expect(left).toBe(0);
  await expect(benchTokenKernel(device, { rows: 6 })).rejects.toThrow('multiple of 4, not 6');
});
