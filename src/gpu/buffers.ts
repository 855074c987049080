/**
 * GPU buffers with an owner. Contract: what an Arena made is gone after `destroy`, whatever happened in
 * between; destroying after `submit` is safe, queued work still runs.
 */

import { KernelInputError } from '../math/kernel-input';
import type { FloatArray } from '../math/kernels';

export type BufferData = Float32Array | Uint32Array | Int32Array;

/** WebGPU refuses bindings of zero bytes and copies that are no multiple of four. */
const bufferSize = (bytes: number): number => Math.max(16, Math.ceil(bytes / 4) * 4);

export class Arena {
  private readonly owned: GPUBuffer[] = [];

  constructor(private readonly device: GPUDevice) {}

  /**
   * Zeroed storage that can be copied from and to.
   * @throws KernelInputError where it is larger than one binding may be
   */
  storage(bytes: number): GPUBuffer {
    const limit = this.device.limits.maxStorageBufferBindingSize;
    if (bytes > limit) {
      throw new KernelInputError(
        `This needs ${bytes} bytes in one GPU buffer, but the GPU allows ${limit}; use smaller batches.`,
      );
    }
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    return this.create(bytes, STORAGE | COPY_SRC | COPY_DST);
  }

  upload(data: BufferData): GPUBuffer {
    return this.write(this.storage(data.byteLength), data);
  }

  uniform(words: readonly number[]): GPUBuffer {
    const buffer = this.create(words.length * 4, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    return this.write(buffer, Uint32Array.from(words));
  }

  destroy(): void {
    for (const buffer of this.owned.splice(0)) buffer.destroy();
  }

  private create(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.device.createBuffer({ size: bufferSize(bytes), usage });
    this.owned.push(buffer);
    return buffer;
  }

  private write(buffer: GPUBuffer, data: BufferData): GPUBuffer {
    // Copied once more where it lies in shared memory, which writeBuffer does not accept everywhere.
    const own = data.buffer instanceof ArrayBuffer ? data : data.slice();
    this.device.queue.writeBuffer(buffer, 0, own.buffer, own.byteOffset, own.byteLength);
    return buffer;
  }
}

/** Runs work with an arena of its own and destroys that afterwards, also when the work throws. */
export async function withArena<T>(
  device: GPUDevice,
  work: (arena: Arena) => Promise<T>,
): Promise<T> {
  const arena = new Arena(device);
  try {
    return await work(arena);
  } finally {
    arena.destroy();
  }
}

/** The same values as float32; float64 is rounded. */
export function toFloat32(values: FloatArray): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
