/** Runs stored and read again, in Node, on an IndexedDB that keeps its data in memory. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_SYNTHETIC } from '../settings/run';
import { syntheticRollouts, syntheticSource } from '../rollouts/synthetic';
import { sequenceCount, type Rollouts } from '../rollouts/rollouts';
import type { KeptRun } from './kept-run';
import { bytesOf, compact } from './pack';
import { RunStore } from './run-store';

const SOURCE = { ...DEFAULT_SYNTHETIC, prompts: 12, groupSize: 4 };

const about = (id: string, more: Partial<KeptRun> = {}): KeptRun => ({
  id,
  kind: 'rollouts',
  name: null,
  createdAt: 1000,
  updatedAt: 1000,
  app: '0.1.0',
  settings: { backend: 'auto', source: SOURCE },
  files: [],
  policies: [],
  backend: null,
  state: 'running',
  batches: 3,
  sequencesPerBatch: 16,
  keptBatches: 0,
  sequences: 0,
  totalSequences: 48,
  tokens: 0,
  seconds: 0,
  bytes: 0,
  deletedAt: null,
  ...more,
});

const hooks = { signal: new AbortController().signal, onPhase: () => {}, onLoad: () => {} };
const batch = (index: number) => syntheticSource(SOURCE, 16).batch(index, hooks);

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

describe('a kept run', () => {
  it('is found by the next visit with the very numbers, in order of its batches', async () => {
    const store = await RunStore.open();
    for (const index of [0, 1, 2]) {
      await store.append(about('a', { keptBatches: index + 1 }), index, await batch(index));
    }
    store.close();
    const later = await RunStore.open();
    const { run, rollouts } = await later.read('a');
    expect(run.keptBatches).toBe(3);
    expect(rollouts).toEqual(syntheticRollouts(SOURCE));
    expect(sequenceCount(rollouts)).toBe(48);
  });

  it('has its vocabulary, which is stored once', async () => {
    const store = await RunStore.open();
    const vocabulary = ['a', 'b'];
    for (const index of [0, 1]) {
      const part: Rollouts = { ...(await batch(index)), vocabulary };
      await store.append(about('a', { keptBatches: index + 1 }), index, part);
    }
    expect((await store.read('a')).rollouts.vocabulary).toEqual(vocabulary);
  });

  it('is not mixed up with others', async () => {
    const store = await RunStore.open();
    await store.append(about('a', { keptBatches: 1 }), 0, await batch(0));
    await store.append(about('aa', { keptBatches: 1 }), 0, await batch(1));
    expect((await store.read('a')).rollouts).toEqual(await batch(0));
    expect((await store.read('aa')).rollouts).toEqual(await batch(1));
  });

  it('that misses a batch is refused rather than shown short', async () => {
    const store = await RunStore.open();
    await store.append(about('a', { keptBatches: 2 }), 0, await batch(0));
    await expect(store.read('a')).rejects.toThrow(/not there any more/);
  });
});

describe('the list', () => {
  it('has the newest first and forgets nothing but what was deleted', async () => {
    const store = await RunStore.open();
    await store.put(about('old', { createdAt: 1 }));
    await store.put(about('new', { createdAt: 2 }));
    await store.rename('old', 'far pair');
    await store.mark(['new'], 50);
    expect((await store.list()).map(({ name }) => name)).toEqual(['far pair']);
    await store.purge(49);
    await store.mark(['new'], null);
    expect((await store.list()).map(({ id }) => id)).toEqual(['new', 'old']);
    await store.mark(['new'], 50);
    await store.purge(50);
    await store.mark(['new'], null);
    expect((await store.list()).map(({ id }) => id)).toEqual(['old']);
  });

  it('leaves out what another version of the lab wrote', async () => {
    const store = await RunStore.open();
    const strange: object = { ...about('x'), kind: 'training' };
    await store.put(strange as KeptRun);
    await store.put(about('y'));
    expect((await store.list()).map(({ id }) => id)).toEqual(['y']);
  });

  it('erases the data with the run', async () => {
    const store = await RunStore.open();
    await store.append(about('a', { keptBatches: 1 }), 0, await batch(0));
    await store.erase(['a']);
    await store.put(about('a', { keptBatches: 0 }));
    expect(sequenceCount((await store.read('a')).rollouts)).toBe(0);
  });
});

describe('what is stored', () => {
  it('takes views of larger buffers, and shared memory, as arrays of their own', () => {
    const wide = new Float32Array(100).fill(-1);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    const part: Rollouts = {
      offsets: Uint32Array.of(0, 2),
      tokenIds: Int32Array.of(1, 2),
      logpOld: wide.subarray(10, 12),
      logpNew: shared,
      group: Uint32Array.of(0),
      reward: Float64Array.of(1),
      advantage: Float64Array.of(0),
      finished: Uint8Array.of(1),
      prompts: ['ab'],
    };
    const packed = compact(part);
    expect(packed).toEqual(part);
    expect(packed.logpOld.buffer.byteLength).toBe(8);
    expect(packed.logpNew.buffer).toBeInstanceOf(ArrayBuffer);
    expect(packed.reward).toBe(part.reward);
    expect(bytesOf(packed)).toBe(8 + 8 + 8 + 8 + 4 + 8 + 8 + 1 + 4);
  });

  it('says that nothing can be kept where there is no IndexedDB', async () => {
    Reflect.deleteProperty(globalThis, 'indexedDB');
    await expect(RunStore.open()).rejects.toThrow(/no IndexedDB/);
  });
});

it('is given up where the browser never answers', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('indexedDB', { open: () => new IDBOpenDBRequest() });
  try {
    const opening = expect(RunStore.open()).rejects.toThrow(/does not answer/);
    await vi.advanceTimersByTimeAsync(10_000);
    await opening;
  } finally {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }
});

it('tables of more columns per token are kept, whole, and joined where every batch has them', async () => {
  const store = await RunStore.open();
  const shared = new Int32Array(new SharedArrayBuffer(4 * 2 * 1000));
  for (const index of [0, 1]) {
    const part = await batch(index);
    const tokens = part.tokenIds.length;
    const values = shared.subarray(0, 2 * tokens).map((_, i) => i + index);
    const tables = { 'router.old': { width: 2, values } };
    await store.append(about('a', { keptBatches: index + 1 }), index, { ...part, tables });
  }
  const { rollouts } = await store.read('a');
  const table = rollouts.tables?.['router.old'];
  expect(table?.width).toBe(2);
  expect(table?.values).toBeInstanceOf(Int32Array);
  expect(table?.values).toHaveLength(2 * rollouts.tokenIds.length);
  const second = 2 * (await batch(0)).tokenIds.length;
  expect([table?.values[0], table?.values[second]]).toEqual([0, 1]);
  await store.append(about('a', { keptBatches: 3 }), 2, await batch(2));
  expect((await store.read('a')).rollouts.tables).toBeUndefined();
});
