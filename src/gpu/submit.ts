/**
 * Work for the GPU whose failures are heard. WebGPU reports what goes wrong aside (error scopes) and
 * lets buffers read as zeros; contract here: a result is either what was computed or a GpuError.
 */

export class GpuError extends Error {
  override name = 'GpuError';
}

/**
 * Records and submits one command buffer. What `record` does with the device is done at once; only the
 * verdict takes time.
 * @param label what is being done, for messages
 * @returns rejects with GpuError where the GPU refused any of it or ran out of memory
 */
export function submit(
  device: GPUDevice,
  label: string,
  record: (encoder: GPUCommandEncoder) => void,
): Promise<void> {
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  let verdict: Promise<[GPUError | null, GPUError | null]>;
  try {
    const encoder = device.createCommandEncoder({ label });
    record(encoder);
    device.queue.submit([encoder.finish()]);
  } finally {
    verdict = Promise.all([device.popErrorScope(), device.popErrorScope()]);
  }
  return verdict.then(([invalid, outOfMemory]) => {
    if (outOfMemory) throw new GpuError(`The GPU has too little memory for ${label}.`);
    if (invalid) throw new GpuError(`The GPU refused ${label}: ${invalid.message}`);
  });
}

/**
 * As `submit`, then the first bytes of a buffer.
 * @param record returns the buffer to read, which has usage COPY_SRC
 * @param bytes a multiple of 4
 */
export async function submitAndRead(
  device: GPUDevice,
  label: string,
  bytes: number,
  record: (encoder: GPUCommandEncoder) => GPUBuffer,
): Promise<ArrayBuffer> {
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const buffers: GPUBuffer[] = [];
  try {
    await submit(device, label, (encoder) => {
      const source = record(encoder);
      const staging = device.createBuffer({ size: Math.max(4, bytes), usage: MAP_READ | COPY_DST });
      buffers.push(staging);
      encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
    });
    const [staging] = buffers;
    if (!staging || bytes === 0) return new ArrayBuffer(0);
    await staging.mapAsync(GPUMapMode.READ).catch((cause: unknown) => {
      throw new GpuError(`The GPU was lost during ${label}.`, { cause });
    });
    return staging.getMappedRange().slice(0, bytes);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** Bytes [0, bytes) of `source` as they are after everything submitted so far. */
export function readBack(
  device: GPUDevice,
  source: GPUBuffer,
  bytes: number,
): Promise<ArrayBuffer> {
  return submitAndRead(device, 'reading a buffer', bytes, () => source);
}
