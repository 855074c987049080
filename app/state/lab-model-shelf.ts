/**
 * What a person does about models of other people's: looks, fetches by a press, checks, forgets. Contract: as
 * `lab-models` says; one thing at a time with a model.
 */
import { message } from '../../src/message';
import { graphIn, partsOf, refWith, type Dtype, type ModelRef } from '../../src/model-ref';
import type { FolderFile, KeptModels, ListedModel } from '../../src/policy/foreign/repository';
import {
  chosen,
  DTYPE_OF,
  linkedHashes,
  modelKey,
  type Loaded,
  type Looking,
  type ModelJob,
  type ModelSlot,
  type Models,
} from './lab-models';
import type { Engine, LabStore } from './lab-state';

/** The end of the library's sentence about a file that has changed. */
const UNTIL_SAID = 'Nothing of it is used until you say so.';

const nameIn = (ref: ModelRef) => ref.slice(ref.indexOf(':') + 1).split('@')[0] ?? ref;

/** The arithmetic whose weights a checkpoint can stand in for; null: that of the graph that is named. */
const wholeOf = ({ repository: { graphs } }: ListedModel, graph: string | null): Dtype | null =>
  graph === null ? (graphs.find(({ dtype }) => /^fp/.test(dtype))?.dtype ?? null) : null;

type Tell = (job: ModelJob) => void;

export class ModelShelf {
  private readonly working = new Map<
    string,
    { control: AbortController; done: Promise<boolean> }
  >();

  constructor(
    private readonly engine: Engine,
    private readonly store: LabStore,
  ) {}

  /** What is kept in this browser; asks no server. */
  async refresh(): Promise<void> {
    await this.shelve(() => this.engine.keptModels());
  }

  /** A few small requests to the place that a person wrote. */
  async look(slot: ModelSlot, text: string): Promise<void> {
    this.setLooking(slot, { status: 'looking', text });
    await this.choose(slot, text, () => this.engine.listModel(text));
  }

  async openFolder(slot: ModelSlot, name: string, files: FolderFile[]): Promise<void> {
    this.setLooking(slot, { status: 'looking', text: name });
    await this.choose(slot, name, () => this.engine.listFolder(name, files));
  }

  /** A checkpoint beside the model of this slot, or else beside the other's: the two are then a pair. */
  async openCheckpoint(slot: ModelSlot, file: FolderFile): Promise<void> {
    const { draft, models } = this.store.getState();
    const from = ([slot, slot === 'old' ? 'new' : 'old'] as const).find(
      (place) => models.listed[partsOf(draft.models[place]).repository] !== undefined,
    );
    const text = file.path;
    this.setLooking(slot, { status: 'looking', text });
    try {
      if (from === undefined) throw new Error(`${text} needs a graph: look at a model first.`);
      const { repository, graph } = partsOf(draft.models[from]);
      const { listed, path } = await this.engine.addCheckpoint(repository, file);
      this.setListed(listed);
      // Files of the same name are other ones now.
      const ref = refWith({ repository, graph, checkpoint: path });
      this.update(({ reports }) => ({
        reports: Object.fromEntries(Object.entries(reports).filter(([key]) => !key.endsWith(ref))),
      }));
      this.setLooking(slot, { status: 'idle' });
      this.store.setState((state) => ({
        draft: {
          ...state.draft,
          kind: 'models',
          models: {
            ...state.draft.models,
            [slot]: ref,
            [DTYPE_OF[slot]]: wholeOf(listed, graph) ?? draft.models[DTYPE_OF[from]],
          },
        },
      }));
    } catch (error) {
      this.setLooking(slot, { status: 'refused', text, message: message(error) });
    }
  }

  /**
   * Fetches what is missing of it, then runs it on a fixed text. Called again, it goes on from where it was.
   * @param accept files that are other ones than before
   */
  get(ref: ModelRef, dtype: Dtype, accept = false): Promise<boolean> {
    return this.work(ref, dtype, async (tell, signal) => {
      const loaded = (loaded: Loaded) => tell({ status: 'working', step: 'get', loaded });
      tell({ status: 'working', step: 'get', loaded: null });
      const { linked, models } = this.store.getState();
      const graphs = models.listed[partsOf(ref).repository]?.repository.graphs ?? [];
      const graph = graphIn(graphs, ref, dtype)?.file ?? '';
      const expected = linkedHashes(linked, ref, dtype, graph);
      this.setListed(await this.engine.getModel({ ref, dtype, expected, accept }, loaded, signal));
      await this.refresh();
      await this.open(ref, dtype, tell, signal, accept);
    });
  }

  /** Runs what is here on a fixed text; fetches nothing. */
  check(ref: ModelRef, dtype: Dtype): Promise<boolean> {
    return this.work(ref, dtype, (tell, signal) => this.open(ref, dtype, tell, signal));
  }

  private async open(
    ref: ModelRef,
    dtype: Dtype,
    tell: Tell,
    signal: AbortSignal,
    accept = false,
  ): Promise<void> {
    const loaded = (loaded: Loaded) => tell({ status: 'working', step: 'open', loaded });
    tell({ status: 'working', step: 'open', loaded: null });
    const { draft, linked } = this.store.getState();
    const { backend } = draft;
    const report = await this.engine.openModel({ ref, dtype, backend }, loaded, signal);
    // What was here already, and folders, are not compared by fetching.
    const expected = linkedHashes(linked, ref, dtype, report.graph);
    for (const [path, begin] of accept ? [] : Object.entries(expected)) {
      const found = report.sha256[path];
      if (found === undefined || found.startsWith(begin)) continue;
      throw new Error(
        `${path} of ${nameIn(ref)} is another file than the link’s: its SHA-256 begins with ${found.slice(0, 8)}…, ` +
          `in the link ${begin}…. ${UNTIL_SAID}`,
      );
    }
    this.update(({ reports }) => ({ reports: { ...reports, [modelKey(ref, dtype)]: report } }));
  }

  /**
   * One thing at a time with a model; what comes of it is its job's state. Whoever asks while it is worked on waits for
   * that: all of it ends with the model checked.
   */
  private work(
    ref: ModelRef,
    dtype: Dtype,
    act: (tell: Tell, signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    const key = modelKey(ref, dtype);
    const known = this.working.get(key);
    if (known) return known.done;
    const control = new AbortController();
    const done = this.done(key, control, act);
    this.working.set(key, { control, done });
    return done;
  }

  private async done(
    key: string,
    control: AbortController,
    act: (tell: Tell, signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    try {
      await act((job) => this.setJob(key, job), control.signal);
      this.setJob(key, null);
      return true;
    } catch (error) {
      const said = message(error);
      const { aborted } = control.signal;
      // The sentence crosses from the worker without the class of its error.
      const changed = said.includes(UNTIL_SAID);
      this.setJob(
        key,
        aborted ? { status: 'paused' } : { status: 'refused', message: said, changed },
      );
      return false;
    } finally {
      this.working.delete(key);
    }
  }

  /** What has come stays. */
  pause(ref: ModelRef, dtype: Dtype): void {
    this.working.get(modelKey(ref, dtype))?.control.abort();
  }

  /** @param ref null: all of them, and what is known of earlier visits */
  async forget(ref: ModelRef | null): Promise<void> {
    await this.shelve(() => this.engine.forgetModel(ref));
    this.update(({ listed }) => ({
      listed: Object.fromEntries(
        Object.entries(listed).map(([known, model]) => [
          known,
          ref === null || ref === known ? { ...model, here: {} } : model,
        ]),
      ),
    }));
  }

  private async choose(slot: ModelSlot, text: string, list: () => Promise<ListedModel>) {
    try {
      const listed = await list();
      this.setListed(listed);
      this.setLooking(slot, { status: 'idle' });
      this.store.setState(({ draft }) => ({ draft: chosen(draft, slot, listed) }));
    } catch (error) {
      this.setLooking(slot, { status: 'refused', text, message: message(error) });
    }
  }

  private async shelve(ask: () => Promise<KeptModels>): Promise<void> {
    try {
      const kept = await ask();
      this.update(() => ({ kept }));
    } catch (error) {
      this.store.setState({ notice: message(error) });
    }
  }

  private setListed(listed: ListedModel): void {
    this.update((models) => ({
      listed: { ...models.listed, [listed.repository.ref]: listed },
    }));
  }

  private setLooking(slot: ModelSlot, looking: Looking): void {
    this.update((models) => ({ looking: { ...models.looking, [slot]: looking } }));
  }

  /** null: nothing is done to it */
  private setJob(key: string, job: ModelJob | null): void {
    this.update(({ jobs }) => {
      const others = Object.entries(jobs).filter(([known]) => known !== key);
      return { jobs: Object.fromEntries(job === null ? others : [...others, [key, job]]) };
    });
  }

  private update(change: (models: Models) => Partial<Models>): void {
    this.store.setState(({ models }) => ({ models: { ...models, ...change(models) } }));
  }
}
