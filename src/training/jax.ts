/**
 * Starts jax-js on a backend. Contract: afterwards arrays live there, and what it compiles runs in every
 * browser with WebGPU.
 *
 * jax-js 0.1.25 hands a pointer to storage to a WGSL function (adding up the gradient of an embedding),
 * for which a browser needs WGSL's `unrestricted_pointer_parameters`; Firefox 153 has not got it and refuses
 * the shader. There the function is given the index instead. May go when jax-js does so itself, or Firefox
 * has the feature.
 */
import { defaultDevice, getWebGPUDevice, init } from '@jax-js/jax';

const POINTER = 'address: ptr<storage, atomic<u32>, read_write>';

/** @returns the WGSL with the output's index where it had a pointer to the output's element */
export function withoutStoragePointers(code: string): string {
  if (!code.includes(POINTER)) return code;
  return code
    .replaceAll(POINTER, 'address: u32')
    .replaceAll(/\b(atomicLoad|atomicCompareExchangeWeak)\(address\b/g, '$1(&output[address]')
    .replaceAll(/\b(atomic_add_\w+)\(\s*&output\[([^\]]+)\]/g, '$1($2');
}

/** @throws Error where the backend is not there */
export async function startJax(backend: 'webgpu' | 'wasm'): Promise<void> {
  if (!(await init(backend)).includes(backend)) {
    throw new Error(`jax-js cannot use ${backend} here; choose another backend.`);
  }
  defaultDevice(backend);
  if (backend !== 'webgpu') return;
  if (navigator.gpu.wgslLanguageFeatures.has('unrestricted_pointer_parameters')) return;
  const device = getWebGPUDevice();
  const create = GPUDevice.prototype.createShaderModule;
  device.createShaderModule = ({ code, ...rest }) =>
    create.call(device, { ...rest, code: withoutStoragePointers(code) });
}
