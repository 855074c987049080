/** The trainer in Node: onnxruntime and jax-js on WebAssembly, one thread each, no browser. */
import { defaultDevice, init } from '@jax-js/jax';
import { cpuKernels } from '../../src/math/cpu-kernels';
import { fetchCatalogue, findPolicy } from '../../src/policy/fetch';
import { PolicyHost } from '../../src/policy/host';
import { loadRuntime } from '../../src/policy/runtime';
import { differentiable, replaying } from '../../src/training/policy';
import type { TrainingContext } from '../../src/training/racer';
import { localFiles, NODE_ASSETS } from './ort';

/** @throws when `models/` has no such policy */
export async function nodeTraining(policyName: string): Promise<TrainingContext> {
  await init('wasm');
  defaultDevice('wasm');
  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  const manifest = findPolicy(await fetchCatalogue(localFiles), policyName);
  const host = await PolicyHost.open(runtime, localFiles, manifest);
  // onnxruntime-web defines a global Worker in Node when its wasm starts (seen in 1.30). jax-js takes
  // that for a browser's and compiles kernels for shared memory, which its memory is not (0.1.25).
  Reflect.deleteProperty(globalThis, 'Worker');
  const policy = differentiable(host.files);
  return { host, kernels: cpuKernels, policy, replaying: () => replaying(host.files) };
}
