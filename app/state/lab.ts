/**
 * The page's one store and what a person can do to it. Contract: the engine is reached only through
 * the client handed in; events of a run that is no longer ours are dropped; at most one request per
 * experiment is under way, and a batch that arrives meanwhile leads to exactly one more.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { EngineClient } from '../../src/engine/client';
import type {
  BackendInfo,
  Event,
  ExperimentId,
  ExperimentMap,
  ImportFile,
  ImportOptions,
  ImportOutcome,
  RunId,
  RunProgress,
} from '../../src/engine/protocol';
import { DEFAULT_SETTINGS, DEFAULT_SYNTHETIC, type RunSettings } from '../../src/link/settings';
import type { PolicyManifest } from '../../src/policy/manifest';
import { draftOf, readDraft, type Draft } from '../setup/draft';
import type { Imported, Reading } from './imports';

/** What the page needs of the engine; tests hand in another one. */
export type Engine = Pick<
  EngineClient,
  | 'open'
  | 'start'
  | 'pause'
  | 'resume'
  | 'step'
  | 'stop'
  | 'importFiles'
  | 'experiment'
  | 'sequences'
  | 'sequence'
  | 'subscribe'
>;

export interface Failure {
  message: string;
  canResume: boolean;
}

export interface Run {
  id: RunId;
  /** null: the data came from files */
  settings: RunSettings | null;
  imported: Imported | null;
  progress: RunProgress;
  failure: Failure | null;
}

export type Opening =
  | { status: 'opening' }
  | { status: 'open'; backend: BackendInfo; policies: PolicyManifest[] }
  | { status: 'failed'; message: string };

/** An experiment's latest answer, and the run that it is about. */
export interface Measurement<K extends ExperimentId> {
  run: RunId;
  result: ExperimentMap[K]['result'];
}

/** Which sequences the inspector lists: those with s in [low, high). */
export interface Inspection {
  run: RunId;
  low: number;
  high: number;
  title: string;
  /** shown at once when a single point was clicked; null: the list */
  sequence: number | null;
}

export interface LabState {
  opening: Opening;
  draft: Draft;
  run: Run | null;
  /** files on their way in */
  reading: Reading | null;
  measurements: { [K in ExperimentId]?: Measurement<K> };
  /** why an experiment gave no answer; a sentence */
  refusals: { [K in ExperimentId]?: string };
  inspection: Inspection | null;
  /** something that a person should know and may dismiss */
  notice: string | null;
}

export const QUEUED: RunProgress = {
  phase: 'loading',
  sequences: 0,
  totalSequences: 0,
  tokens: 0,
  seconds: 0,
  tokensPerSecond: null,
  etaSeconds: null,
};

export function isLive(run: Run | null): boolean {
  return (
    run !== null &&
    run.failure === null &&
    run.progress.phase !== 'finished' &&
    run.progress.phase !== 'stopped'
  );
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One experiment in view: its settings, and whether an answer is due. */
interface Watch {
  ask(): Promise<void>;
  inFlight: boolean;
  due: boolean;
}

export class Lab {
  readonly store: StoreApi<LabState>;
  private readonly watches = new Map<ExperimentId, Watch>();
  /**
   * The engine takes a run up asynchronously and knows nothing of it before; an order given meanwhile
   * waits here for the run's first sign of life.
   */
  private early: 'pause' | 'stop' | null = null;
  private openedFor: RunSettings['backend'] | null = null;
  private readonly engine: Engine;

  constructor(engine: Engine, settings: RunSettings = DEFAULT_SETTINGS) {
    this.engine = engine;
    this.store = createStore<LabState>(() => ({
      opening: { status: 'opening' },
      draft: draftOf(settings),
      run: null,
      reading: null,
      measurements: {},
      refusals: {},
      inspection: null,
      notice: null,
    }));
    engine.subscribe((event) => this.hear(event));
  }

  /** Find the backend and the policies; then, on a first visit, run the defaults. */
  async open(thenStart: boolean): Promise<void> {
    const { backend } = this.store.getState().draft;
    this.store.setState({ opening: { status: 'opening' } });
    try {
      const opened = await this.engine.open(backend);
      this.openedFor = backend;
      this.store.setState({ opening: { status: 'open', ...opened } });
      this.fitDraft(opened.policies);
    } catch (error) {
      this.store.setState({ opening: { status: 'failed', message: sentence(error) } });
      return;
    }
    if (thenStart) await this.start();
  }

  /** A draft may name a policy or checkpoint that this site does not ship. */
  private fitDraft(policies: readonly PolicyManifest[]): void {
    const { draft } = this.store.getState();
    if (draft.kind !== 'policies') return;
    const policy = policies.find(({ name }) => name === draft.policies.policy) ?? policies[0];
    if (policy === undefined) {
      this.store.setState({
        draft: draftOf({ backend: draft.backend, source: DEFAULT_SYNTHETIC }, draft),
        notice: 'No policy is shipped with this site, so the rollouts are synthetic.',
      });
      return;
    }
    const shipped = (id: string) => policy.checkpoints.some((checkpoint) => checkpoint.id === id);
    if (
      policy.name === draft.policies.policy &&
      shipped(draft.policies.old) &&
      shipped(draft.policies.new)
    ) {
      return;
    }
    this.store.setState({
      draft: {
        ...draft,
        policies: { ...draft.policies, policy: policy.name, ...policy.defaultPair },
      },
    });
  }

  /** Something that a person should know; stays until dismissed. */
  notify(notice: string): void {
    this.store.setState({ notice });
  }

  restoreDefaults(): void {
    this.store.setState({ draft: draftOf(DEFAULT_SETTINGS) });
    const { opening } = this.store.getState();
    if (opening.status === 'open') this.fitDraft(opening.policies);
  }

  edit(change: (draft: Draft) => Draft): void {
    this.store.setState(({ draft }) => ({ draft: change(draft) }));
  }

  /** Starts the draft, if it is valid. An earlier run is stopped and its data replaced. */
  async start(): Promise<RunId | null> {
    const { settings } = readDraft(this.store.getState().draft);
    if (settings === null) return null;
    if (this.openedFor !== settings.backend) {
      await this.open(false);
      if (this.store.getState().opening.status !== 'open') return null;
    }
    const { run: before } = this.store.getState();
    if (before !== null && isLive(before)) this.engine.stop(before.id);
    const id = this.engine.start(settings);
    this.early = null;
    this.store.setState({
      run: { id, settings, imported: null, progress: QUEUED, failure: null },
      inspection: null,
      refusals: {},
    });
    return id;
  }

  /** One batch, then paused; without a run, the first batch of a new one. */
  async step(): Promise<void> {
    const { run } = this.store.getState();
    if (run !== null && isLive(run)) this.engine.step(run.id);
    else if ((await this.start()) !== null) this.early = 'pause';
  }

  pause(): void {
    this.order('pause');
  }

  resume(): void {
    this.withRun((run) => {
      this.store.setState({ run: { ...run, failure: null } });
      this.engine.resume(run.id);
    });
  }

  stop(): void {
    this.order('stop');
  }

  /** Forget the run and what was measured on it; settings stay. */
  reset(): void {
    this.withRun((run) => {
      if (isLive(run)) this.engine.stop(run.id);
    });
    this.store.setState({ run: null, measurements: {}, refusals: {}, inspection: null });
  }

  /** Reads a person's files; once they are read they are the run. */
  async importFiles(files: ImportFile[], options: ImportOptions): Promise<void> {
    this.cancelImport();
    const { run, outcome } = this.engine.importFiles(files, options);
    this.store.setState({ reading: { run, files, options, progress: QUEUED, failure: null } });
    const end = await outcome.catch((error: unknown): ImportOutcome => ({
      status: 'unreadable',
      message: sentence(error),
      problem: null,
    }));
    const { reading } = this.store.getState();
    if (reading?.run !== run) return;
    if (end.status === 'unreadable') {
      this.store.setState({ reading: { ...reading, failure: end } });
      return;
    }
    this.store.setState({ reading: null });
    if (end.status === 'cancelled') return;
    const { report, progress } = end;
    this.store.setState({
      run: {
        id: run,
        settings: null,
        imported: { files, options, report },
        progress,
        failure: null,
      },
      // Nothing about other data may stand beside the report.
      measurements: {},
      refusals: {},
      inspection: null,
    });
    for (const watch of this.watches.values()) this.refresh(watch);
  }

  /** Also forgets files that could not be read. */
  cancelImport(): void {
    const { reading } = this.store.getState();
    if (reading === null) return;
    if (reading.failure === null) this.engine.stop(reading.run);
    this.store.setState({ reading: null });
  }

  inspect(inspection: Omit<Inspection, 'run'>): void {
    this.withRun(({ id }) => this.store.setState({ inspection: { ...inspection, run: id } }));
  }

  closeInspector(): void {
    this.store.setState({ inspection: null });
  }

  dismissNotice(): void {
    this.store.setState({ notice: null });
  }

  sequences: Engine['sequences'] = (run, query) => this.engine.sequences(run, query);
  sequence: Engine['sequence'] = (run, index) => this.engine.sequence(run, index);

  /**
   * Keep an experiment's answer up to date while its page is in view.
   * @returns what ends it
   */
  watch<K extends ExperimentId>(id: K, settings: ExperimentMap[K]['settings']): () => void {
    const watch: Watch = {
      inFlight: false,
      due: false,
      ask: async () => {
        const { run } = this.store.getState();
        if (run === null || run.progress.sequences === 0) return;
        try {
          const result = await this.engine.experiment(run.id, id, settings);
          if (this.watches.get(id) !== watch || this.store.getState().run?.id !== run.id) return;
          this.store.setState(({ measurements, refusals }) => ({
            measurements: { ...measurements, [id]: { run: run.id, result } },
            refusals: { ...refusals, [id]: undefined },
          }));
        } catch (error) {
          if (this.store.getState().run?.id !== run.id) return;
          this.store.setState(({ refusals }) => ({
            refusals: { ...refusals, [id]: sentence(error) },
          }));
        }
      },
    };
    this.watches.set(id, watch);
    this.refresh(watch);
    return () => {
      if (this.watches.get(id) === watch) this.watches.delete(id);
    };
  }

  private refresh(watch: Watch): void {
    if (watch.inFlight) {
      watch.due = true;
      return;
    }
    watch.inFlight = true;
    watch.due = false;
    void watch.ask().finally(() => {
      watch.inFlight = false;
      if (watch.due) this.refresh(watch);
    });
  }

  private order(order: 'pause' | 'stop'): void {
    this.withRun((run) => {
      if (run.progress === QUEUED) this.early = order;
      else this.engine[order](run.id);
    });
  }

  private withRun(act: (run: Run) => void): void {
    const { run } = this.store.getState();
    if (run !== null) act(run);
  }

  private hear(event: Event): void {
    if (event.type === 'reply' || event.type === 'refused') return;
    const { run, reading } = this.store.getState();
    if (event.type === 'progress' && reading?.run === event.run) {
      this.store.setState({ reading: { ...reading, progress: event.progress } });
      return;
    }
    if (run?.id !== event.run) return;
    switch (event.type) {
      case 'progress':
        this.store.setState({ run: { ...run, progress: event.progress } });
        if (this.early !== null) {
          this.engine[this.early](run.id);
          this.early = null;
        }
        return;
      case 'batch':
        this.store.setState({
          run: { ...run, progress: { ...run.progress, sequences: event.sequences } },
        });
        for (const watch of this.watches.values()) this.refresh(watch);
        return;
      case 'failed':
        this.store.setState({
          run: { ...run, failure: { message: event.message, canResume: event.canResume } },
        });
        return;
      default:
        event satisfies never;
    }
  }
}
