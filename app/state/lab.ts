/**
 * The page's one store and what a person can do to it. Contract: the engine is reached only through
 * the client handed in; events of a run that is no longer ours are dropped. Each room of the lab has a
 * file of its own: `lab-opening`, `lab-run`, `lab-imports`, `lab-watches`.
 */
import { createStore } from 'zustand/vanilla';
import type {
  Event,
  ExperimentId,
  ExperimentMap,
  ImportFile,
  ImportOptions,
  RunId,
} from '../../src/engine/protocol';
import { DEFAULT_SETTINGS, type RunSettings } from '../../src/link/settings';
import { draftOf, type Draft } from '../setup/draft';
import { FileImports } from './lab-imports';
import { Opener } from './lab-opening';
import { RunControl } from './lab-run';
import type { Engine, Inspection, LabState, LabStore } from './lab-state';
import { Watches } from './lab-watches';

export * from './lab-state';

export class Lab {
  readonly store: LabStore;
  private readonly opener: Opener;
  private readonly control: RunControl;
  private readonly imports: FileImports;
  private readonly watches: Watches;

  constructor(
    private readonly engine: Engine,
    settings: RunSettings = DEFAULT_SETTINGS,
  ) {
    const store = createStore<LabState>(() => ({
      opening: { status: 'opening' },
      draft: draftOf(settings),
      run: null,
      reading: null,
      measurements: {},
      refusals: {},
      inspection: null,
      notice: null,
    }));
    this.store = store;
    this.opener = new Opener(engine, store);
    this.control = new RunControl(engine, store, this.opener);
    this.imports = new FileImports(engine, store);
    this.watches = new Watches(engine, store);
    engine.subscribe((event) => this.hear(event));
  }

  /** Find the backend and the policies; then, on a first visit, run the defaults. */
  async open(thenStart: boolean): Promise<void> {
    if ((await this.opener.open()) && thenStart) await this.start();
  }

  restoreDefaults(): void {
    this.opener.restoreDefaults();
  }

  edit(change: (draft: Draft) => Draft): void {
    this.store.setState(({ draft }) => ({ draft: change(draft) }));
  }

  /** Starts the draft, if it is valid. An earlier run is stopped and its data replaced. */
  start(): Promise<RunId | null> {
    return this.control.start();
  }

  /** One batch, then paused; without a run, the first batch of a new one. */
  step(): Promise<void> {
    return this.control.step();
  }

  pause(): void {
    this.control.pause();
  }

  resume(): void {
    this.control.resume();
  }

  stop(): void {
    this.control.stop();
  }

  /** Forget the run and what was measured on it; settings stay. */
  reset(): void {
    this.control.reset();
  }

  /** Reads a person's files; once they are read they are the run. */
  async importFiles(files: ImportFile[], options: ImportOptions): Promise<void> {
    if (await this.imports.read(files, options)) this.watches.refreshAll();
  }

  /** Also forgets files that could not be read. */
  cancelImport(): void {
    this.imports.cancel();
  }

  /**
   * Keep an experiment's answer up to date while its page is in view.
   * @returns what ends it
   */
  watch<K extends ExperimentId>(id: K, settings: ExperimentMap[K]['settings']): () => void {
    return this.watches.watch(id, settings);
  }

  inspect(inspection: Omit<Inspection, 'run'>): void {
    const { run } = this.store.getState();
    if (run !== null) this.store.setState({ inspection: { ...inspection, run: run.id } });
  }

  closeInspector(): void {
    this.store.setState({ inspection: null });
  }

  sequences: Engine['sequences'] = (run, query) => this.engine.sequences(run, query);
  sequence: Engine['sequence'] = (run, index) => this.engine.sequence(run, index);

  /** Something that a person should know; stays until dismissed. */
  notify(notice: string): void {
    this.store.setState({ notice });
  }

  dismissNotice(): void {
    this.store.setState({ notice: null });
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
        return;
      case 'batch':
        this.store.setState({
          run: { ...run, progress: { ...run.progress, sequences: event.sequences } },
        });
        this.watches.refreshAll();
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
