/** For tests: a policy so small that float64 loops can follow it, and a trainer around a tiny one. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultDevice, init } from '@jax-js/jax';
import { TINY, tinyPolicy } from '../../models/build/tiny';
import type { Architecture } from '../../models/build/architecture';
import { NODE_ASSETS } from './ort';
import { cpuKernels } from '../../src/math/cpu-kernels';
import { PolicyHost } from '../../src/policy/host';
import { loadRuntime } from '../../src/policy/runtime';
import { differentiable, replaying } from '../../src/training/policy';
import type { TrainingContext } from '../../src/training/racer';

/** 600 parameters or so: every one of them can be wiggled. */
export const MINUTE: Architecture = {
  ...TINY,
  hiddenSize: 8,
  layers: 1,
  heads: 2,
  intermediateSize: 8,
};

export async function trainingContext(
  seed: number,
  architecture: Architecture = TINY,
): Promise<TrainingContext> {
  await init('wasm');
  defaultDevice('wasm');
  const { files, manifest } = await tinyPolicy(seed, architecture);
  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  const host = await PolicyHost.open(runtime, files, manifest);
  // onnxruntime-web defines a global Worker in Node, which jax-js takes for a browser's (see
  // training.ts).
  Reflect.deleteProperty(globalThis, 'Worker');
  const policy = differentiable(host.files);
  return { host, kernels: cpuKernels, policy, replaying: () => replaying(host.files) };
}

interface Buffers {
  malloc(size: number, data?: unknown): number;
  incRef(slot: number): void;
  decRef(slot: number): void;
}

/**
 * Counts jax-js's live buffers on wasm from now on. jax-js exports neither its backends nor a count, so
 * they are reached through the chunk that its entry imports.
 */
export async function countBuffers(): Promise<{ live(): number }> {
  const entry = createRequire(import.meta.url).resolve('@jax-js/jax');
  const folder = dirname(entry);
  const text = readFileSync(`${folder}/index.js`, 'utf8');
  const found = /(\w+) as getBackend\b[^}]*\} from "\.\/(backend-[\w-]+\.js)"/.exec(text);
  if (!found) throw new Error('jax-js is built differently now; find its backends again.');
  const chunk = (await import(pathToFileURL(`${folder}/${found[2]}`).href)) as Record<
    string,
    (device: string) => Buffers
  >;
  const backend = chunk[found[1]]?.('wasm');
  if (!backend) throw new Error('jax-js has no wasm backend here.');
  const references = new Map<number, number>();
  const { malloc, incRef, decRef } = backend;
  backend.malloc = (size, data) => {
    const slot = malloc.call(backend, size, data);
    references.set(slot, 1);
    return slot;
  };
  backend.incRef = (slot) => {
    incRef.call(backend, slot);
    const count = references.get(slot);
    if (count !== undefined) references.set(slot, count + 1);
  };
  backend.decRef = (slot) => {
    decRef.call(backend, slot);
    const count = references.get(slot);
    if (count === 1) references.delete(slot);
    else if (count !== undefined) references.set(slot, count - 1);
  };
  return { live: () => references.size };
}
