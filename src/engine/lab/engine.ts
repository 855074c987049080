/**
 * The engine behind the protocol: takes requests, keeps the backend, the policies and the current run.
 *
 * Contract: no DOM and no worker globals; `worker.ts` gives it a wire in the browser, scripts call it
 * in Node. One run at a time; starting another stops the one before. A lost GPU is reported as a
 * failed run that can be resumed: the next batch rebuilds the device, the session and the weights.
 */
import { peeking } from '../../math/stats/peeking';
import { runExperiment } from '../../experiments/registry';
import type { BackendChoice, ModelsSource, RunSettings } from '../../settings/run';
import { parseRunSettings, plannedPrompts, runSize } from '../../settings/run';
import { findPolicy, type FileSource } from '../../policy/fetch';
import type { ModelStore } from '../../policy/foreign/repository';
import type { OrtAssets } from '../../policy/runtime';
import { modelsSource } from '../../rollouts/models';
import { batchesOf, inTurn, policiesSource, type BatchCut } from '../../rollouts/policies';
import {
  type Rollouts,
  type RolloutSource,
  type SourceHooks,
  firstResponses,
  sequenceCount,
} from '../../rollouts/rollouts';
import { syntheticSource } from '../../rollouts/synthetic';
import type { KeptRun } from '../../store/kept-run';
import type { RunStore } from '../../store/run-store';
import { checkDevice, type CheckProgress } from '../device-check';
import type { StudyProgress } from '../route-figures';
import { openBackend, type Backend, type BackendParts } from '../backend';
import { writeFile } from './export';
import { FILE_SEED, FileSource as RolloutFiles } from './file-source';
import { policyFiles, runFingerprint } from './fingerprint';
import { findSequences, sequenceDetail } from './inspect';
import { aboutRun, cannotGoOn, noSource, type RunFacts } from './kept-run';
import type { Autosave } from './autosave';
import { ForeignModels, type ModelPair } from './models';
import { Policies, type LoadHooks } from './policies';
import type { PolicyHost } from '../../policy/host';
import type {
  BackendInfo,
  Asked,
  Event,
  ExperimentId,
  ExperimentMap,
  ImportOutcome,
  KeptId,
  KeptListRequest,
  LabCalls,
  Reopened,
  Request,
  RunFingerprint,
  RunId,
  RunProgress,
  Subject,
} from './protocol';
import { Answers } from '../rpc/channel';
import { Run, type RunEvents } from './run';
import { GivenVerdicts } from './given-verdicts';
import { KeptRunStore } from './kept-runs';
import { SamplerPool, type SamplerPoolOptions } from '../sampler/pool';
import { factsOf, policyHashes, stampOf } from '../stamp';
import { message } from '../../message';

export interface EngineOptions {
  assets: OrtAssets;
  /** reads below `models/` */
  files: FileSource;
  emit(event: Event): void;
  /** where models of other people's come from; left out: nowhere */
  models?: ModelStore;
  /** version of the app, for stamps */
  app?: string;
  /** where runs are kept; left out: nowhere */
  store?: () => Promise<RunStore>;
  /** how a GPU is opened and checked; left out: the browser's */
  backend?: BackendParts;
  /** threads that sample on WebAssembly beside the engine's; left out: none */
  samplers?: Omit<SamplerPoolOptions, 'files'>;
}

/** The run that answers requests. */
interface Current {
  id: RunId;
  run: Run;
  seed: number;
  facts: RunFacts;
  /** where it is kept; null: nowhere */
  kept: KeptId | null;
  /** what was decided while it grew */
  verdicts: GivenVerdicts;
}

/** Prompts that the run will have; files have those that they have. */
function plannedOf(current: Current | undefined): number | undefined {
  const settings = current?.facts.settings;
  return settings ? plannedPrompts(settings.source) : undefined;
}

const NOTHING_YET = {
  phase: 'loading',
  sequences: 0,
  tokens: 0,
  seconds: 0,
  tokensPerSecond: null,
  etaSeconds: null,
} as const;

/**
 * Batches are small enough for a live page, on a GPU what it was found to do best with. There a part of one takes as
 * long as the whole.
 */
const cutOn = ({ policy, rows = 32 }: BackendInfo): BatchCut => ({
  sequencesPerBatch: rows,
  smallFirst: policy === 'wasm',
});

/** How a kept run was cut: earlier versions of the lab had no small batches. */
function cutOfKept({ settings, sequencesPerBatch, batches }: KeptRun): BatchCut {
  const cut = { sequencesPerBatch, smallFirst: true };
  const { source } = settings ?? {};
  if (source?.kind !== 'policies') return { sequencesPerBatch };
  return batchesOf(source, cut).batches === batches ? cut : { sequencesPerBatch };
}

/** Where a pair of foreign models runs: not on a GPU that fails its check with one of them. */
function infoWith(info: BackendInfo, { old, theta }: ModelPair): BackendInfo {
  const { provider, refusedGpu } = old.report;
  if (provider === info.policy) return info;
  const reason = refusedGpu ?? theta.report.refusedGpu ?? '';
  return { ...info, policy: provider, kernels: 'cpu', reason };
}

type Command = Asked<'pause' | 'rest' | 'resume' | 'step' | 'stop'>;

async function obey(run: Run, command: Command['type']): Promise<void> {
  switch (command) {
    case 'pause':
      return run.pause();
    case 'rest':
      return run.rest();
    case 'resume':
      return run.start();
    case 'step':
      return run.step();
    case 'stop':
      return run.stop();
    default:
      return command satisfies never;
  }
}

export class Engine {
  private backend: { choice: BackendChoice; opened: Promise<Backend> } | undefined;
  private current: Current | undefined;
  /** files on their way in; they become `current` once they are read */
  private importing: { id: RunId; run: Run } | undefined;
  /** starting is asynchronous; a newer start makes an older one void */
  private latestRun: RunId = -1;
  /** a command that came before its run was ready */
  private early: Command | undefined;
  /** aborted where the run that is being prepared is stopped or replaced */
  private preparing = new AbortController();

  private readonly kept: KeptRunStore;
  private readonly answers: Answers<LabCalls>;
  private readonly policies: Policies;
  private readonly models: ForeignModels;
  private readonly pool: SamplerPool | undefined;

  constructor(private readonly options: EngineOptions) {
    this.policies = new Policies(options.files);
    this.models = new ForeignModels(options.models, options.assets, options.emit);
    const { samplers } = options;
    if (samplers && samplers.most > 1) {
      this.pool = new SamplerPool({ ...samplers, files: this.policies.source });
    }
    this.kept = new KeptRunStore(options.store);
    this.answers = new Answers(options.emit);
  }

  async handle(request: Request): Promise<void> {
    const { answers } = this;
    switch (request.type) {
      case 'cancel':
        return answers.cancel(request.requestId);
      case 'open':
        return answers.give(request, async () => {
          const backend = await this.open(request.backend);
          return { backend: backend.info, policies: await this.policies.list() };
        });
      case 'series':
        return answers.give(request, async () => ({
          claims: await this.policies.seriesClaims(request.policy),
        }));
      case 'peeking':
        return answers.give(request, () => peeking(request.set));
      case 'adopt':
        return answers.give(request, () =>
          this.policies.adopt(request.policy, request.name, request.file),
        );
      case 'start':
        return this.start(request);
      case 'pause':
      case 'rest':
      case 'resume':
      case 'step':
      case 'stop':
        return this.command(request);
      case 'import':
        return answers.give(request, () => this.import(request));
      case 'experiment':
        return answers.give(request, (signal) => this.experiment(request, signal));
      case 'fingerprint':
        return answers.give(request, () => this.fingerprint(request));
      case 'sequences':
        return answers.give(request, () =>
          findSequences(this.require(request.run).run.rollouts(), request.query),
        );
      case 'sequence':
        return answers.give(request, () =>
          sequenceDetail(this.require(request.run).run.rollouts(), request.index),
        );
      case 'reopen':
        return answers.give(request, () => this.reopen(request.run, request.kept));
      case 'export':
        return answers.give(request, () => this.export(request));
      case 'check-device':
        return answers.give(request, (signal) => {
          const { assets, files, emit } = this.options;
          const tell = (progress: CheckProgress) => emit({ type: 'device-progress', progress });
          return checkDevice({ assets, files, tell, signal });
        });
      case 'study-routes':
        return answers.give(request, async (signal) => {
          const { assets, files, emit } = this.options;
          const { source, backend } = request;
          // Few visits ask for it.
          const { studyRoutes } = await import('../route-study');
          const tell = (progress: StudyProgress) => emit({ type: 'study-progress', progress });
          return studyRoutes({ source, backend, assets, files, tell, signal });
        });
      case 'model-list':
      case 'model-folder':
      case 'model-checkpoint':
      case 'model-get':
      case 'model-open':
      case 'models-kept':
      case 'model-forget':
        return answers.give(request, (signal) =>
          this.models.answer(request, (choice) => this.open(choice), signal),
        );
      case 'kept-runs':
      case 'keep':
      case 'rename':
      case 'remove':
      case 'restore':
      case 'purge':
        return answers.give(request, async () => {
          await this.arrange(request);
          return this.kept.list();
        });
      default:
        return request satisfies never;
    }
  }

  async dispose(): Promise<void> {
    await this.importing?.run.stop();
    await this.leave();
    await this.closeBackend();
    this.pool?.close();
  }

  private async command(request: Command): Promise<void> {
    const run = this.find(request.run);
    if (run) return obey(run, request.type);
    // The run is still being prepared; its last command is obeyed as soon as it exists.
    if (request.run !== this.latestRun) return;
    this.early = request;
    if (request.type === 'stop') this.preparing.abort();
  }

  private async experiment(
    { run, experiment, settings }: Asked<'experiment'>,
    signal: AbortSignal,
  ): Promise<ExperimentMap[ExperimentId]['result']> {
    const { rollouts, seed } = await this.subject(run);
    const { kernels } = await this.open(this.backend?.choice ?? 'auto');
    const current = this.current?.id === run ? this.current : undefined;
    const context = { kernels, seed, signal, planned: plannedOf(current) };
    const result = await runExperiment(experiment, rollouts, settings, context);
    current?.verdicts.keep(experiment, settings, result);
    return result;
  }

  private async fingerprint({
    run: id,
    experiment,
    first,
  }: Asked<'fingerprint'>): Promise<RunFingerprint> {
    const { run, seed, facts } = this.require(id);
    const { settings } = facts;
    if (settings === null) throw new Error('A link cannot bring back data from your own files.');
    const { kernels } = await this.open(this.backend?.choice ?? 'auto');
    const { source } = settings;
    const files =
      source.kind === 'models'
        ? await this.models.files(source)
        : policyFiles(settings, await this.policies.list());
    const planned = plannedPrompts(source);
    const context = { kernels, seed, planned };
    const all = run.rollouts();
    const rollouts = first === undefined ? all : firstResponses(all, first);
    return runFingerprint(rollouts, files, experiment, context);
  }

  /** The backend for a choice; another choice than before closes what was open. */
  private async open(choice: BackendChoice): Promise<Backend> {
    if (this.backend?.choice !== choice) {
      await this.closeBackend();
      const opened = openBackend(choice, this.options.assets, this.options.backend);
      this.backend = { choice, opened };
      opened.then(
        (backend) => void backend.lost.then((why) => this.onLost(opened, why)),
        () => (this.backend = undefined),
      );
    }
    return (this.backend as { opened: Promise<Backend> }).opened;
  }

  /** The policy on the backend to use for it: a GPU is checked with it first, and left where it fails. */
  private async onProven(
    run: RunId,
    { backend: choice, source: { policy } }: RunSettings & { source: { policy: string } },
    hooks: LoadHooks,
  ): Promise<{ backend: Backend; host: PolicyHost }> {
    const backend = await this.open(choice);
    const host = await this.policies.open(backend, policy, hooks);
    const before = backend.info;
    const chosen = await backend.prove(host, hooks);
    if (chosen.info !== before) {
      this.options.emit({ type: 'backend', run, backend: chosen.info });
    }
    if (chosen === backend) return { backend, host };
    await this.closeBackend();
    this.backend = { choice, opened: Promise.resolve(chosen) };
    return { backend: chosen, host: await this.policies.open(chosen, policy, hooks) };
  }

  private onLost(opened: Promise<Backend>, why: string): void {
    if (this.backend?.opened !== opened) return;
    this.backend = undefined;
    this.policies.forget();
    this.models.forget();
    void opened.then((backend) => backend.dispose());
    const { current } = this;
    if (!current) return;
    current.run.pause();
    this.options.emit({
      type: 'failed',
      run: current.id,
      message: `The GPU failed: ${why} Everything computed so far is kept.`,
      canResume: true,
    });
  }

  private async closeBackend(): Promise<void> {
    const { backend } = this;
    this.backend = undefined;
    await this.policies.close();
    await this.models.close();
    await backend?.opened.then((open) => open.dispose()).catch(() => undefined);
  }

  private async start({ run: id, settings: input, keep, enough }: Asked<'start'>): Promise<void> {
    this.latestRun = id;
    try {
      const settings = parseRunSettings(input);
      if (settings.source.kind === 'policies') void this.beginSamplers(settings.backend);
      await this.leave();
      const { info } = await this.prepare(id, settings);
      const policies = await this.hashesOf(settings);
      const facts: RunFacts = { settings, files: [], policies, backend: factsOf(info) };
      if (this.latestRun !== id) return;
      const cut =
        settings.source.kind === 'models'
          ? { sequencesPerBatch: await this.models.sequencesPerBatch(settings.source) }
          : cutOn(info);
      const source = this.source(id, settings, cut);
      const { batches, totalSequences } = source;
      const about = aboutRun(this.options.app ?? '', facts, { batches, totalSequences, ...cut });
      const autosave = keep
        ? await this.kept.autosave(about, (keeping) => {
            this.options.emit({ type: 'keeping', run: id, keeping });
          })
        : null;
      // Another run, or a file, has come while the storage was opened.
      if (this.latestRun !== id) {
        if (autosave) await this.kept.release(autosave.id);
        return;
      }
      const run = new Run(source, this.eventsOf(id, autosave), undefined, enough);
      this.current = {
        id,
        run,
        seed: settings.source.seed,
        facts,
        kept: autosave?.id ?? null,
        verdicts: new GivenVerdicts(),
      };
      const early = this.early?.run === id ? this.early : undefined;
      this.early = undefined;
      await obey(run, early?.type ?? 'resume');
    } catch (error) {
      this.options.emit({ type: 'failed', run: id, message: message(error), canResume: false });
    }
  }

  /** Threads load onnxruntime while the engine still looks up what they will need. */
  private async beginSamplers(choice: BackendChoice): Promise<void> {
    // A backend that cannot be opened is told by who needs it.
    const { info } = await this.open(choice).catch(() => ({ info: null }));
    if (info?.policy === 'wasm') this.pool?.begin();
  }

  /** The backend of a run, checked where it is a GPU: how many responses it samples at a time is known then. */
  private async prepare(run: RunId, settings: RunSettings): Promise<Pick<Backend, 'info'>> {
    this.preparing.abort();
    this.preparing = new AbortController();
    const { signal } = this.preparing;
    const backend = await this.open(settings.backend);
    const { source } = settings;
    const known = source.kind === 'policies' && backend.info.policy === 'wasm';
    if (known || source.kind === 'synthetic') return backend;
    const onLoad: SourceHooks['onLoad'] = (loaded) => {
      const progress = {
        ...NOTHING_YET,
        totalSequences: runSize(settings).responses,
        loaded,
      };
      this.options.emit({ type: 'progress', run, progress });
    };
    try {
      if (source.kind === 'models') {
        const pair = await this.modelPair(run, settings.backend, source, { onLoad, signal });
        return { info: infoWith(backend.info, pair) };
      }
      const proven = await this.onProven(run, { ...settings, source }, { onLoad, signal });
      return proven.backend;
    } catch (error) {
      // Stopped: the run is made and obeys.
      if (signal.aborted) return backend;
      throw error;
    }
  }

  /** The models of a run, and where they turn out to work. */
  private async modelPair(
    run: RunId,
    choice: BackendChoice,
    source: ModelsSource,
    hooks: LoadHooks,
  ): Promise<ModelPair> {
    const backend = await this.open(choice);
    const pair = await this.models.pair(backend, source, {
      ...hooks,
      insist: choice === 'webgpu',
    });
    const info = infoWith(backend.info, pair);
    if (info !== backend.info) this.options.emit({ type: 'backend', run, backend: info });
    return pair;
  }

  private async hashesOf(settings: RunSettings): Promise<RunFacts['policies']> {
    const { source } = settings;
    return source.kind === 'models'
      ? this.models.hashes(source)
      : policyHashes(settings, await this.policies.known());
  }

  /** A kept run becomes the present one: paused, or finished where nothing is left to do. */
  private async reopen(id: RunId, kept: KeptId): Promise<Reopened> {
    this.latestRun = id;
    await this.leave();
    const { run: about, rollouts } = await this.kept.read(kept);
    const { settings } = about;
    const cannotResume =
      settings?.source.kind === 'models' && about.keptBatches < about.batches
        ? await this.models.missing(settings.source)
        : cannotGoOn(about, await this.policies.known());
    const source =
      settings !== null && cannotResume === null
        ? this.source(id, settings, cutOfKept(about), about.policies)
        : { batches: about.keptBatches, totalSequences: about.totalSequences, batch: noSource };
    const whole = about.keptBatches >= source.batches;
    const autosave = whole
      ? null
      : await this.kept.autosave(about, (keeping) => {
          this.options.emit({ type: 'keeping', run: id, keeping });
        });
    const begun = { rollouts, batches: about.keptBatches, seconds: about.seconds };
    const run = new Run(source, this.eventsOf(id, autosave), begun);
    const seed = settings?.source.seed ?? FILE_SEED;
    const { files, policies, backend } = about;
    this.current = {
      id,
      run,
      seed,
      facts: { settings, files, policies, backend },
      kept,
      verdicts: new GivenVerdicts(),
    };
    run.pause();
    return { kept: about, progress: run.progress(), cannotResume };
  }

  private eventsOf(id: RunId, autosave: Autosave | null): RunEvents {
    return {
      progress: (progress) => {
        this.options.emit({ type: 'progress', run: id, progress });
        autosave?.progress(progress);
      },
      finished: (batch) => autosave?.append(batch),
      batch: (sequences) => this.options.emit({ type: 'batch', run: id, sequences }),
      failed: (message) => this.options.emit({ type: 'failed', run: id, message, canResume: true }),
    };
  }

  /** Ends the present run; what it came to is kept. */
  private async leave(): Promise<void> {
    const { current } = this;
    await current?.run.stop();
    if (current?.kept) await this.kept.release(current.kept);
  }

  private async arrange(request: KeptListRequest): Promise<void> {
    switch (request.type) {
      case 'kept-runs':
        return;
      case 'keep': {
        const current = this.require(request.run);
        const rollouts = current.run.rollouts();
        const n = sequenceCount(rollouts);
        const cut = { batches: 1, totalSequences: n, sequencesPerBatch: n };
        const about = aboutRun(this.options.app ?? '', current.facts, cut);
        const { tokens, seconds } = current.run.progress();
        const { name } = request;
        const whole = { state: 'finished', keptBatches: 1, sequences: n, tokens, seconds } as const;
        await this.kept.save({ ...about, ...whole, name }, rollouts);
        current.kept = about.id;
        const keeping = { status: 'kept', id: about.id, sequences: n } as const;
        this.options.emit({ type: 'keeping', run: request.run, keeping });
        return;
      }
      case 'rename':
        return this.kept.rename(request.kept, request.name);
      case 'remove':
        return this.kept.remove(request.kept);
      case 'restore':
        return this.kept.restore(request.kept);
      case 'purge':
        return this.kept.purge();
      default:
        return request satisfies never;
    }
  }

  private async export({ run, kind, link }: Asked<'export'>): Promise<LabCalls['export']['reply']> {
    const { rollouts, facts, name, totalSequences } = await this.subject(run);
    const stamp = stampOf({ ...facts, app: this.options.app ?? '', link });
    return writeFile(kind, rollouts, { name, stamp, totalSequences });
  }

  /** The data of a run in the engine, or of one that is kept. */
  private async subject(of: Subject): Promise<{
    rollouts: Rollouts;
    seed: number;
    facts: RunFacts;
    name: string | null;
    totalSequences: number;
  }> {
    if (typeof of === 'number') {
      const { run, seed, facts } = this.require(of);
      const { totalSequences } = run.progress();
      return { rollouts: run.rollouts(), seed, facts, name: null, totalSequences };
    }
    const { run, rollouts } = await this.kept.read(of);
    const { settings, name, totalSequences } = run;
    return { rollouts, seed: settings?.source.seed ?? FILE_SEED, facts: run, name, totalSequences };
  }

  private async import({ run: id, files, options }: Asked<'import'>): Promise<ImportOutcome> {
    await this.importing?.run.stop();
    const source = new RolloutFiles(files, options);
    const end = await new Promise<{ progress: RunProgress } | { message: string }>((resolve) => {
      const run = new Run(source, {
        progress: (progress) => {
          this.options.emit({ type: 'progress', run: id, progress });
          if (progress.phase === 'finished' || progress.phase === 'stopped') resolve({ progress });
        },
        batch: (sequences) => this.options.emit({ type: 'batch', run: id, sequences }),
        failed: (message) => resolve({ message }),
      });
      this.importing = { id, run };
      run.start();
    });
    const run = this.find(id);
    if (this.importing?.run === run) this.importing = undefined;
    if ('message' in end) {
      const { problem, judged } = source;
      return { status: 'unreadable', message: end.message, problem, judged };
    }
    // A run that was started meanwhile is what the person wants to see.
    if (end.progress.phase === 'stopped' || !run || !source.report || this.latestRun > id) {
      return { status: 'cancelled' };
    }
    this.latestRun = id;
    await this.leave();
    const { seed, facts } = source.origin();
    this.current = { id, run, seed, facts, kept: null, verdicts: new GivenVerdicts() };
    const { report } = source;
    return { status: 'read', report, progress: end.progress, settings: facts.settings };
  }

  /** @param files of a run that goes on: it is sampled from these alone */
  private source(
    id: RunId,
    settings: RunSettings,
    cut: BatchCut,
    files?: RunFacts['policies'],
  ): RolloutSource {
    const { source } = settings;
    if (source.kind === 'synthetic') return syntheticSource(source);
    if (source.kind === 'models') {
      const open = async (hooks: SourceHooks) => {
        const pair = await this.modelPair(id, settings.backend, source, hooks);
        const now = new Map((await this.models.hashes(source)).map((f) => [f.name, f.sha256]));
        const other = files?.find(({ name, sha256 }) => now.get(name) !== sha256);
        if (other === undefined) return pair;
        throw new Error(
          `The run cannot go on: ${other.name} is another file than the one that it was sampled from.`,
        );
      };
      return modelsSource(source, { ...cut, open });
    }
    const local = inTurn(
      policiesSource(source, {
        cut,
        open: async (hooks) => {
          const { backend, host } = await this.onProven(id, { ...settings, source }, hooks);
          return { host, kernels: backend.kernels };
        },
      }),
    );
    if (this.pool === undefined) return local;
    const manifest = async () => {
      const { info } = await this.open(settings.backend);
      return info.policy === 'wasm' ? findPolicy(await this.policies.list(), source.policy) : null;
    };
    return this.pool.source({ source, cut, manifest, local });
  }

  private find(id: RunId): Run | undefined {
    return [this.current, this.importing].find((known) => known?.id === id)?.run;
  }

  private require(id: RunId): Current {
    if (this.current?.id !== id) throw new Error('That run is over; its data have been replaced.');
    if (sequenceCount(this.current.run.rollouts()) === 0)
      throw new Error('The run has no data yet.');
    return this.current;
  }
}
