/**
 * What the GPU tests share. Contract: `testDevice` throws where there is no adapter, so that a GPU test
 * can only fail there, never skip; every run of a page shares one device.
 */
import { openDevice, type OpenedDevice } from './device';

let opened: Promise<OpenedDevice> | undefined;

export async function testDevice(): Promise<GPUDevice> {
  opened ??= openDevice();
  return (await opened).device;
}

/** A storage buffer with these contents. */
export function filledBuffer(device: GPUDevice, data: Float32Array): GPUBuffer {
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffer = device.createBuffer({
    size: data.byteLength,
    usage: STORAGE | COPY_SRC | COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, data.byteLength);
  return buffer;
}

/**
 * How many of the buffers made during `work` are still there after it, `work` having destroyed what it
 * was given.
 */
export async function buffersLeft(device: GPUDevice, work: () => Promise<void>): Promise<number> {
  const alive = new Set<GPUBuffer>();
  const create = device.createBuffer;
  let made = 0;
  device.createBuffer = (descriptor) => {
    const buffer = create.call(device, descriptor);
    const destroy = buffer.destroy;
    buffer.destroy = () => {
      alive.delete(buffer);
      return destroy.call(buffer);
    };
    alive.add(buffer);
    made++;
    return buffer;
  };
  try {
    await work();
  } finally {
    device.createBuffer = create;
  }
  if (made === 0) throw new Error('The work made no buffers; nothing was tested.');
  return alive.size;
}
