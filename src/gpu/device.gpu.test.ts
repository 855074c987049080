import { expect, test } from 'vitest';
import { Arena } from './buffers';
import { openDevice } from './device';
import { computePipeline, encodePass } from './pipeline';
import { readBack, submit, submitAndRead } from './submit';
import { testDevice } from './testing';

test('opens a device with all that the adapter offers and the lab can use', async () => {
  const { device, adapter, info, name, isFallbackAdapter } = await openDevice();
  expect(device.limits.maxStorageBufferBindingSize).toBe(
    adapter.limits.maxStorageBufferBindingSize,
  );
  expect(device.limits.maxBufferSize).toBe(adapter.limits.maxBufferSize);
  for (const feature of ['subgroups', 'timestamp-query', 'shader-f16'] as const) {
    expect(device.features.has(feature)).toBe(adapter.features.has(feature));
  }
  expect(isFallbackAdapter).toBe(info.isFallbackAdapter);
  expect(name).not.toBe('');
  device.destroy();
});

test('a lost device is told once, in a sentence', async () => {
  const { device, lost, name } = await openDevice();
  device.destroy();
  const loss = await lost;
  expect(loss.intended).toBe(true);
  expect(loss.message).toContain(`The GPU (${name}) was lost`);
});

test('WGSL errors name file and line, whatever is appended behind the shader', async () => {
  const device = await testDevice();
  const broken = { name: 'broken.wgsl', code: '\n  let x = ;\nfn helper() {}' };
  await expect(computePipeline(device, broken)).rejects.toThrow(/^broken\.wgsl:2:/);
  const lacking = { name: 'lacking.wgsl', code: '@compute @workgroup_size(1) fn main() {}' };
  await expect(computePipeline(device, lacking, 'other')).rejects.toThrow(/lacking\.wgsl.*other/);
});

test('pipelines are compiled once per entry and constants', async () => {
  const device = await testDevice();
  const shader = {
    name: 'constant.wgsl',
    code: `
      override k: u32 = 1u;
      @group(0) @binding(0) var<storage, read_write> out: array<u32>;
      @compute @workgroup_size(1) fn main() { out[0] += k; }`,
  };
  const two = await computePipeline(device, shader, 'main', { k: 2 });
  expect(await computePipeline(device, shader, 'main', { k: 2 })).toBe(two);
  expect(await computePipeline(device, shader, 'main', { k: 3 })).not.toBe(two);
});

test('more workgroups than one dimension holds all run', async () => {
  const device = await testDevice();
  const workgroups = 70_001;
  const shader = {
    name: 'count.wgsl',
    code: `
      @group(0) @binding(0) var<storage, read_write> out: array<atomic<u32>>;
      @compute @workgroup_size(1)
      fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u) {
        if (id.y * n.x + id.x < ${workgroups}u) { atomicAdd(&out[0], 1u); }
      }`,
  };
  const arena = new Arena(device);
  const out = arena.storage(4);
  const pipeline = await computePipeline(device, shader);
  const encoder = device.createCommandEncoder();
  encodePass(encoder, device, [{ pipeline, bindings: [out], workgroups }]);
  device.queue.submit([encoder.finish()]);
  expect(new Uint32Array(await readBack(device, out, 4))[0]).toBe(workgroups);
  arena.destroy();
});

test('what the GPU refuses is an error, not zeros', async () => {
  const device = await testDevice();
  const arena = new Arena(device);
  const gone = arena.storage(16);
  arena.destroy();
  await expect(readBack(device, gone, 16)).rejects.toThrow('The GPU refused reading a buffer');
  // The scopes are closed again, also when recording throws.
  const broken = () => {
    throw new Error('broken');
  };
  expect(() => submit(device, 'nothing', broken)).toThrow('broken');
  await expect(submit(device, 'nothing', () => undefined)).resolves.toBeUndefined();
});

test('a device lost while it works is an error, too', async () => {
  const { device } = await openDevice();
  const buffer = new Arena(device).storage(16);
  const reading = submitAndRead(device, 'a test', 16, () => buffer);
  device.destroy();
  await expect(reading).rejects.toThrow('The GPU was lost during a test.');
});

test('a buffer larger than a binding may be is refused in words', async () => {
  const device = await testDevice();
  const limit = device.limits.maxStorageBufferBindingSize;
  expect(() => new Arena(device).storage(limit + 4)).toThrow(`but the GPU allows ${limit}`);
});
