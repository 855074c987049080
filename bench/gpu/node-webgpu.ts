/**
 * WebGPU in Node, on Dawn: what a browser has and `npm run bench:gpu` needs. Contract: import this first; it
 * puts `navigator.gpu` and WebGPU's classes on the global object.
 */
import { create, globals } from 'webgpu';
import { cpus } from 'node:os';

Object.assign(globalThis, globals);
const { writeBuffer } = GPUQueue.prototype;
// Dawn's binding refuses views of shared memory (seen in 0.4); onnxruntime writes from its own, which is shared.
GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from = 0, size?: number) {
  const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
  const element = 'BYTES_PER_ELEMENT' in view ? (view.BYTES_PER_ELEMENT as number) : 1;
  const start = from * element;
  const end = size === undefined ? view.byteLength : start + size * element;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice(start, end);
  return writeBuffer.call(this, buffer, offset, bytes);
};
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu: create([]), hardwareConcurrency: cpus().length, userAgent: 'node' },
  configurable: true,
});
// onnxruntime-web defines a global Worker in Node when its wasm starts (1.30); jax-js takes that for a browser's
// and compiles kernels for shared memory, which its memory is not (0.1.25). One thread needs no worker.
Object.defineProperty(globalThis, 'Worker', {
  get: () => undefined,
  set: () => undefined,
  configurable: true,
});
