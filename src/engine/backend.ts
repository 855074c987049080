/**
 * Chooses where things run and says why. Contract: `auto` means WebGPU on a hardware adapter that has passed its
 * check (`device-proof.ts`), else wasm with float64 kernels; a forced `webgpu` without an adapter is refused with a
 * sentence, and one that has failed its check is used with that said in `info.trouble`.
 */
import { createGpuKernels } from '../gpu/kernels';
import { openDevice, type OpenedDevice } from '../gpu/device';
import type { BackendChoice } from '../settings/run';
import { cpuKernels } from '../math/cpu-kernels';
import type { FetchProgress } from '../policy/fetch';
import type { PolicyHost } from '../policy/host';
import { loadRuntime, ORT_THREADS, type OrtAssets, type Runtime } from '../policy/runtime';
import type { ScoringKernels } from '../policy/score';
import type { BackendInfo } from './lab/protocol';
import { message } from '../message';
import { join, type SharedWork } from './shared-work';
import { PATIENCE_MS, proveKernels, provePolicy, provenWords, type Proof } from './device-proof';

export interface ProofHooks {
  onLoad?: FetchProgress;
  signal?: AbortSignal;
}

export interface Backend {
  /** what is known so far: proving a policy adds to it */
  readonly info: BackendInfo;
  kernels: ScoringKernels;
  /** loaded on first use: the runtime's wasm is the largest download of the site */
  runtime(): Promise<Runtime>;
  /**
   * Checks the device with a policy that was opened on this backend, once per adapter and policy.
   * @returns the backend to use: this one, or WebAssembly, which takes its place; the caller then disposes this one
   */
  prove(host: PolicyHost, hooks?: ProofHooks): Promise<Backend>;
  /** resolves with a sentence when the GPU is lost or broken; never on wasm */
  lost: Promise<string>;
  dispose(): void;
}

/** What a test replaces. */
export interface BackendParts {
  openDevice(): Promise<OpenedDevice>;
  createKernels(device: GPUDevice): ScoringKernels;
  loadRuntime: typeof loadRuntime;
  proveKernels: typeof proveKernels;
  provePolicy: typeof provePolicy;
}

const PARTS: BackendParts = {
  openDevice: () => openDevice(),
  createKernels: createGpuKernels,
  loadRuntime,
  proveKernels,
  provePolicy,
};

function wasmBackend(
  assets: OrtAssets,
  { loadRuntime }: Pick<BackendParts, 'loadRuntime'>,
  adapter: string,
  reason: string,
): Backend {
  let runtime: Promise<Runtime> | undefined;
  const backend: Backend = {
    info: { policy: 'wasm', kernels: 'cpu', adapter, reason, threads: ORT_THREADS },
    kernels: cpuKernels,
    runtime: () => (runtime ??= loadRuntime('wasm', { assets })),
    prove: () => Promise.resolve(backend),
    lost: new Promise(() => undefined),
    dispose: () => undefined,
  };
  return backend;
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

/** What checks found, for the life of the worker. */
const proofs = new Map<string, SharedWork<unknown>>();

/** @param about the adapter, and whatever else the outcome depends on */
function once<T>(
  adapter: GPUAdapterInfo,
  about: string,
  prove: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { vendor, architecture, device, description } = adapter;
  const key = [vendor, architecture, device, description, about].join('\n');
  const known = proofs.get(key) as SharedWork<T> | undefined;
  if (known) return join(known, signal, () => once(adapter, about, prove, signal));
  const proof = prove();
  const work = { result: proof, signal };
  proofs.set(key, work);
  // Cut short, or without a network: asked again next time.
  proof.catch(() => proofs.get(key) === work && proofs.delete(key));
  return proof;
}

class GpuBackend implements Backend {
  readonly kernels: ScoringKernels;
  readonly lost: Promise<string>;
  info: BackendInfo;
  private readonly base: BackendInfo;
  private loaded: Promise<Runtime> | undefined;
  /** what the check of the kernels found */
  private kernelTrouble: string | null = null;
  /** the policy that `info` speaks of, and the backend for it */
  private proven: { policy: string; chosen: Backend; proof: Proof } | undefined;

  constructor(
    private readonly opened: OpenedDevice,
    private readonly choice: BackendChoice,
    private readonly assets: OrtAssets,
    private readonly parts: BackendParts,
  ) {
    const { device, name, isFallbackAdapter } = opened;
    this.kernels = parts.createKernels(device);
    this.lost = trouble(opened);
    this.base = {
      policy: 'webgpu',
      kernels: 'webgpu',
      adapter: name,
      software: isFallbackAdapter,
      reason: this.forced ? 'WebGPU was chosen in the settings.' : 'A hardware GPU is available.',
      threads: ORT_THREADS,
    };
    this.info = this.base;
  }

  runtime(): Promise<Runtime> {
    const { assets, opened, parts } = this;
    return (this.loaded ??= parts.loadRuntime('webgpu', { assets, device: opened.device }));
  }

  /** @returns the backend to use, as `prove` does */
  async proveKernels(): Promise<Backend> {
    const { parts, kernels, patience } = this;
    const prove = () => parts.proveKernels(kernels, patience);
    this.kernelTrouble = await once(this.opened.info, 'kernels', prove);
    return this.judge(null);
  }

  async prove(host: PolicyHost, { onLoad, signal }: ProofHooks = {}): Promise<Backend> {
    const { parts, kernels, assets, patience: patienceMs, opened } = this;
    const software = opened.isFallbackAdapter;
    const policy = host.manifest.onnx.sha256;
    if (this.proven?.policy === policy) {
      host.session.fixedShapes = this.proven.proof.fixedShapes;
      return this.proven.chosen;
    }
    const check = () => {
      onLoad?.({ bytes: 0, total: null, what: 'checking the GPU against WebAssembly' });
      const wasm = () => parts.loadRuntime('wasm', { assets });
      return parts.provePolicy(host, kernels, wasm, { patienceMs, software, signal });
    };
    const proof = await once(this.opened.info, `policy ${policy}`, check, signal);
    host.session.fixedShapes = proof.fixedShapes;
    const chosen = this.judge(proof);
    this.proven = { policy, chosen, proof };
    return chosen;
  }

  dispose(): void {
    this.opened.device.destroy();
  }

  private get forced(): boolean {
    return this.choice === 'webgpu';
  }

  /** A person who insists may wait. */
  private get patience(): number {
    return this.forced ? Infinity : PATIENCE_MS;
  }

  private judge(proof: Proof | null): Backend {
    const { name } = this.opened;
    const found = [this.kernelTrouble, proof?.trouble ?? null].filter((words) => words !== null);
    const speed = proof?.speed ?? null;
    if (found.length > 0 && !this.forced) {
      const reason = `The GPU (${name}) is not used. ${found.join(' ')}`;
      return wasmBackend(this.assets, this.parts, name, reason);
    }
    this.info = {
      ...this.base,
      ...(found.length > 0 ? { trouble: found.join(' ') } : {}),
      ...(speed === null ? {} : { rows: speed.device.rows }),
    };
    if (speed !== null && found.length === 0) {
      this.info.reason = `${this.base.reason} ${provenWords(speed)}`;
    }
    return this;
  }
}

export async function openBackend(
  choice: BackendChoice,
  assets: OrtAssets,
  parts: BackendParts = PARTS,
): Promise<Backend> {
  if (choice === 'wasm') {
    return wasmBackend(assets, parts, 'not used', 'WebAssembly was chosen in the settings.');
  }
  let opened: OpenedDevice;
  try {
    opened = await parts.openDevice();
  } catch (error) {
    const why = message(error);
    if (choice === 'webgpu') throw new Error(`WebGPU was asked for, but: ${why}`, { cause: error });
    return wasmBackend(assets, parts, 'no GPU', why);
  }
  if (choice === 'auto' && opened.isFallbackAdapter) {
    opened.device.destroy();
    return wasmBackend(
      assets,
      parts,
      `${opened.name} (software)`,
      'The GPU adapter is a software one, slower than WebAssembly.',
    );
  }
  const backend = new GpuBackend(opened, choice, assets, parts);
  const chosen = await backend.proveKernels();
  if (chosen !== backend) backend.dispose();
  return chosen;
}
