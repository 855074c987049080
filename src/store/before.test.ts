/**
 * What a browser kept before runs and races had one store in common still opens: databases as that code laid
 * them out (names, version 1, keys), filled by IndexedDB itself, read by the stores of today.
 */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, expect, it } from 'vitest';
import { DEFAULT_SYNTHETIC } from '../settings/run';
import { syntheticRollouts, syntheticSource } from '../rollouts/synthetic';
import { RaceStore } from './race-store';
import { RunStore } from './run-store';

type Entry = [store: string, value: unknown, key?: IDBValidKey];

/** @param stores object stores, and the key path of those that have one */
function layOut(name: string, stores: Record<string, string | null>, entries: Entry[]) {
  return new Promise<void>((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    opening.onerror = () => reject(opening.error ?? new Error(name));
    opening.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(stores)) {
        opening.result.createObjectStore(store, keyPath === null ? {} : { keyPath });
      }
    };
    opening.onsuccess = () => {
      const tx = opening.result.transaction(Object.keys(stores), 'readwrite');
      for (const [store, value, key] of entries) tx.objectStore(store).put(value, key);
      tx.onerror = () => reject(tx.error ?? new Error(name));
      tx.oncomplete = () => {
        opening.result.close();
        resolve();
      };
    };
  });
}

const ABOUT = { app: '0.1.0', createdAt: 1_764_000_000_000, updatedAt: 1_764_000_060_000 };
const SOURCE = { ...DEFAULT_SYNTHETIC, prompts: 8, groupSize: 2 };

const run = (id: string, settings: unknown, more: object = {}) => ({
  ...ABOUT,
  id,
  kind: 'rollouts',
  name: 'as it was',
  settings,
  files: [],
  policies: [],
  backend: null,
  state: 'finished',
  batches: 2,
  sequencesPerBatch: 8,
  keptBatches: 2,
  sequences: 16,
  totalSequences: 16,
  tokens: 100,
  seconds: 1.5,
  bytes: 4000,
  deletedAt: null,
  ...more,
});

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

it('opens runs, their vocabularies and their marks', async () => {
  const hooks = { signal: new AbortController().signal, onPhase: () => {}, onLoad: () => {} };
  const source = syntheticSource(SOURCE, 8);
  const [first, second] = [await source.batch(0, hooks), await source.batch(1, hooks)];
  const policies = {
    kind: 'policies',
    policy: 'arithmetic-dense',
    old: 'gspo-00100',
    new: 'gspo-00101',
    alpha: 1,
    prompts: 64,
    groupSize: 8,
    minOperators: 2,
    maxOperators: 5,
    temperature: 1,
    maxLength: 180,
    seed: 1,
  };
  await layOut('gspo-lab', { runs: 'id', batches: null, vocabularies: null }, [
    ['runs', run('a', { backend: 'auto', source: SOURCE })],
    ['batches', first, ['a', 0]],
    ['batches', second, ['a', 1]],
    ['runs', run('b', { backend: 'wasm', source: policies }, { createdAt: 1, keptBatches: 1 })],
    ['batches', first, ['b', 0]],
    ['vocabularies', ['0', '1', '+'], 'b'],
    ['runs', run('gone', null, { deletedAt: 5 })],
  ]);

  const store = await RunStore.open();
  expect((await store.list()).map(({ id, name }) => [id, name])).toEqual([
    ['a', 'as it was'],
    ['b', 'as it was'],
  ]);
  expect((await store.read('a')).rollouts).toEqual(syntheticRollouts(SOURCE));
  const { run: kept, rollouts } = await store.read('b');
  // a run without a time answered every prompt
  expect(kept.settings?.source).toEqual({ ...policies, budget: 0, sampler: 'fp32', topP: 1 });
  expect(rollouts.vocabulary).toEqual(['0', '1', '+']);
  await store.mark(['gone'], null);
  expect(await store.list()).toHaveLength(3);
});

it('opens races and what they go on from', async () => {
  const id = '01234567-89ab-4cde-8f01-23456789abcd';
  const settings = {
    backend: 'auto',
    policy: 'arithmetic-dense',
    start: 'step-03000',
    seed: 1,
    steps: 40,
    prompts: 8,
    groupSize: 8,
    minibatches: 4,
    temperature: 1,
    minOperators: 2,
    maxOperators: 4,
    maxLength: 180,
    schedule: 'constant',
    warmupSteps: 0,
    gradientClip: 1,
    weightDecay: 0,
    kl: 0,
    evaluateEvery: 10,
    evaluatePrompts: 64,
    racers: [{ objective: 'gspo', epsilonLow: 3e-3, epsilonHigh: 4e-3, learningRate: 1e-4 }],
  };
  const race = { ...ABOUT, id, deletedAt: null, settings, backend: null, reports: [[]] };
  await layOut('gspo-lab-races', { races: 'id', snapshots: null }, [
    ['races', race],
    ['snapshots', { step: 7 }, id],
    ['races', { ...race, id: id.replace('0', 'f'), deletedAt: 5 }],
  ]);

  const store = await RaceStore.open<{ step: number }>();
  // a racer of that day had no choice of experts
  const racers = settings.racers.map((own) => ({ ...own, routing: 'own' }));
  expect(await store.list()).toEqual([{ ...race, settings: { ...settings, racers } }]);
  expect(await store.snapshot(id)).toEqual({ step: 7 });
});
