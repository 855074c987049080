/**
 * The page's one store and what a person can do to it. Contract: the engine is reached only through
 * the client handed in; events of a run that is no longer ours are dropped. Each part of the lab has a
 * file of its own: `lab-opening`, `lab-run`, `lab-imports`, `lab-watches`.
 */
import { createStore } from 'zustand/vanilla';
import type {
  RunEvent,
  ExperimentId,
  ExperimentMap,
  ExportKind,
  ImportSource,
  ImportOptions,
  KeptId,
  RunId,
  Subject,
} from '../../src/engine/lab/protocol';
import { DEFAULT_SETTINGS, readOwnId, type RunSettings } from '../../src/settings/run';
import { draftOf, type Draft } from './draft';
import { Goal } from './lab-goal';
import { FileImports } from './lab-imports';
import { Opener } from './lab-opening';
import { RunControl } from './lab-run';
import { KeptRuns } from './lab-kept';
import { ModelShelf } from './lab-model-shelf';
import { Overlays } from './lab-overlays';
import {
  emptyLab,
  isAtRest,
  isLive,
  keptOf,
  type Engine,
  type Inspection,
  type Linked,
  type LabState,
  type LabStore,
} from './lab-state';
import { Watches } from './lab-watches';

export * from './lab-models';
export * from './lab-state';

export class Lab {
  readonly store: LabStore;
  private readonly opener: Opener;
  private readonly control: RunControl;
  private readonly imports: FileImports;
  private readonly watches: Watches;
  private readonly overlaying: Overlays;
  private readonly kept: KeptRuns;
  /** models of other people's */
  readonly models: ModelShelf;

  constructor(
    private readonly engine: Engine,
    settings: RunSettings = DEFAULT_SETTINGS,
  ) {
    const store = createStore<LabState>(() => emptyLab(draftOf(settings)));
    this.store = store;
    this.opener = new Opener(engine, store);
    this.imports = new FileImports(engine, store);
    const goal = new Goal(engine, store);
    this.models = new ModelShelf(engine, store);
    this.control = new RunControl(engine, store, this.opener, this.imports, goal, this.models);
    this.overlaying = new Overlays(engine, store);
    this.watches = new Watches(engine, store, this.overlaying);
    this.kept = new KeptRuns(engine, store, this.opener);
    engine.subscribe((event) => this.hear(event));
  }

  /**
   * Find the backend and the policies; then run what was asked for. A run that was cut off is on offer;
   * where it is the very one asked for, it is opened and waits, so that nothing is computed twice unasked.
   * @param wanted resolves once somebody would see it run
   */
  async open(thenStart: boolean, wanted: Promise<void> = Promise.resolve()): Promise<void> {
    const { asked } = this.control;
    if (!(await this.opener.open()) || !thenStart) return;
    await wanted;
    const cutOff = await this.kept.cutOff();
    // A file or a run that was asked for meanwhile is what the person wants to see.
    const { reading, run } = this.store.getState();
    if (reading !== null || run !== null || this.control.asked !== asked) {
      this.store.setState({ cutOff });
      return;
    }
    if (cutOff !== null && this.kept.isDraft(cutOff) && (await this.openKept(cutOff.id))) {
      this.store.setState({ cutOff });
      return;
    }
    await this.start();
    this.store.setState({ cutOff });
  }

  /** The cut-off run goes on from its last finished batch. */
  async resumeCutOff(): Promise<void> {
    const { cutOff, run } = this.store.getState();
    if (cutOff === null) return;
    if (run?.reopened?.id === cutOff.id || (await this.openKept(cutOff.id))) this.resume();
  }

  /**
   * A run that the engine has lost goes on from what is kept of it: batches in the browser's storage, or the
   * person's files, which are read again.
   */
  async recover(): Promise<void> {
    const { run } = this.store.getState();
    if (run === null) return;
    if (run.imported) return this.importFiles(run.imported.files, run.imported.options);
    const id = keptOf(run);
    if (id !== null && (await this.openKept(id))) this.resume();
  }

  dismissCutOff(): void {
    this.store.setState({ cutOff: null });
  }

  async openKept(id: KeptId): Promise<boolean> {
    const opened = await this.kept.open(id);
    if (opened) this.watches.refreshAll();
    return opened;
  }

  /** The drawers share one place. */
  showRuns(runsOpen: boolean): void {
    this.store.setState(runsOpen ? { runsOpen, inspection: null } : { runsOpen });
    if (runsOpen) void this.kept.refresh();
  }

  keepPresent(): Promise<void> {
    return this.kept.keep();
  }

  renameKept(id: KeptId, name: string): Promise<void> {
    return this.kept.rename(id, name);
  }

  /** @param what for the sentence beside Undo */
  async removeKept(ids: KeptId[], what: string): Promise<void> {
    this.overlaying.drop(ids);
    await this.kept.remove(ids, what);
  }

  purgeKept(): Promise<void> {
    return this.kept.purge();
  }

  exportRun(subject: Subject, kind: ExportKind, link: string | null) {
    return this.kept.export(subject, kind, link);
  }

  toggleOverlay(id: KeptId): void {
    this.overlaying.toggle(id);
  }

  /** Something was destroyed outside the lab; the way back stands where the lab's own does. */
  offerUndo(message: string, act: () => unknown): void {
    this.store.setState({ undo: { message, act } });
  }

  async undo(): Promise<void> {
    const { undo } = this.store.getState();
    this.store.setState({ undo: null });
    await undo?.act();
    this.watches.refreshAll();
  }

  dismissUndo(): void {
    this.store.setState({ undo: null });
  }

  /**
   * A checkpoint file of the person's own becomes one of the choices.
   * @returns its id; rejects with a sentence where the file cannot be used
   */
  adopt(policy: string, name: string, file: Blob): Promise<string> {
    return this.opener.adopt(policy, name, file);
  }

  /**
   * The file of an own checkpoint that the draft names; once none is missing any more, the draft is run.
   * @param id as the draft has it; rejects with a sentence where the file is another one
   */
  async supply(id: string, file: Blob): Promise<void> {
    const own = readOwnId(id);
    const { draft } = this.store.getState();
    if (own === null) return;
    const found = await this.opener.adopt(draft.policies.policy, own.name, file);
    if (found !== id) {
      const hash = readOwnId(found)?.hash ?? '';
      throw new Error(
        `This is another file: its SHA-256 begins with ${hash}, that of the file asked for with ${own.hash}.`,
      );
    }
    await this.start();
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
  async importFiles(files: ImportSource[], options: ImportOptions): Promise<void> {
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
    if (run === null) return;
    this.store.setState({ inspection: { ...inspection, run: run.id }, runsOpen: false });
  }

  closeInspector(): void {
    this.store.setState({ inspection: null });
  }

  sequences: Engine['sequences'] = (run, query) => this.engine.sequences(run, query);
  peeking: Engine['peeking'] = (set) => this.engine.peeking(set);

  fingerprint: Engine['fingerprint'] = (run, experiment, first) =>
    this.engine.fingerprint(run, experiment, first);
  /** Of everything that the run has, whatever a page shows of it. */
  experiment: Engine['experiment'] = (run, experiment, settings, signal) =>
    this.engine.experiment(run, experiment, settings, signal);
  sequence: Engine['sequence'] = (run, index) => this.engine.sequence(run, index);

  /** A link says what was found; null: none does, or not any more. */
  repeat(linked: Linked | null): void {
    this.store.setState({ linked });
  }

  /** Something that a person should know; stays until dismissed. */
  notify(notice: string): void {
    this.store.setState({ notice });
  }

  /** The models that a run wants are not looked for. */
  dismissWanted(): void {
    this.store.setState({ wanted: false });
  }

  dismissNotice(): void {
    this.store.setState({ notice: null });
  }

  private hear(event: RunEvent): void {
    const { run, reading } = this.store.getState();
    if (event.type === 'progress' && reading?.run === event.run) {
      this.store.setState({ reading: { ...reading, progress: event.progress } });
      return;
    }
    if (run?.id !== event.run) return;
    switch (event.type) {
      case 'progress':
        this.store.setState({ run: { ...run, progress: event.progress } });
        if (isAtRest(event.progress) || !isLive(this.store.getState().run)) {
          this.watches.settle();
        }
        // A run that has come to its end is new in the list.
        if (this.store.getState().runsOpen && !isLive(this.store.getState().run)) {
          void this.kept.refresh();
        }
        return;
      case 'batch':
        this.store.setState({
          run: { ...run, progress: { ...run.progress, sequences: event.sequences } },
        });
        this.watches.refreshAll();
        return;
      case 'backend':
        this.opener.found(event.backend);
        return;
      case 'keeping':
        this.store.setState({ run: { ...run, keeping: event.keeping } });
        return;
      case 'failed':
        this.store.setState({
          run: { ...run, failure: { message: event.message, canResume: event.canResume } },
        });
        this.watches.settle();
        return;
      default:
        event satisfies never;
    }
  }
}
