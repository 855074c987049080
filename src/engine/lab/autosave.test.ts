/** Runs that outlive their engine: cut off and resumed, out of storage, files written from what was kept. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { DEFAULT_POLICIES, type RunSettings } from '../../settings/run';
import { firstResponses } from '../../rollouts/rollouts';
import { StoreFull } from '../../store/kept-run';
import { RunStore } from '../../store/run-store';
import { EngineClient } from './client';
import { Engine } from './engine';
import type { Event, Keeping, Request } from './protocol';

const SETTINGS: RunSettings = {
  backend: 'wasm',
  source: {
    ...DEFAULT_POLICIES,
    policy: 'tiny',
    old: 'a',
    new: 'b',
    prompts: 30,
    groupSize: 4,
    maxLength: 12,
    maxOperators: 3,
  },
};
const RESPONSES = 120;

/** A page with an engine of its own; closing the page without a word is a crash. */
class Visit {
  readonly events: Event[] = [];
  readonly client: EngineClient;
  readonly engine: Engine;

  constructor(
    files: Awaited<ReturnType<typeof tinyPolicy>>['files'],
    store = () => RunStore.open(),
  ) {
    const worker = {
      onmessage: null as ((message: { data: Event }) => void) | null,
      postMessage: (request: Request) => void this.engine.handle(structuredClone(request)),
      terminate: () => undefined,
    };
    this.engine = new Engine({
      assets: NODE_ASSETS,
      files,
      app: '0.1.0',
      store,
      emit: (event) => {
        this.events.push(event);
        worker.onmessage?.({ data: event });
      },
    });
    this.client = new EngineClient(() => worker as unknown as Worker);
  }

  async until<E extends Event>(found: (event: Event) => event is E): Promise<E> {
    for (;;) {
      const event = this.events.find(found);
      if (event) return event;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  phase(run: number, phase: string) {
    return this.until(
      (e): e is Extract<Event, { type: 'progress' }> =>
        e.type === 'progress' && e.run === run && e.progress.phase === phase,
    );
  }

  keeping(found: (keeping: Keeping) => boolean) {
    return this.until(
      (e): e is Extract<Event, { type: 'keeping' }> => e.type === 'keeping' && found(e.keeping),
    );
  }

  /** The records of the run, as written to a file. */
  async records(run: number | string): Promise<unknown> {
    const { blob } = await this.client.export(run, 'run', null);
    return (JSON.parse(await blob.text()) as { rollouts: unknown }).rollouts;
  }

  async list() {
    const kept = await this.client.keptRuns();
    if (kept.status !== 'open') throw new Error(kept.message);
    return kept.runs;
  }
}

const visits: Visit[] = [];
async function visit(store?: () => Promise<RunStore>): Promise<Visit> {
  const one = new Visit((await tinyPolicy()).files, store);
  visits.push(one);
  await one.client.open('wasm');
  return one;
}

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});
afterEach(async () => {
  for (const one of visits.splice(0)) await one.engine.dispose();
});

/**
 * The same run: every token and reward; log-probs to the rounding of a forward pass among other rows, since a
 * sampler that begins in mid-run has others beside a response.
 */
function expectSameRun(got: unknown, want: unknown): void {
  if (typeof want === 'number' && !Number.isInteger(want)) {
    expect(Math.abs((got as number) - want)).toBeLessThan(2e-6);
  } else if (typeof want === 'object' && want !== null) {
    expect(Object.keys(got as object)).toEqual(Object.keys(want));
    for (const [key, value] of Object.entries(want)) {
      expectSameRun((got as Record<string, unknown>)[key], value);
    }
  } else expect(got).toBe(want);
}

async function uninterrupted(): Promise<unknown> {
  const one = await visit();
  const run = one.client.start(SETTINGS);
  await one.phase(run, 'finished');
  return one.records(run);
}

/** A visit that ends in mid-run, after one finished batch. */
async function cutOff(): Promise<void> {
  const one = await visit();
  const run = one.client.start(SETTINGS, true);
  one.client.step(run);
  await one.keeping(({ status }) => status === 'kept');
}

describe('a run that was cut off', () => {
  it('is found by the next visit and goes on to the same numbers as one that was not', async () => {
    await cutOff();
    const later = await visit();
    const [kept] = await later.list();
    expect(kept).toMatchObject({ state: 'running', sequences: 8, totalSequences: RESPONSES });
    const { run, opened } = later.client.reopen(kept?.id ?? '');
    expect((await opened).cannotResume).toBeNull();
    expect((await opened).progress).toMatchObject({ phase: 'paused', sequences: 8 });
    later.client.resume(run);
    await later.phase(run, 'finished');
    expectSameRun(await later.records(run), await uninterrupted());
    await later.keeping((k) => k.status === 'kept' && k.sequences === RESPONSES);
    await later.client.purge();
    expect(await later.list()).toMatchObject([{ state: 'finished', sequences: RESPONSES }]);
  });

  it('goes on from where an earlier version of the lab left it, whose first batch was a whole one', async () => {
    const one = await visit();
    await one.phase(one.client.start(SETTINGS, true), 'finished');
    await one.client.purge();
    const [finished] = await one.list();
    const store = await RunStore.open();
    const { run: whole, rollouts } = await store.read(finished?.id ?? '');
    const about = {
      ...whole,
      id: 'earlier',
      state: 'running',
      batches: 4,
      keptBatches: 1,
    } as const;
    const prompts = rollouts.prompts.slice(0, 8);
    const first = { ...firstResponses(rollouts, 32), prompts };
    await store.append({ ...about, sequences: 32 }, 0, first);
    const later = await visit();
    const { run, opened } = later.client.reopen('earlier');
    expect((await opened).progress).toMatchObject({ phase: 'paused', sequences: 32 });
    later.client.resume(run);
    await later.phase(run, 'finished');
    expectSameRun(await later.records(run), await uninterrupted());
  });

  it('is not one that rests', async () => {
    const one = await visit();
    const run = one.client.start(SETTINGS, true);
    one.client.step(run);
    await one.keeping(({ status }) => status === 'kept');
    one.client.rest(run);
    await one.phase(run, 'rested');
    await one.client.purge();
    expect(await (await visit()).list()).toMatchObject([{ state: 'stopped', sequences: 8 }]);
  });

  it('does not go on with other policies than it began with', async () => {
    await cutOff();
    const { files } = await tinyPolicy();
    const later = new Visit(async (path, ...rest) => {
      const bytes = await files(path, ...rest);
      if (!path.endsWith('lab.json')) return bytes;
      const text = new TextDecoder().decode(bytes);
      return new TextEncoder().encode(
        text.replace(
          /"sha256":\s*"[0-9a-f]/g,
          (x) => `${x.slice(0, -1)}${x.endsWith('0') ? 1 : 0}`,
        ),
      );
    });
    visits.push(later);
    const [kept] = await later.list();
    const { opened } = later.client.reopen(kept?.id ?? '');
    expect((await opened).cannotResume).toMatch(/other files/);
    expect((await opened).progress.phase).toBe('finished');
  });
});

describe('a finished run', () => {
  it('answers experiments and writes files without being opened, and replaces its own copies', async () => {
    const one = await visit();
    for (let i = 0; i < 2; i++) {
      const run = one.client.start(SETTINGS, true);
      await one.phase(run, 'finished');
    }
    const last = one.client.start({ ...SETTINGS, source: { ...SETTINGS.source, seed: 9 } }, true);
    await one.phase(last, 'finished');
    await one.client.purge();
    const runs = await one.list();
    expect(runs.map(({ settings }) => settings?.source.seed)).toEqual([9, 1]);
    const id = runs[1]?.id ?? '';
    const result = await one.client.experiment(id, 'equivalence', { bins: 12 });
    expect(result.sequences).toBe(RESPONSES);
    expectSameRun(await one.records(id), await uninterrupted());
    await one.client.rename(id, 'seed one');
    const { name } = await one.client.export(id, 'tokens', null);
    expect(name).toBe('gspo-lab-seed-one.tokens.csv');
  });

  it('that is removed can be brought back, with its data', async () => {
    const one = await visit();
    const run = one.client.start(SETTINGS, true);
    await one.phase(run, 'finished');
    await one.client.purge();
    const [kept] = await one.list();
    const id = kept?.id ?? '';
    await one.client.remove([id]);
    expect(await one.list()).toEqual([]);
    await one.client.restore([id]);
    expect(await one.records(id)).toEqual(await one.records(run));
    await one.client.remove([id]);
    await one.client.purge();
    await one.client.restore([id]);
    expect(await one.list()).toEqual([]);
  });
});

describe('where the browser’s storage is full', () => {
  it('the batches before are kept, the run goes on, and space that is freed is used', async () => {
    let space = 2;
    const store = async () => {
      const real = await RunStore.open();
      const append = real.append.bind(real);
      real.append = (...batch) => {
        if (space <= 0) return Promise.reject(new StoreFull('The storage is full.'));
        space--;
        return append(...batch);
      };
      return real;
    };
    const one = await visit(store);
    const run = one.client.start(SETTINGS, true);
    await one.phase(run, 'finished');
    const { keeping } = await one.keeping(({ status }) => status === 'full');
    expect(keeping).toMatchObject({ status: 'full', sequences: 16 });
    expect(await one.list()).toMatchObject([{ state: 'running', sequences: 16 }]);
    expect(await one.records(run)).toHaveLength(RESPONSES);
    space = 10;
    await one.client.purge();
    expect(await one.list()).toMatchObject([{ sequences: RESPONSES }]);
    const later = await visit();
    expect(await later.records((await later.list())[0]?.id ?? '')).toEqual(await one.records(run));
  });

  it('a browser without storage says so, and the run is as good as any', async () => {
    Reflect.deleteProperty(globalThis, 'indexedDB');
    const one = await visit();
    const run = one.client.start(SETTINGS, true);
    await one.phase(run, 'finished');
    const { keeping } = await one.keeping(({ status }) => status === 'off');
    expect(keeping).toMatchObject({ message: expect.stringContaining('no IndexedDB') as string });
    expect(await one.client.keptRuns()).toMatchObject({ status: 'unavailable' });
    expect(await one.records(run)).toHaveLength(RESPONSES);
  });
});

describe('a run as a file', () => {
  it('is, opened again, the same run with the same settings, and is kept when asked', async () => {
    const one = await visit();
    const run = one.client.start(SETTINGS);
    await one.phase(run, 'finished');
    const records = await one.records(run);
    const { name, blob } = await one.client.export(run, 'run', 'https://lab.example/#/variance');
    const later = await visit();
    const options = { onBad: 'stop', rule: 'trl', recompute: false } as const;
    const imported = later.client.importFiles([{ name, blob }], options);
    const outcome = await imported.outcome;
    expect(outcome).toMatchObject({ status: 'read', settings: SETTINGS });
    expect(await later.records(imported.run)).toEqual(records);
    const list = await later.client.keep(imported.run, 'from a friend');
    expect(list).toMatchObject({ runs: [{ name: 'from a friend', sequences: RESPONSES }] });
    const reply = await later.client.export(imported.run, 'sequences', null);
    expect(await reply.blob.text()).toContain('# seed: 1\r\n');
  });
});
