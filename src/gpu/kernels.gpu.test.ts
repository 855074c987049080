import { describe, expect, test } from 'vitest';
import { createGpuKernels } from './kernels';
import { describeKernels } from './kernels.suite';
import { buffersLeft, testDevice } from './testing';

const device = await testDevice();

// Where the adapter has subgroups, in the way of those that have none as well.
const ways = device.features.has('subgroups') ? [true, false] : [false];

describe.each(ways)('kernels in WGSL, subgroups %s', (subgroups) => {
  describeKernels(async () => createGpuKernels(device, { subgroups }), {
    nats: 1e-5,
    // The promise is 1e-5; what is there is ten times better and shall stay so.
    weight: 1e-6,
    moments: 1e-5,
    runs: 15,
  });
});

describe('kernels in WGSL', () => {
  test('no kernel leaves a buffer behind', async () => {
    const kernels = createGpuKernels(device);
    const d = new Float32Array(4).fill(-1);
    const offsets = Uint32Array.of(0, 1, 4);
    const left = await buffersLeft(device, async () => {
      await kernels.sequenceForms(d, d, offsets);
      await kernels.histogram(d, { low: 0, high: 1, bins: 2 });
      await kernels.prefixMoments(d, offsets, 3);
      await kernels.autocovariance(d, offsets, 0, 2);
      await kernels.tokenStats(d, 2, Uint32Array.of(0, 1));
    });
    expect(left).toBe(0);
  });
});
