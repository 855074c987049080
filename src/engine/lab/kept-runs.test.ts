/** Two tabs at the list of kept runs: neither takes away what the other works on. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DEFAULT_SYNTHETIC, type RunSettings } from '../../settings/run';
import { syntheticSource } from '../../rollouts/synthetic';
import { type Rollouts, sequenceCount, tokenCount } from '../../rollouts/rollouts';
import { RunStore } from '../../store/run-store';
import { aboutRun } from './kept-run';
import { KeptRunStore } from './kept-runs';
import type { Keeping } from './protocol';

const SOURCE = { ...DEFAULT_SYNTHETIC, prompts: 8, groupSize: 4, maxLength: 8 };
const SETTINGS: RunSettings = { backend: 'wasm', source: SOURCE };
const CUT = { batches: 2, totalSequences: 32, sequencesPerBatch: 16 };

/** As of a browser: shared by its tabs. */
class Locks {
  private readonly names = new Set<string>();

  query = () => Promise.resolve({ held: [...this.names].map((name) => ({ name })) });
  request = async (name: string, _: LockOptions, callback: () => Promise<void>) => {
    this.names.add(name);
    await callback();
    this.names.delete(name);
  };
}

let batches: Rollouts[];
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  vi.stubGlobal('navigator', { locks: new Locks() });
  const source = syntheticSource(SOURCE, CUT.sequencesPerBatch);
  const nothing = () => undefined;
  const hooks = { signal: new AbortController().signal, onPhase: nothing, onLoad: nothing };
  batches = [await source.batch(0, hooks), await source.batch(1, hooks)];
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A tab that works on the same run, which it calls its own. */
async function tab(facts = {}) {
  const kept = new KeptRunStore(() => RunStore.open());
  const said: Keeping[] = [];
  const about = aboutRun(
    'test',
    {
      settings: SETTINGS,
      files: [],
      policies: [],
      backend: { policy: 'wasm', kernels: 'cpu', adapter: 'none', threads: 1 },
      ...facts,
    },
    CUT,
  );
  const autosave = await kept.autosave(about, (keeping) => said.push(keeping));
  if (autosave === null) throw new Error('nothing is kept');
  let sequences = 0;
  let tokens = 0;
  const append = async (index: number) => {
    const rollouts = batches[index];
    sequences += sequenceCount(rollouts);
    tokens += tokenCount(rollouts);
    autosave.append({ index, rollouts, sequences, tokens, seconds: index + 1 });
    await autosave.flush();
  };
  const finish = async () => {
    const progress = { sequences, totalSequences: sequences, tokens, seconds: 2 };
    autosave.progress({ ...progress, phase: 'finished', tokensPerSecond: null, etaSeconds: null });
    await autosave.flush();
  };
  return { kept, about, said, append, finish };
}

async function runs(kept: KeptRunStore) {
  const list = await kept.list();
  if (list.status !== 'open') throw new Error(list.message);
  return list.runs;
}

test('the same link in two tabs: both finish, both can be opened, and neither erased the other', async () => {
  const a = await tab();
  const b = await tab();
  await a.append(0);
  await b.append(0);
  await a.append(1);
  await a.finish();
  await b.append(1);
  await b.finish();
  expect((await runs(a.kept)).map(({ state, sequences }) => [state, sequences])).toEqual([
    ['finished', 32],
    ['finished', 32],
  ]);
  for (const { kept, about, said } of [a, b]) {
    expect(sequenceCount((await kept.read(about.id)).rollouts)).toBe(32);
    expect(said.every(({ status }) => status === 'kept')).toBe(true);
  }
});

test('a copy that no tab works on makes way for the same run', async () => {
  const a = await tab();
  await a.append(0);
  await a.append(1);
  await a.finish();
  await a.kept.release(a.about.id);
  const b = await tab();
  await b.append(0);
  await b.append(1);
  await b.finish();
  expect((await runs(b.kept)).map(({ id }) => id)).toEqual([b.about.id]);
});

test('a name given and a deletion made in another tab stand while the run goes on', async () => {
  const a = await tab();
  const b = await tab();
  await a.append(0);
  await b.kept.rename(a.about.id, 'first');
  await a.append(1);
  expect((await runs(b.kept)).map(({ name }) => name)).toEqual(['first']);
  await b.kept.remove([a.about.id]);
  await a.finish();
  expect(await runs(b.kept)).toEqual([]);
});

test('a batch whose predecessors another tab has erased is refused and told, not kept as half a run', async () => {
  const a = await tab();
  await a.append(0);
  const other = await RunStore.open();
  await other.erase([a.about.id]);
  await a.append(1);
  expect(a.said.at(-1)).toMatchObject({ status: 'off' });
  expect(await runs(a.kept)).toEqual([]);
});
