/** The engine behind its protocol, on wasm, with a tiny policy: what a page would see. */
import { afterEach, describe, expect, test } from 'vitest';
import { tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { DEFAULT_POLICIES, type PoliciesSource, type RunSettings } from '../../settings/run';
import type { FileSource } from '../../policy/fetch';
import type { RunStore } from '../../store/run-store';
import { Engine } from './engine';
import type { EquivalenceResult } from '../../experiments/equivalence';
import type { Event, LabCalls, Request } from './protocol';

const SOURCE: PoliciesSource = {
  ...DEFAULT_POLICIES,
  policy: 'tiny',
  old: 'a',
  new: 'b',
  prompts: 12,
  groupSize: 4,
  maxLength: 16,
  maxOperators: 3,
};

const settings = (more: Partial<PoliciesSource> = {}): RunSettings => ({
  backend: 'wasm',
  source: { ...SOURCE, ...more },
});

class Page {
  readonly events: Event[] = [];
  private readonly engine: Engine;
  private requests = 0;

  constructor(files: FileSource, store?: () => Promise<RunStore>) {
    this.engine = new Engine({
      assets: NODE_ASSETS,
      files,
      ...(store ? { store } : {}),
      emit: (event) => this.events.push(structuredClone(event)),
    });
  }

  send(request: Request): void {
    void this.engine.handle(request);
  }

  async until(found: (event: Event) => boolean): Promise<Event> {
    for (;;) {
      const event = this.events.find(found);
      if (event) return event;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async ask<K extends keyof LabCalls & string>(
    type: K,
    asked: LabCalls[K]['ask'],
  ): Promise<LabCalls[K]['reply']> {
    const requestId = ++this.requests;
    this.send({ ...asked, type, requestId } as Request);
    const event = await this.until(
      (e) => (e.type === 'reply' || e.type === 'refused') && e.requestId === requestId,
    );
    if (event.type !== 'reply') throw new Error(event.type === 'refused' ? event.message : '');
    return event.reply;
  }

  phase(run: number, phase: string): Promise<Event> {
    return this.until((e) => e.type === 'progress' && e.run === run && e.progress.phase === phase);
  }

  close(): Promise<void> {
    return this.engine.dispose();
  }
}

let page: Page | undefined;
afterEach(() => page?.close());

async function open(wrap: (files: FileSource) => FileSource = (files) => files): Promise<Page> {
  page = new Page(wrap((await tinyPolicy()).files));
  return page;
}

const equivalence = async (p: Page, run: number): Promise<EquivalenceResult> => {
  const ask = { run, experiment: 'equivalence', settings: { bins: 20 } } as const;
  return (await p.ask('experiment', ask)) as EquivalenceResult;
};

describe('engine', () => {
  test('says what it runs on and what there is', async () => {
    const p = await open();
    const reply = await p.ask('open', { backend: 'wasm' });
    expect(reply).toMatchObject({
      backend: { policy: 'wasm', kernels: 'cpu' },
      policies: [{ name: 'tiny' }],
    });
  });

  test('a step that comes before the run is ready does one batch, and a stop none', async () => {
    const p = await open();
    p.send({ type: 'start', run: 1, settings: settings() });
    p.send({ type: 'step', run: 1 });
    const paused = await p.phase(1, 'paused');
    if (paused.type !== 'progress') throw new Error('wrong');
    expect(paused.progress.sequences).toBe(8);
    p.send({ type: 'start', run: 2, settings: settings() });
    p.send({ type: 'stop', run: 2 });
    await p.phase(2, 'stopped');
    expect(p.events.some((e) => e.type === 'batch' && e.run === 2)).toBe(false);
  });

  test('a run, its experiment, and every number traced to tokens', async () => {
    const p = await open();
    p.send({ type: 'start', run: 1, settings: settings() });
    await p.phase(1, 'finished');
    const result = await equivalence(p, 1);
    expect(result.sequences).toBe(48);
    expect(result.claims.find(({ id }) => id === 'equivalence.perplexity')?.verdict).toBe('holds');

    const list = await p.ask('sequences', { run: 1, query: { low: 0, high: Infinity, limit: 5 } });
    expect(list.total).toBe(48);
    const [first] = list.sequences;
    const sequence = await p.ask('sequence', { run: 1, index: first?.index ?? -1 });
    expect(sequence.tokens.map(({ text }) => text).join('')).toBe(sequence.response);
    expect(sequence.tokens.at(-1)?.runningMean).toBeCloseTo(sequence.logWeight, 12);
    expect(sequence.crossEntropyOld - sequence.crossEntropyNew).toBeCloseTo(sequence.logWeight, 12);
  });

  test('the same settings give the same run, whatever ran before', async () => {
    const p = await open();
    const figures = async (run: number, more: Partial<PoliciesSource> = {}) => {
      p.send({ type: 'start', run, settings: settings(more) });
      await p.phase(run, 'finished');
      return (await equivalence(p, run)).summary;
    };
    const first = await figures(1);
    expect(await figures(2, { seed: 2 })).not.toEqual(first);
    expect(await figures(3)).toEqual(first);
  });

  test('a new run replaces the one before; late requests for the old one are refused', async () => {
    const p = await open();
    p.send({ type: 'start', run: 1, settings: settings({ prompts: 400 }) });
    await p.until((e) => e.type === 'batch' && e.run === 1);
    p.send({ type: 'start', run: 2, settings: settings() });
    await p.phase(2, 'finished');
    const after = p.events.findIndex((e) => e.type === 'progress' && e.run === 2);
    expect(p.events.slice(after).some((e) => e.type === 'batch' && e.run === 1)).toBe(false);
    await expect(equivalence(p, 1)).rejects.toThrow(/That run is over/);
  });

  test.each(['pause', 'step', 'stop'] as const)(
    'a %s right after the start is obeyed',
    async (type) => {
      const p = await open();
      p.send({ type: 'start', run: 1, settings: settings() });
      p.send({ type, run: 1 });
      await p.phase(1, type === 'stop' ? 'stopped' : 'paused');
      await new Promise((resolve) => setTimeout(resolve, 100));
      const batches = p.events.filter((e) => e.type === 'batch').length;
      expect(batches).toBe(type === 'step' ? 1 : 0);
    },
  );

  test('a run whose storage opens late takes no newer run’s place', async () => {
    let opened: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (opened = resolve));
    page = new Page((await tinyPolicy()).files, async () => {
      await late;
      throw new Error('no storage here');
    });
    page.send({ type: 'start', run: 1, settings: settings(), keep: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
    page.send({ type: 'start', run: 2, settings: settings(), keep: false });
    await page.phase(2, 'finished');
    opened();
    await page.until((e) => e.type === 'keeping' && e.run === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await equivalence(page, 2)).toMatchObject({ sequences: 48 });
  });

  test('a cut connection fails the run with a sentence, and resuming goes on', async () => {
    let cut = true;
    const p = await open((files) => (path, ...rest) => {
      if (cut && path.endsWith('b.safetensors')) {
        return Promise.reject(new Error('models/tiny/b: the connection broke off.'));
      }
      return files(path, ...rest);
    });
    p.send({ type: 'start', run: 1, settings: settings() });
    const failed = await p.until((e) => e.type === 'failed');
    expect(failed).toMatchObject({ canResume: true, message: expect.stringMatching(/broke off/) });
    cut = false;
    p.send({ type: 'resume', run: 1 });
    await p.phase(1, 'finished');
    expect(await equivalence(p, 1)).toMatchObject({ sequences: 48 });
  });

  test.each([
    [{ alpha: 7 }, /source\.alpha/],
    [{ minOperators: 5, maxOperators: 2 }, /minOperators/],
    [{ policy: '../../etc' }, /source\.policy/],
  ])('settings out of range are refused by name: %j', async (more, message) => {
    const p = await open();
    p.send({ type: 'start', run: 1, settings: settings(more) });
    const failed = await p.until((e) => e.type === 'failed');
    expect(failed).toMatchObject({ canResume: false, message: expect.stringMatching(message) });
  });

  test('a policy that does not exist is named, with those that do', async () => {
    const p = await open();
    p.send({ type: 'start', run: 1, settings: settings({ policy: 'other' }) });
    const failed = await p.until((e) => e.type === 'failed');
    expect(failed).toMatchObject({ message: expect.stringMatching(/no policy "other".*tiny/) });
  });
});
