import { expect, test } from 'vitest';
import { adapterName, NoGpuError, openDevice } from './device';
import { workgroupGrid } from './pipeline';

const info = { vendor: 'acme', architecture: 'one', device: '', description: '' } as GPUAdapterInfo;

/** A WebGPU entry point whose adapter does what the test wants. */
function gpuWith(adapter: Partial<GPUAdapter> | null): GPU {
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

test('no WebGPU, no adapter and no device each have their sentence', async () => {
  await expect(openDevice()).rejects.toThrow(NoGpuError);
  await expect(openDevice()).rejects.toThrow('This browser has no WebGPU.');
  await expect(openDevice(gpuWith(null))).rejects.toThrow('found no usable GPU');
  const stubborn = gpuWith({
    info,
    features: new Set(),
    limits: {} as GPUSupportedLimits,
    requestDevice: () => Promise.reject(new Error('out of memory')),
  });
  await expect(openDevice(stubborn)).rejects.toThrow(
    'The GPU (acme one) could not be opened: out of memory',
  );
});

test('adapters are named by the best that they tell', () => {
  expect(adapterName(info)).toBe('acme one');
  expect(adapterName({ ...info, description: 'ACME One XT' })).toBe('ACME One XT');
  expect(adapterName({ ...info, vendor: '', architecture: '' })).toBe('unnamed adapter');
});

test('any number of workgroups fits a grid of two dimensions', () => {
  for (const count of [0, 1, 65535, 65536, 200_000, 5_000_000]) {
    const [x, y] = workgroupGrid(count);
    expect(x).toBeLessThanOrEqual(65535);
    expect(x * y).toBeGreaterThanOrEqual(count);
    expect(x * y).toBeLessThan(count + Math.max(1, y));
  }
});
