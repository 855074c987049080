/**
 * The engine where a GPU is checked before it is used. In Node the GPU is a runtime on WebAssembly that goes by
 * that name; what the engine does with the outcome of the check is what is tested.
 */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { tinyPolicy, type TinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import type { OpenedDevice } from '../../gpu/device';
import { cpuKernels } from '../../math/cpu-kernels';
import { loadRuntime } from '../../policy/runtime';
import { DEFAULT_POLICIES, type BackendChoice } from '../../settings/run';
import type { BackendParts } from '../backend';
import type { Proof } from '../device-proof';
import { Engine } from './engine';
import type { BackendInfo, Event, RunFingerprint } from './protocol';

let tiny: TinyPolicy;
beforeAll(async () => {
  tiny = await tinyPolicy();
});

let adapters = 0;

/** Runtimes that were loaded, in their order. */
let loaded: string[] = [];
beforeEach(() => (loaded = []));

function parts(prove: () => Promise<Proof>): BackendParts {
  return {
    openDevice: () =>
      Promise.resolve({
        device: { addEventListener: () => undefined, destroy: () => undefined },
        info: { vendor: 'acme', architecture: `${++adapters}`, device: '', description: '' },
        name: 'acme',
        isFallbackAdapter: false,
        lost: new Promise(() => undefined),
      } as unknown as OpenedDevice),
    createKernels: () => cpuKernels,
    loadRuntime: (provider, options) => {
      loaded.push(provider);
      return loadRuntime('wasm', options);
    },
    proveKernels: () => Promise.resolve(null),
    provePolicy: prove,
  };
}

const proven = (rows: number): Proof => ({
  trouble: null,
  fixedShapes: false,
  speed: {
    device: { rows, tokensPerSecond: 9000, msPerStep: 10 },
    wasm: { rows: 64, tokensPerSecond: 3000, msPerStep: 20 },
  },
});

let engine: Engine | undefined;
afterEach(() => engine?.dispose());

/** Runs 12 prompts of 4 responses to the end. */
async function run(backend: BackendChoice, gpu: BackendParts) {
  const events: Event[] = [];
  let wake = (): void => undefined;
  const asked = new Engine({
    assets: NODE_ASSETS,
    files: tiny.files,
    emit: (event) => {
      events.push(structuredClone(event));
      wake();
    },
    backend: gpu,
  });
  engine = asked;
  const until = async <T>(found: (event: Event) => T | undefined): Promise<T> => {
    for (;;) {
      for (const event of events) {
        if (event.type === 'failed') throw new Error(event.message);
        const result = found(event);
        if (result !== undefined) return result;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const source = {
    ...DEFAULT_POLICIES,
    ...{ policy: 'tiny', old: 'a', new: 'b', prompts: 12, groupSize: 4, maxLength: 16 },
  };
  void asked.handle({ type: 'start', run: 1, settings: { backend, source } });
  await until((e) => (e.type === 'progress' && e.progress.phase === 'finished') || undefined);
  const ask = { type: 'fingerprint', run: 1, experiment: null, requestId: 1 } as const;
  void asked.handle(ask);
  const print = await until((e) =>
    e.type === 'reply' && e.requestId === 1 ? (e.reply as RunFingerprint) : undefined,
  );
  const infos = events.flatMap((e): BackendInfo[] => (e.type === 'backend' ? [e.backend] : []));
  const batches = events.flatMap((e) => (e.type === 'batch' ? [e.sequences] : []));
  return { print, infos, batches };
}

/** The same tokens, and figures to the rounding of passes among other rows. */
function expectSamePrint(got: RunFingerprint, want: RunFingerprint): void {
  expect(got.fingerprint.hash).toEqual(want.fingerprint.hash);
  got.figures.forEach(({ value }, i) => {
    expect(value).toBeCloseTo(want.figures[i]?.value ?? NaN, 7);
  });
}

test('a GPU that passes gets the batch that serves it best, and the run is the same with any', async () => {
  const small = await run(
    'auto',
    parts(() => Promise.resolve(proven(8))),
  );
  expect(small.batches).toEqual([8, 16, 24, 32, 40, 48]);
  expect(small.infos).toHaveLength(1);
  expect(small.infos[0]).toMatchObject({ policy: 'webgpu', rows: 8 });
  const large = await run(
    'auto',
    parts(() => Promise.resolve(proven(32))),
  );
  expect(large.batches).toEqual([32, 48]);
  // The same responses, scored in passes of other shapes: the same but for float32 rounding.
  expect(large.print.fingerprint.compares).toBe('tokens');
  expectSamePrint(large.print, small.print);
});

test('one that fails is left before the first response, and the page is told', async () => {
  const trouble = 'It disagrees with WebAssembly on scored log-probs (off by 0.3, allowed 0.0002).';
  const failed = await run(
    'auto',
    parts(() => Promise.resolve({ trouble, speed: null, fixedShapes: false })),
  );
  expect(failed.infos).toHaveLength(1);
  expect(failed.infos[0]).toMatchObject({
    policy: 'wasm',
    reason: `The GPU (acme) is not used. ${trouble}`,
  });
  expect(failed.batches).toEqual([8, 16, 32, 48]);
  expect(loaded).toEqual(['webgpu', 'wasm']);
  const forced = await run(
    'webgpu',
    parts(() => Promise.resolve({ trouble, speed: null, fixedShapes: false })),
  );
  expect(forced.infos[0]).toMatchObject({ policy: 'webgpu', trouble });
  // Batches are cut otherwise there, which rounds otherwise.
  expectSamePrint(forced.print, failed.print);
});
