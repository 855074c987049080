/**
 * Chooses where things run and says why. Contract: `auto` means WebGPU on a hardware adapter, else
 * wasm with float64 kernels; a forced `webgpu` without an adapter is refused with a sentence.
 */
import { createGpuKernels } from '../gpu/kernels';
import { openDevice, type OpenedDevice } from '../gpu/device';
import type { BackendChoice } from '../settings/run';
import { cpuKernels } from '../math/cpu-kernels';
import { loadRuntime, ORT_THREADS, type OrtAssets, type Runtime } from '../policy/runtime';
import type { ScoringKernels } from '../policy/score';
import type { BackendInfo } from './lab/protocol';
import { message } from '../message';

export interface Backend {
  info: BackendInfo;
  kernels: ScoringKernels;
  /** loaded on first use: the runtime's wasm is the largest download of the site */
  runtime(): Promise<Runtime>;
  /** resolves with a sentence when the GPU is lost or broken; never on wasm */
  lost: Promise<string>;
  dispose(): void;
}

function wasmBackend(assets: OrtAssets, adapter: string, reason: string): Backend {
  let runtime: Promise<Runtime> | undefined;
  return {
    info: { policy: 'wasm', kernels: 'cpu', adapter, reason, threads: ORT_THREADS },
    kernels: cpuKernels,
    runtime: () => (runtime ??= loadRuntime('wasm', { assets })),
    lost: new Promise(() => undefined),
    dispose: () => undefined,
  };
}

/**
 * Resolves when the device is gone or has reported an error that nobody waited for: WebGPU then drops
 * the failed commands silently, and numbers computed from them would be wrong without a sign.
 */
function trouble({ device, lost }: OpenedDevice): Promise<string> {
  return new Promise((resolve) => {
    device.addEventListener('uncapturederror', ({ error }) => resolve(error.message));
    // Our own `destroy` is no loss: nobody is left to be told.
    void lost.then(({ intended, message }) => !intended && resolve(message));
  });
}

function gpuBackend(assets: OrtAssets, opened: OpenedDevice, reason: string): Backend {
  const { device } = opened;
  let runtime: Promise<Runtime> | undefined;
  return {
    info: {
      policy: 'webgpu',
      kernels: 'webgpu',
      adapter: opened.name,
      software: opened.isFallbackAdapter,
      reason,
      threads: ORT_THREADS,
    },
    kernels: createGpuKernels(device),
    runtime: () => (runtime ??= loadRuntime('webgpu', { assets, device })),
    lost: trouble(opened),
    dispose: () => device.destroy(),
  };
}

export async function openBackend(choice: BackendChoice, assets: OrtAssets): Promise<Backend> {
  if (choice === 'wasm') {
    return wasmBackend(assets, 'not used', 'WebAssembly was chosen in the settings.');
  }
  let opened: OpenedDevice;
  try {
    opened = await openDevice();
  } catch (error) {
    const why = message(error);
    if (choice === 'webgpu') throw new Error(`WebGPU was asked for, but: ${why}`, { cause: error });
    return wasmBackend(assets, 'no GPU', why);
  }
  if (choice === 'webgpu') return gpuBackend(assets, opened, 'WebGPU was chosen in the settings.');
  if (opened.isFallbackAdapter) {
    opened.device.destroy();
    return wasmBackend(
      assets,
      `${opened.name} (software)`,
      'The GPU adapter is a software one, slower than WebAssembly.',
    );
  }
  return gpuBackend(assets, opened, 'A hardware GPU is available.');
}
