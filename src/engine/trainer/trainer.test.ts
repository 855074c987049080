/** The trainer behind its protocol, on wasm, with a tiny policy: what a page would see. */
import 'fake-indexeddb/auto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../../settings/training';
import { readCheckpoint } from '../../training/checkpoint';
import { Racer } from '../../training/racer';
import { RaceStore } from '../../store/race-store';
import { TrainingEngine } from './trainer';
import type { Begun, TrainerCalls, TrainingEvent, TrainingRequest } from './protocol';

const SETTINGS: TrainingSettings = {
  ...DEFAULT_TRAINING,
  backend: 'wasm',
  policy: 'tiny',
  start: 'a',
  steps: 3,
  prompts: 2,
  groupSize: 4,
  minibatches: 2,
  maxLength: 12,
  minOperators: 1,
  maxOperators: 2,
  evaluateEvery: 3,
  evaluatePrompts: 4,
  racers: [
    { ...DEFAULT_RACER.reinforce, learningRate: 1e-3 },
    { ...DEFAULT_RACER.gspo, learningRate: 1e-3 },
  ],
};

let databases = 0;

class Page {
  readonly events: TrainingEvent[] = [];
  readonly engine: TrainingEngine;
  private requests = 0;

  constructor(
    files: Awaited<ReturnType<typeof tinyPolicy>>['files'],
    database = `races-${++databases}`,
  ) {
    this.engine = new TrainingEngine({
      assets: NODE_ASSETS,
      files,
      emit: (event) => {
        this.events.push(structuredClone(event));
        // onnxruntime-web's global Worker makes jax-js take Node for a browser (see scripts/node/training).
        Reflect.deleteProperty(globalThis, 'Worker');
      },
      app: 'test',
      store: () => RaceStore.open(database),
    });
  }

  send(request: TrainingRequest): void {
    void this.engine.handle(request);
  }

  start(race: number, settings = SETTINGS, from: Begun | null = null, paused = false): void {
    this.send({ type: 'start', race, settings, own: null, from, paused, keep: true });
  }

  async until(found: (event: TrainingEvent) => boolean): Promise<TrainingEvent> {
    for (;;) {
      const failed = this.events.find((event) => event.type === 'failed');
      const event = this.events.find(found);
      if (event) return event;
      if (failed?.type === 'failed') throw new Error(failed.message);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async phase(phase: string): Promise<void> {
    await this.until((e) => e.type === 'progress' && e.progress.phase === phase);
  }

  async ask<K extends keyof TrainerCalls & string>(
    type: K,
    asked: TrainerCalls[K]['ask'],
  ): Promise<TrainerCalls[K]['reply']> {
    const requestId = ++this.requests;
    this.send({ ...asked, type, requestId } as TrainingRequest);
    const event = await this.until(
      (e) => (e.type === 'reply' || e.type === 'refused') && e.requestId === requestId,
    );
    if (event.type !== 'reply') throw new Error(event.type === 'refused' ? event.message : '');
    return event.reply;
  }

  /** All that a step says but for how long it took. */
  curve(): unknown[] {
    return this.events.flatMap((e) =>
      e.type === 'trained' ? [{ racer: e.racer, ...e.report, seconds: null }] : [],
    );
  }
}

const pages: Page[] = [];
const page = async (database?: string) => {
  const made = new Page((await tinyPolicy(3)).files, database);
  pages.push(made);
  return made;
};
afterEach(async () => {
  for (const open of pages.splice(0)) await open.engine.dispose();
});

describe('a race behind its protocol', () => {
  test('a last snapshot that cannot be taken is told, not waited for', async () => {
    const taking = vi.spyOn(Racer.prototype, 'state').mockRejectedValue(new Error('no memory'));
    const p = await page();
    p.start(1);
    await expect(p.phase('finished')).rejects.toThrow('no memory');
    taking.mockRestore();
  });

  test('runs, is kept, and hands out checkpoints, rollouts and samples', async () => {
    const p = await page();
    p.start(1);
    await p.phase('finished');
    expect(p.curve()).toHaveLength(6);

    const file = await p.ask('checkpoint', { race: 1, racer: 1 });
    expect(file.name).toBe('gspo-00003.safetensors');
    const opened = readCheckpoint(new Uint8Array(await file.blob.arrayBuffer()), file.name);
    expect(opened.origin).toEqual({ settings: SETTINGS, racer: 1, step: 3 });

    const rollouts = await p.ask('rollouts', { race: 1, racer: 0, step: 2, link: '#/train' });
    expect(rollouts.name).toBe('reinforce step 2');
    expect(rollouts.rollouts.reward).toHaveLength(8);
    expect(rollouts.rollouts.logpNew).toBeInstanceOf(Float64Array);
    expect(rollouts.stamp.source).toBe('training: reinforce step 2');
    expect(rollouts.stamp.seed).toBe(SETTINGS.seed);

    const samples = await p.ask('samples', { race: 1, racer: 0, count: 3 });
    expect(samples.pairs).toHaveLength(3);
    for (const { prompt } of samples.pairs) expect(prompt).toMatch(/=$/);

    await p.until((e) => e.type === 'kept');
    const races = await p.ask('races', {});
    expect(races.races).toHaveLength(1);
    expect(races.races[0]?.settings).toEqual(SETTINGS);
    expect(races.races[0]?.reports.map((own) => own.length)).toEqual([3, 3]);
  });

  test('killed after a snapshot, another worker goes on to the same numbers', async () => {
    const whole = await page();
    whole.start(1);
    await whole.phase('finished');

    const database = 'races-killed';
    const first = await page(database);
    first.start(1, SETTINGS, null, true);
    await first.phase('paused');
    first.send({ type: 'step', race: 1 });
    await first.until((e) => e.type === 'kept');

    // What a page that was reloaded finds: the kept race and its snapshot.
    const second = await page(database);
    const races = await second.ask('races', {});
    const kept = races.races[0];
    if (!kept) throw new Error('the race was not kept');
    const recalled = await second.ask('recall', { kept: kept.id });
    if (!recalled.snapshot) throw new Error('no snapshot');
    const { snapshot } = recalled;
    second.start(2, kept.settings, { kept: kept.id, snapshot, reports: kept.reports });
    await second.phase('finished');
    expect([...first.curve(), ...second.curve()]).toEqual(whole.curve());

    const checkpointOf = async (p: Page, race: number) => {
      const file = await p.ask('checkpoint', { race, racer: 1 });
      return new Uint8Array(await file.blob.arrayBuffer());
    };
    const atTheEnd = await checkpointOf(second, 2);
    await second.engine.dispose();
    const third = await page(database);
    const after = await third.ask('races', {});
    expect(after.races.map(({ reports }) => reports.map((own) => own.length))).toEqual([[3, 3]]);
    expect(after.races.map(({ createdAt }) => createdAt)).toEqual([kept.createdAt]);

    // Finished, it comes back with its weights.
    const done = await third.ask('recall', { kept: kept.id });
    if (!done.snapshot) throw new Error('no snapshot');
    const { reports } = after.races[0];
    third.start(3, kept.settings, { kept: kept.id, snapshot: done.snapshot, reports });
    await third.phase('finished');
    expect(third.curve()).toEqual([]);
    expect(atTheEnd?.length).toBeGreaterThan(1000);
    expect(await checkpointOf(third, 3)).toEqual(atTheEnd);
  });

  test('a removed race can be put back', async () => {
    const p = await page();
    p.start(1, { ...SETTINGS, steps: 1 });
    await p.phase('finished');
    const kept = await p.until((e) => e.type === 'kept');
    const id = kept.type === 'kept' ? (kept.kept ?? '') : '';
    const gone = await p.ask('remove', { kept: id });
    expect(gone).toEqual({ races: [] });
    const back = await p.ask('restore', { kept: id });
    expect(back.races.map((race) => race.id)).toEqual([id]);
  });

  test('predicts how long a step takes, and a race that starts ends the prediction', async () => {
    const p = await page();
    const answer = await p.ask('measure-step', { settings: SETTINGS });
    const { sampling, scoring, gradient, update, tracing, compiling, compiled } = answer;
    for (const cost of [sampling, scoring, gradient, update]) expect(cost).toBeGreaterThan(0);
    for (const once of [tracing, compiling]) expect(once).toBeGreaterThanOrEqual(0);
    expect(compiled.length).toBeGreaterThan(0);

    const refused = p.ask('measure-step', { settings: SETTINGS });
    p.start(1, { ...SETTINGS, steps: 1 });
    await expect(refused).rejects.toThrow();
    await p.phase('finished');
  });

  test('wrong settings and a wrong start are refused with a sentence', async () => {
    const p = await page();
    p.start(1, { ...SETTINGS, steps: 0 });
    const failed = await p.until((e) => e.type === 'failed');
    expect(failed).toMatchObject({ canResume: false, message: expect.stringContaining('"steps"') });
    p.events.length = 0;
    p.send({
      type: 'start',
      race: 2,
      settings: SETTINGS,
      own: { name: 'mine.safetensors', bytes: new Uint8Array([1, 2, 3]) },
      from: null,
      paused: false,
      keep: true,
    });
    const unread = await p.until((e) => e.type === 'failed');
    expect(unread).toMatchObject({ message: expect.stringContaining('mine.safetensors') });
  });
});
