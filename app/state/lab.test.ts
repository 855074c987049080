import { describe, expect, it, vi } from 'vitest';
import type {
  RunEvent,
  ImportOutcome,
  ImportReport,
  RunProgress,
  KeptList,
  ListedRun,
} from '../../src/engine/lab/protocol';
import type { PolicyManifest } from '../../src/policy/manifest';
import type { Dtype } from '../../src/model-ref';
import type { ListedModel } from '../../src/policy/foreign/repository';
import type { ModelReport } from '../../src/policy/foreign/report';
import { EXPERIMENTS } from '../../src/experiments/registry';
import {
  DEFAULT_MODELS,
  DEFAULT_POLICIES,
  DEFAULT_SETTINGS,
  type PoliciesSource,
  type RunSettings,
} from '../../src/settings/run';
import { draftOf } from './draft';
import { DEFAULT_IMPORT } from './imports';
import { Lab, QUEUED, type Engine } from './lab';
import { decidedIn } from './lab-goal';

/** Lets every promise that can settle do so. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

const checkpoint = (id: string) => ({
  id,
  file: `checkpoints/${id}.safetensors`,
  series: 'supervised' as const,
  step: 1,
  loss: 1,
  accuracy: 0.5,
  accuracyInterval: [0.4, 0.6] as [number, number],
  accuracyPrompts: 100,
  bytes: 1,
  sha256: '',
});

const policy = (name: string, ids: string[]): PolicyManifest => ({
  name,
  title: name,
  task: 'arithmetic',
  parameters: 1,
  onnx: { file: 'onnx/model.onnx', bytes: 1, sha256: '' },
  config: { file: 'config.json', bytes: 1, sha256: '' },
  tokenizer: { file: 'tokenizer.json', bytes: 1, sha256: '' },
  checkpoints: ids.map(checkpoint),
  defaultPair: { old: ids[0], new: ids.at(-1) as string },
});

const report: ImportReport = {
  files: [],
  sequences: 4,
  tokens: 8,
  groups: 2,
  steps: 0,
  skipped: 0,
  problems: [],
  rule: 'trl',
  computedAdvantages: 0,
  maskedTokens: 0,
  maxCompletionLength: null,
  withoutSampler: 0,
  notes: [],
  health: {
    sequences: 4,
    tokens: 8,
    groups: 2,
    bands: { token: { low: 0.2, high: 0.2 }, sequence: { low: 3e-4, high: 4e-4 } },
    trainer: null,
    findings: [],
    passed: [],
    notAsked: [],
    clipping: [],
    cut: null,
    steps: [],
    distributions: [],
  },
  drawings: { steps: null, spread: [], tokens: {} },
  html: '',
};

const MODEL_REPORT: ModelReport = {
  ref: 'hub:a/b@main',
  dtype: 'fp32',
  graph: 'onnx/model.onnx',
  revision: null,
  licence: null,
  card: null,
  sha256: {},
  bytes: 1,
  unpacked: false,
  memory: 1,
  vocabulary: 512,
  tokens: 512,
  positions: 512,
  maxPositions: 512,
  ends: [],
  chatTemplate: false,
  caches: 10,
  types: ['float32'],
  contributed: [],
  noGradient: null,
  provider: 'wasm',
  refusedGpu: null,
  probe: {
    provider: 'wasm',
    tokens: 32,
    forms: [],
    wasm: null,
    floor: { logp: 2e-6, logS: 1e-7 },
    margin: 1e-4,
  },
};

/** An engine that records its orders and answers when told to. */
class Scripted implements Engine {
  orders: string[] = [];
  settings: RunSettings[] = [];
  asked: { resolve: (result: unknown) => void; reject: (error: Error) => void }[] = [];
  policies = [policy('arithmetic-dense', ['gspo-00100', 'gspo-00101'])];
  opens = async () => undefined;
  private listener: (event: RunEvent) => void = () => undefined;
  private runs = 0;

  async open(backend: string) {
    this.orders.push(`open ${backend}`);
    await this.opens();
    return {
      type: 'opened' as const,
      backend: {
        policy: 'wasm' as const,
        kernels: 'cpu' as const,
        adapter: 'none',
        reason: 'none',
        threads: 1,
      },
      policies: this.policies,
    };
  }
  async adopt(policyName: string, name: string) {
    this.orders.push(`adopt ${name}`);
    const id = `own-${name}`;
    this.policies = this.policies.map((known) =>
      known.name === policyName && !known.checkpoints.some((other) => other.id === id)
        ? { ...known, checkpoints: [...known.checkpoints, checkpoint(id)] }
        : known,
    );
    return { type: 'adopted' as const, id, policies: this.policies };
  }
  /** by ref: what is kept of models */
  keptDtypes: Record<string, Dtype[]> = {};
  listing: ListedModel | Error = new Error('nothing is there');
  opensModel: () => Promise<ModelReport> = () => Promise.resolve(MODEL_REPORT);
  async keptModels() {
    const models = Object.entries(this.keptDtypes).map(([ref, dtypes]) => ({
      ref,
      name: ref,
      bytes: 1,
      at: 1,
      dtypes,
      graphs: [],
      checkpoints: [],
    }));
    return { models, passing: null };
  }
  async listModel(text: string) {
    this.orders.push(`look ${text}`);
    if (this.listing instanceof Error) throw this.listing;
    return this.listing;
  }
  async listFolder(name: string) {
    return this.listModel(name);
  }
  async addCheckpoint(ref: string, { path }: { path: string }) {
    this.orders.push(`beside ${ref} ${path}`);
    return { listed: await this.listModel(ref), path: `yours/${path}` };
  }
  expected: Readonly<Record<string, string>> | undefined;
  async getModel({ ref, dtype, expected }: Parameters<Engine['getModel']>[0]) {
    this.expected = expected;
    this.orders.push(`get ${ref} ${dtype}`);
    this.keptDtypes[ref] = [...(this.keptDtypes[ref] ?? []), dtype];
    return this.listModel(ref);
  }
  async openModel({ ref, dtype }: { ref: string; dtype: Dtype }) {
    this.orders.push(`check ${ref} ${dtype}`);
    return this.opensModel();
  }
  async forgetModel() {
    this.keptDtypes = {};
    return this.keptModels();
  }
  enough: (number | undefined)[] = [];
  start(settings: RunSettings, _keep?: boolean, enough?: number) {
    this.enough.push(enough);
    this.settings.push(settings);
    this.orders.push(`start ${++this.runs}`);
    return this.runs;
  }
  pause = (run: number) => void this.orders.push(`pause ${run}`);
  rest = (run: number) => void this.orders.push(`rest ${run}`);
  resume = (run: number) => void this.orders.push(`resume ${run}`);
  imports: { resolve: (outcome: ImportOutcome) => void; reject: (error: Error) => void }[] = [];
  importFiles: Engine['importFiles'] = () => {
    this.orders.push(`import ${++this.runs}`);
    const outcome = new Promise<ImportOutcome>((resolve, reject) =>
      this.imports.push({ resolve, reject }),
    );
    return { run: this.runs, outcome };
  };
  step = (run: number) => void this.orders.push(`step ${run}`);
  stop = (run: number) => void this.orders.push(`stop ${run}`);
  experiment: Engine['experiment'] = (run, id) => {
    this.orders.push(`${id} ${run}`);
    return new Promise((resolve, reject) =>
      this.asked.push({ resolve: resolve as (result: unknown) => void, reject }),
    );
  };
  fingerprint: Engine['fingerprint'] = () => Promise.reject(new Error('not scripted'));
  peeking: Engine['peeking'] = () => Promise.reject(new Error('not scripted'));
  sequences: Engine['sequences'] = () => Promise.reject(new Error('not scripted'));
  sequence: Engine['sequence'] = () => Promise.reject(new Error('not scripted'));
  kept: ListedRun[] = [];
  private keptNow = async (): Promise<KeptList> => ({
    status: 'open',
    runs: this.kept,
    storage: null,
  });
  keptRuns: Engine['keptRuns'] = () => this.keptNow();
  reopen: Engine['reopen'] = (id) => {
    const run = ++this.runs;
    this.orders.push(`reopen ${id} as ${run}`);
    const kept = this.kept.find((one) => one.id === id);
    if (!kept) return { run, opened: Promise.reject(new Error('It is gone.')) };
    const { sequences, totalSequences } = kept;
    const progress: RunProgress = { ...QUEUED, phase: 'paused', sequences, totalSequences };
    return { run, opened: Promise.resolve({ kept, progress, cannotResume: null }) };
  };
  keep: Engine['keep'] = () => this.keptNow();
  rename: Engine['rename'] = () => this.keptNow();
  remove: Engine['remove'] = (ids) => {
    this.orders.push(`remove ${ids.join()}`);
    return this.keptNow();
  };
  restore: Engine['restore'] = (ids) => {
    this.orders.push(`restore ${ids.join()}`);
    return this.keptNow();
  };
  purge: Engine['purge'] = () => this.keptNow();
  export: Engine['export'] = () => Promise.reject(new Error('not scripted'));
  subscribe(listener: (event: RunEvent) => void) {
    this.listener = listener;
    return () => undefined;
  }

  emit(event: RunEvent) {
    this.listener(event);
  }
  progress(run: number, change: Partial<RunProgress>) {
    this.emit({ type: 'progress', run, progress: { ...QUEUED, phase: 'sampling', ...change } });
  }
  asks() {
    return this.orders.filter((order) => order.startsWith('equivalence'));
  }
}

async function running() {
  const engine = new Scripted();
  const lab = new Lab(engine);
  await lab.open(true);
  engine.progress(1, { sequences: 32, totalSequences: 512 });
  return { engine, lab, state: () => lab.store.getState() };
}

describe('a first visit', () => {
  it('opens the engine and runs the defaults by itself', async () => {
    const { engine, state } = await running();
    expect(engine.orders).toEqual(['open auto', 'start 1']);
    expect(state().run?.progress.sequences).toBe(32);
  });

  it('runs nothing before a page is in view that shows it', async () => {
    const engine = new Scripted();
    const lab = new Lab(engine);
    let see: () => void = () => undefined;
    const opening = lab.open(true, new Promise((resolve) => (see = resolve)));
    await settle();
    expect(engine.orders).toEqual(['open auto']);
    see();
    await opening;
    expect(engine.orders).toEqual(['open auto', 'start 1']);
  });

  it('starts nothing beside what was asked for before such a page came into view', async () => {
    const engine = new Scripted();
    const lab = new Lab(engine);
    let see: () => void = () => undefined;
    const opening = lab.open(true, new Promise((resolve) => (see = resolve)));
    await settle();
    // another backend, which takes its time
    let open: () => void = () => undefined;
    engine.opens = () => new Promise<undefined>((resolve) => (open = () => resolve(undefined)));
    lab.edit((draft) => ({ ...draft, backend: 'wasm' }));
    const asked = lab.start();
    see();
    await settle();
    open();
    await opening;
    expect(await asked).toBe(1);
    expect(engine.orders.filter((order) => order.startsWith('start'))).toEqual(['start 1']);
  });

  it('of two starts in one moment the later one runs', async () => {
    const engine = new Scripted();
    const lab = new Lab(engine);
    const [first, second] = await Promise.all([lab.start(), lab.start()]);
    expect([first, second]).toEqual([null, 1]);
  });

  it('takes the default pair of a policy that lacks the checkpoints asked for', async () => {
    const engine = new Scripted();
    engine.policies = [policy('other', ['a', 'b'])];
    await new Lab(engine).open(true);
    expect(engine.settings[0]?.source).toMatchObject({ policy: 'other', old: 'a', new: 'b' });
  });

  it('falls back to synthetic rollouts, saying so, when no policy is shipped', async () => {
    const engine = new Scripted();
    engine.policies = [];
    const lab = new Lab(engine);
    await lab.open(true);
    expect(engine.settings[0]?.source.kind).toBe('synthetic');
    expect(lab.store.getState().notice).toMatch(/synthetic/);
  });

  it('starts nothing in the place of a file that was dropped while it opened', async () => {
    for (const read of [false, true]) {
      const engine = new Scripted();
      let open: () => void = () => undefined;
      engine.opens = () => new Promise<undefined>((resolve) => (open = () => resolve(undefined)));
      const lab = new Lab(engine);
      const opening = lab.open(true);
      void lab.importFiles([], DEFAULT_IMPORT);
      if (read)
        engine.imports[0]?.resolve({ status: 'read', report, progress: QUEUED, settings: null });
      await settle();
      open();
      await opening;
      expect(engine.orders).toEqual(['open auto', 'import 1']);
    }
  });

  it('that fails to open says why, and can be retried', async () => {
    const engine = new Scripted();
    engine.opens = () => Promise.reject(new Error('The list could not be fetched.'));
    const lab = new Lab(engine);
    await lab.open(true);
    expect(lab.store.getState().opening).toEqual({
      status: 'failed',
      message: 'The list could not be fetched.',
    });
    expect(engine.orders).toEqual(['open auto']);
    engine.opens = async () => undefined;
    await lab.open(true);
    expect(engine.orders).toContain('start 1');
  });
});

describe('a run that has enough', () => {
  type Claims = { verdict: string; settledBy: number | null; clusters: number }[];
  const claims = (...verdicts: string[]): { claims: Claims } => ({
    claims: verdicts.map((verdict) => ({ verdict, settledBy: 300, clusters: 128 })),
  });
  const orders = (engine: Scripted) => engine.orders.filter((order) => /rest|resume/.test(order));

  /** A run of 1,024 prompts of which 128 are answered, with Equivalence in view. */
  async function begun(change: Partial<PoliciesSource> = {}) {
    const engine = new Scripted();
    const lab = new Lab(engine, {
      ...DEFAULT_SETTINGS,
      source: { ...DEFAULT_POLICIES, ...change },
    });
    await lab.open(true);
    const watch = lab.watch('equivalence', { bins: 24 });
    const answer = async (found: { claims: Claims }) => {
      engine.asked.at(-1)?.resolve(found);
      await settle();
    };
    const at = (sequences: number, more: Partial<RunProgress> = {}) => {
      engine.progress(1, { sequences, totalSequences: 4096, seconds: 5, ...more });
      engine.emit({ type: 'batch', run: 1, sequences });
    };
    return { engine, lab, watch, answer, at, run: () => lab.store.getState().run };
  }

  it('rests once the claims in view are decided, goes on where others are open, and rests again', async () => {
    const { engine, lab, watch, answer, at, run } = await begun();
    at(256);
    await answer(claims('holds', 'fails'));
    // too few for figures
    expect(orders(engine)).toEqual([]);
    at(512);
    expect(orders(engine)).toEqual(['rest 1']);
    at(512, { phase: 'rested' });
    expect(run()).toMatchObject({ rest: 'decided', progress: { phase: 'rested' } });

    watch();
    lab.watch('variance', EXPERIMENTS.variance.defaults);
    expect(orders(engine)).toEqual(['rest 1']);
    await answer(claims('holds', 'undecided'));
    expect(orders(engine)).toEqual(['rest 1', 'resume 1']);
    expect(run()?.rest).toBeNull();
    at(768);
    await answer(claims('holds', 'departs', 'not applicable'));
    expect(orders(engine)).toEqual(['rest 1', 'resume 1', 'rest 1']);
  });

  it('rests when its time is spent, and a press gives it as much again', async () => {
    const { engine, lab, answer, at, run } = await begun();
    at(512, { seconds: 39 });
    await answer(claims('undecided'));
    expect(orders(engine)).toEqual([]);
    at(544, { seconds: 40 });
    expect(orders(engine)).toEqual(['rest 1']);
    at(544, { seconds: 41, phase: 'rested' });
    lab.resume();
    expect(run()).toMatchObject({ rest: null, allowed: 81 });
    at(800, { seconds: 80 });
    expect(orders(engine)).toEqual(['rest 1', 'resume 1']);
    at(832, { seconds: 81 });
    expect(orders(engine)).toEqual(['rest 1', 'resume 1', 'rest 1']);
  });

  it('goes on to its end where a person wants more than the verdicts', async () => {
    const { engine, lab, answer, at } = await begun();
    at(512);
    await answer(claims('holds'));
    at(512, { phase: 'rested' });
    lab.resume();
    at(2048, { seconds: 400 });
    expect(orders(engine)).toEqual(['rest 1', 'resume 1']);
  });

  it('that a person has paused stays paused, whatever is in view', async () => {
    const { engine, lab, watch, answer, at } = await begun();
    at(512, { phase: 'paused' });
    await answer(claims('holds'));
    watch();
    lab.watch('variance', EXPERIMENTS.variance.defaults);
    await answer(claims('undecided'));
    expect(orders(engine)).toEqual([]);
  });

  it('without a time, answers every prompt', async () => {
    const { engine, answer, at } = await begun({ budget: 0 });
    at(2048, { seconds: 300 });
    await answer(claims('holds'));
    expect(orders(engine)).toEqual([]);
  });

  it('that repeats a link goes as far as the link did', async () => {
    const { engine, lab, answer, at, run } = await begun();
    lab.repeat({ settings: DEFAULT_SETTINGS, sequences: 900, files: null });
    at(512, { seconds: 60 });
    await answer(claims('holds'));
    expect(orders(engine)).toEqual([]);
    // the engine knows how far, and comes to it by itself
    at(928, { phase: 'rested' });
    expect(run()?.rest).toBe('link');
    expect(orders(engine)).toEqual([]);
    await lab.start();
    expect(engine.enough).toEqual([undefined, 900]);
  });

  it('says what is decided, and when the next is expected', async () => {
    const { lab, answer, at } = await begun();
    at(512);
    await answer({
      claims: [
        { verdict: 'holds', settledBy: null, clusters: 128 },
        { verdict: 'undecided', settledBy: 900, clusters: 128 },
        { verdict: 'departs', settledBy: 200, clusters: 128 },
        { verdict: 'undecided', settledBy: 300, clusters: 128 },
      ],
    });
    const found = decidedIn(lab.store.getState());
    expect(found).toEqual({ claims: 4, decided: 2, nextAt: 300, prompts: 128 });
  });
});

describe('a run', () => {
  it('drops events of an earlier run', async () => {
    const { engine, lab, state } = await running();
    await lab.start();
    engine.progress(1, { sequences: 400 });
    engine.emit({ type: 'failed', run: 1, message: 'late', canResume: false });
    expect(state().run).toMatchObject({ id: 2, failure: null, progress: { sequences: 0 } });
  });

  it('stops the one before when another starts', async () => {
    const { engine, lab } = await running();
    await lab.start();
    expect(engine.orders.slice(-2)).toEqual(['stop 1', 'start 2']);
  });

  it('does not start from settings that cannot be', async () => {
    const { engine, lab } = await running();
    lab.edit((draft) => ({ ...draft, policies: { ...draft.policies, prompts: 'many' } }));
    expect(await lab.start()).toBeNull();
    expect(engine.orders).not.toContain('start 2');
  });

  it('passes orders on at once: the engine keeps those that come before the run is ready', async () => {
    const { engine, lab } = await running();
    engine.progress(1, { phase: 'stopped' });
    await lab.step();
    lab.stop();
    expect(engine.orders.slice(-3)).toEqual(['start 2', 'step 2', 'stop 2']);
  });

  it('opens another backend before it runs there', async () => {
    const { engine, lab } = await running();
    lab.edit((draft) => ({ ...draft, backend: 'wasm' }));
    await lab.start();
    expect(engine.orders.slice(2)).toEqual(['open wasm', 'stop 1', 'start 2']);
  });

  it('that fails keeps what it has, and resuming clears the failure', async () => {
    const { engine, lab, state } = await running();
    engine.emit({ type: 'failed', run: 1, message: 'The GPU went away.', canResume: true });
    expect(state().run).toMatchObject({
      failure: { message: 'The GPU went away.', canResume: true },
      progress: { sequences: 32 },
    });
    lab.resume();
    expect(state().run?.failure).toBeNull();
    expect(engine.orders.at(-1)).toBe('resume 1');
  });
});

describe('an experiment in view', () => {
  it('has one request under way, and one more for all batches that came meanwhile', async () => {
    const { engine, lab, state } = await running();
    lab.watch('equivalence', { bins: 24 });
    for (const sequences of [64, 96, 128]) engine.emit({ type: 'batch', run: 1, sequences });
    expect(engine.asks()).toHaveLength(1);
    const first = { sequences: 32 };
    engine.asked[0]?.resolve(first);
    await settle();
    expect(state().measurements.equivalence?.result).toBe(first);
    expect(engine.asks()).toHaveLength(2);
    engine.asked[1]?.resolve({ sequences: 128 });
    await settle();
    expect(engine.asks()).toHaveLength(2);
  });

  it('leaves a live run two thirds of the worker, and is asked at once when the run is paused', async () => {
    vi.useFakeTimers();
    try {
      const { engine, lab } = await running();
      lab.watch('equivalence', { bins: 24 });
      await vi.advanceTimersByTimeAsync(1000);
      engine.asked[0]?.resolve({ claims: [] });
      await vi.advanceTimersByTimeAsync(0);
      engine.emit({ type: 'batch', run: 1, sequences: 64 });
      engine.emit({ type: 'batch', run: 1, sequences: 96 });
      await vi.advanceTimersByTimeAsync(1990);
      expect(engine.asks()).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(20);
      expect(engine.asks()).toHaveLength(2);

      await vi.advanceTimersByTimeAsync(1000);
      engine.asked[1]?.resolve({ claims: [] });
      await vi.advanceTimersByTimeAsync(0);
      engine.emit({ type: 'batch', run: 1, sequences: 512 });
      expect(engine.asks()).toHaveLength(2);
      engine.progress(1, { phase: 'finished', sequences: 512 });
      expect(engine.asks()).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is drawn anew where a live run has grown by half, else every second and a half', async () => {
    vi.useFakeTimers();
    try {
      const { engine, lab } = await running();
      lab.watch('equivalence', { bins: 24 });
      const grows = (sequences: number) => engine.emit({ type: 'batch', run: 1, sequences });
      const answer = async () => {
        engine.asked.at(-1)?.resolve({ claims: [] });
        await vi.advanceTimersByTimeAsync(0);
      };
      await answer();
      grows(48);
      expect(engine.asks()).toHaveLength(2);
      await answer();
      grows(64);
      await vi.advanceTimersByTimeAsync(1490);
      expect(engine.asks()).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(20);
      expect(engine.asks()).toHaveLength(3);
      await answer();
      grows(80);
      grows(96);
      expect(engine.asks()).toHaveLength(4);
    } finally {
      vi.useRealTimers();
    }
  });

  it('drops an answer about an earlier run', async () => {
    const { engine, lab, state } = await running();
    lab.watch('equivalence', { bins: 24 });
    await lab.start();
    engine.asked[0]?.resolve({ sequences: 32 });
    await settle();
    expect(state().measurements.equivalence).toBeUndefined();
  });

  it('is asked no more once it is out of view', async () => {
    const { engine, lab } = await running();
    const leave = lab.watch('equivalence', { bins: 24 });
    engine.asked[0]?.resolve({});
    await settle();
    leave();
    engine.emit({ type: 'batch', run: 1, sequences: 64 });
    expect(engine.asks()).toHaveLength(1);
  });

  it('says why it has no answer, until it has one', async () => {
    const { engine, lab, state } = await running();
    lab.watch('equivalence', { bins: 24 });
    engine.asked[0]?.reject(new Error('Log-probs must be finite.'));
    await settle();
    expect(state().refusals.equivalence).toBe('Log-probs must be finite.');
    engine.emit({ type: 'batch', run: 1, sequences: 64 });
    engine.asked[1]?.resolve({});
    await settle();
    expect(state().refusals.equivalence).toBeUndefined();
  });
});

describe("a person's own files", () => {
  const progress: RunProgress = { ...QUEUED, phase: 'finished', sequences: 4, totalSequences: 4 };
  const read: ImportOutcome = { status: 'read', report, progress, settings: null };

  it('become the run once they are read, and are measured without another word', async () => {
    const { engine, lab, state } = await running();
    lab.watch('equivalence', { bins: 10 });
    await settle();
    void lab.importFiles([], DEFAULT_IMPORT);
    engine.progress(2, { phase: 'loading', loaded: { bytes: 5, total: 10, what: 'x' } });
    expect(state().run?.id).toBe(1);
    expect(state().reading?.progress.loaded?.bytes).toBe(5);
    engine.imports[0]?.resolve(read);
    engine.asked[0]?.resolve({});
    await settle();
    expect(state()).toMatchObject({ reading: null, run: { id: 2, imported: { report } } });
    expect(engine.asks()).toEqual(['equivalence 1', 'equivalence 2']);
  });

  it('that cannot be read are explained and leave the run alone', async () => {
    const { engine, lab, state } = await running();
    void lab.importFiles([], DEFAULT_IMPORT);
    engine.imports[0]?.resolve({
      status: 'unreadable',
      message: 'line 3',
      problem: null,
      judged: null,
    });
    await settle();
    expect(state().reading?.failure?.message).toBe('line 3');
    expect(state().run?.id).toBe(1);
    lab.cancelImport();
    expect(state().reading).toBeNull();
    expect(engine.orders).not.toContain('stop 2');
  });

  it('can be called off; a late answer changes nothing', async () => {
    const { engine, lab, state } = await running();
    void lab.importFiles([], DEFAULT_IMPORT);
    lab.cancelImport();
    expect(engine.orders).toContain('stop 2');
    engine.imports[0]?.resolve(read);
    await settle();
    expect(state().run?.id).toBe(1);
  });

  it('survive an engine that dies meanwhile: the reading says so', async () => {
    const { engine, lab, state } = await running();
    void lab.importFiles([], DEFAULT_IMPORT);
    engine.imports[0]?.reject(new Error('The worker stopped.'));
    await settle();
    expect(state().reading?.failure?.message).toBe('The worker stopped.');
  });
});

describe('models of other people', () => {
  const REF = 'hub:a/b@0123456789abcdef0123456789abcdef01234567';
  const settings: RunSettings = {
    backend: 'auto',
    source: { ...DEFAULT_MODELS, old: REF, new: REF },
  };
  const listed: ListedModel = {
    repository: {
      ref: REF,
      revision: null,
      files: [],
      graphs: [
        { dtype: 'fp16', file: 'onnx/model_fp16.onnx', external: [], bytes: 2 },
        { dtype: 'q8', file: 'onnx/model_quantized.onnx', external: [], bytes: 1 },
      ],
      licence: null,
      card: null,
    },
    here: {},
    notes: [],
  };

  it('a start fetches nothing: models that are not here are asked for, and nothing runs', async () => {
    const engine = new Scripted();
    const lab = new Lab(engine, settings);
    await lab.open(true);
    expect(engine.orders.filter((order) => /get|look|start|check/.test(order))).toEqual([]);
    expect(lab.store.getState()).toMatchObject({ wanted: true, run: null });
  });

  it('loaded by a press, they are checked, and the run starts', async () => {
    const engine = new Scripted();
    engine.listing = listed;
    const lab = new Lab(engine, settings);
    await lab.open(true);
    await lab.models.get(REF, 'fp32');
    expect(await lab.start()).toBeNull();
    await lab.models.get(REF, 'q4');
    expect(await lab.start()).not.toBeNull();
    expect(engine.orders.filter((order) => /^(get|check)/.test(order))).toEqual([
      `get ${REF} fp32`,
      `check ${REF} fp32`,
      `get ${REF} q4`,
      `check ${REF} q4`,
    ]);
    expect(lab.store.getState().wanted).toBe(false);
  });

  it('a start while a model is still checked waits for that', async () => {
    const engine = new Scripted();
    engine.keptDtypes[REF] = ['fp32', 'q4'];
    let ready = () => {};
    engine.opensModel = () => new Promise((resolve) => (ready = () => resolve(MODEL_REPORT)));
    const lab = new Lab(engine, settings);
    await lab.open(false);
    const checked = lab.models.check(REF, 'fp32');
    const started = lab.start();
    // It has got as far as the model that is being checked.
    await new Promise((resolve) => setTimeout(resolve));
    ready();
    expect(await checked).toBe(true);
    await vi.waitFor(() => expect(engine.orders).toContain(`check ${REF} q4`));
    ready();
    expect(await started).not.toBeNull();
    expect(engine.orders.filter((order) => order.startsWith('check'))).toHaveLength(2);
  });

  it('a model that fails its check keeps the run that is in view', async () => {
    const engine = new Scripted();
    engine.keptDtypes[REF] = ['fp32', 'q4'];
    engine.opensModel = () => Promise.reject(new Error('It has no logits.'));
    const lab = new Lab(engine);
    await lab.open(true);
    const { run } = lab.store.getState();
    lab.edit((draft) => draftOf(settings, draft));
    expect(await lab.start()).toBeNull();
    const { run: now, models } = lab.store.getState();
    expect(now).toBe(run);
    expect(Object.values(models.jobs)).toEqual([
      { status: 'refused', message: 'It has no logits.', changed: false },
    ]);
  });

  it('files of a link are named to whoever fetches; another file that is here is refused until it is accepted', async () => {
    const engine = new Scripted();
    const sha256 = {
      'onnx/model.onnx': `0000000b${'0'.repeat(56)}`,
      'config.json': 'c'.repeat(64),
      'tokenizer.json': 'd'.repeat(64),
    };
    engine.listing = {
      ...listed,
      repository: {
        ...listed.repository,
        graphs: [{ dtype: 'fp32', file: 'onnx/model.onnx', external: [], bytes: 2 }],
      },
    };
    engine.opensModel = () =>
      Promise.resolve({ ...MODEL_REPORT, graph: 'onnx/model.onnx', sha256 });
    const lab = new Lab(engine, settings);
    lab.repeat({
      settings,
      sequences: 9,
      files: { onnx: 10, old: 10, new: 10, config: 0xcccccccc, tokenizer: null },
    });
    await lab.models.look('old', 'a/b');
    await lab.models.get(REF, 'fp32');
    expect(engine.expected).toEqual({ 'onnx/model.onnx': '0000000a', 'config.json': 'cccccccc' });
    const key = `fp32 ${REF}`;
    expect(lab.store.getState().models.jobs[key]).toMatchObject({
      status: 'refused',
      changed: true,
      message: expect.stringMatching(
        /onnx\/model\.onnx of a\/b .* 0000000b…, in the link 0000000a/,
      ),
    });
    expect(lab.store.getState().models.reports[key]).toBeUndefined();
    expect(await lab.models.get(REF, 'fp32', true)).toBe(true);
    expect(lab.store.getState().models.reports[key]).toBeDefined();
  });

  it('one look chooses both places, in arithmetics that are there; a refusal changes nothing', async () => {
    const engine = new Scripted();
    const lab = new Lab(engine);
    await lab.models.look('old', 'a/b');
    expect(lab.store.getState().models.looking.old).toMatchObject({ status: 'refused' });
    expect(lab.store.getState().draft.kind).toBe('policies');
    engine.listing = listed;
    await lab.models.look('old', 'a/b');
    const { draft } = lab.store.getState();
    expect(draft.kind).toBe('models');
    expect(draft.models).toMatchObject({ old: REF, oldDtype: 'fp16', new: REF, newDtype: 'q8' });
  });

  it('a checkpoint dropped beside a model makes a pair with it, in the arithmetic that it can stand in', async () => {
    const engine = new Scripted();
    const lab = new Lab(engine);
    const file = { path: 'step-7.safetensors', blob: new Blob(['x']) };
    await lab.models.openCheckpoint('new', file);
    expect(lab.store.getState().models.looking.new).toMatchObject({
      status: 'refused',
      message: expect.stringContaining('look at a model first'),
    });
    engine.listing = listed;
    await lab.models.look('old', 'a/b');
    await lab.models.openCheckpoint('new', file);
    expect(lab.store.getState().draft.models).toMatchObject({
      old: REF,
      oldDtype: 'fp16',
      new: `${REF}#yours/step-7.safetensors`,
      newDtype: 'fp16',
    });
  });
});
