/**
 * Loads onnxruntime-web, one of its two builds: the native WebGPU one, or the smaller wasm one.
 *
 * Contract: the caller says where the .mjs and .wasm files are (no CDN, no DOM, works in Node). On
 * WebGPU the `GPUDevice` is ours and is handed to every session; `ort.env.webgpu.device` would be
 * ignored, and a device that onnxruntime made itself can vanish with its last session (seen in 1.30).
 */
import type * as Ort from 'onnxruntime-web';

export type Provider = 'webgpu' | 'wasm';

/** URLs of the runtime's two files. */
export interface OrtFiles {
  mjs: string;
  wasm: string;
}

export interface OrtAssets {
  webgpu: OrtFiles;
  wasm: OrtFiles;
}

export interface Runtime {
  ort: typeof Ort;
  provider: Provider;
  /** present exactly when provider is 'webgpu' */
  device?: GPUDevice;
}

/**
 * Threads of onnxruntime in a worker. A second one gains a tenth at these sizes on two idle cores and loses where
 * they are busy; it needs an isolated page, in which Firefox 153 loses the first message to a module worker now
 * and then, so that its threads never start and a run hangs (onnxruntime 1.30).
 */
export const ORT_THREADS = 1;

export interface RuntimeOptions {
  assets: OrtAssets;
  device?: GPUDevice;
}

export async function loadRuntime(provider: Provider, options: RuntimeOptions): Promise<Runtime> {
  const ort: typeof Ort =
    provider === 'webgpu'
      ? await import('onnxruntime-web/webgpu')
      : await import('onnxruntime-web/wasm');
  ort.env.wasm.wasmPaths = options.assets[provider];
  ort.env.wasm.numThreads = ORT_THREADS;
  ort.env.logLevel = 'error';
  if (provider === 'wasm') return { ort, provider };
  if (!options.device) throw new Error('The webgpu provider needs a GPUDevice.');
  return { ort, provider, device: options.device };
}
