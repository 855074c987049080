/**
 * Models of other people's, as the page knows them: what a place holds, what is here, what is on its way. Contract:
 * a look is a few small requests and a person's wish; files come only by `get`, which a button calls; what has come
 * stays, whatever fails.
 */
import { message } from '../../src/message';
import type { FolderFile, KeptModels, ListedModel } from '../../src/policy/foreign/repository';
import type { ModelReport } from '../../src/policy/foreign/report';
import { DTYPES, type Dtype, type ModelRef } from '../../src/model-ref';
import type { Draft } from './draft';
import type { Engine, LabStore } from './lab-state';

/** Which of the pair. */
export type ModelSlot = 'old' | 'new';

export const DTYPE_OF = { old: 'oldDtype', new: 'newDtype' } as const;

export type Looking =
  | { status: 'idle' }
  | { status: 'looking'; text: string }
  | { status: 'refused'; text: string; message: string };

/** What is done to one graph of a model. */
export type ModelJob =
  /** step: "get" fetches, "open" loads it into the runtime and checks it */
  | { status: 'working'; step: 'get' | 'open'; loaded: Loaded | null }
  | { status: 'paused' }
  /** changed: another file than expected, which a person may accept */
  | { status: 'refused'; message: string; changed: boolean };

interface Loaded {
  bytes: number;
  total: number | null;
  what: string;
}

type Tell = (job: ModelJob) => void;

export interface Models {
  /** null: not asked yet */
  kept: KeptModels | null;
  listed: Readonly<Record<ModelRef, ListedModel>>;
  looking: Readonly<Record<ModelSlot, Looking>>;
  /** by `modelKey` */
  jobs: Readonly<Record<string, ModelJob>>;
  /** what was found when it ran, by `modelKey` */
  reports: Readonly<Record<string, ModelReport>>;
}

export const NO_MODELS: Models = {
  kept: null,
  listed: {},
  looking: { old: { status: 'idle' }, new: { status: 'idle' } },
  jobs: {},
  reports: {},
};

/** A draft holds texts. */
export const dtypeOf = (text: string): Dtype => DTYPES.find((one) => one === text) ?? 'fp32';

export const modelKey = (ref: ModelRef, dtype: string): string => `${dtype} ${ref}`;

/** Whether all that a run needs of it is here. */
export function isHere({ kept, listed }: Models, ref: ModelRef, dtype: string): boolean {
  const shelved = kept?.models.find((model) => model.ref === ref);
  if (shelved?.dtypes.some((one) => one === dtype)) return true;
  const known = listed[ref];
  const graph = known?.repository.graphs.find((one) => one.dtype === dtype);
  if (known === undefined || graph === undefined) return false;
  return [graph.file, ...graph.external, 'config.json', 'tokenizer.json'].every(
    (path) => known.here[path]?.state === 'whole',
  );
}

/** The models that the draft names and that are not here. */
export function missingModels({ kind, models: texts }: Draft, models: Models): ModelSlot[] {
  if (kind !== 'models') return [];
  return (['old', 'new'] as const).filter(
    (slot) => !isHere(models, texts[slot], texts[DTYPE_OF[slot]]),
  );
}

export class ModelShelf {
  private readonly working = new Map<string, AbortController>();

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

  /**
   * Fetches what is missing of it, then runs it on a fixed text. Called again, it goes on from where it was.
   * @param accept files that are other ones than before
   */
  get(ref: ModelRef, dtype: Dtype, accept = false): Promise<boolean> {
    return this.work(ref, dtype, async (tell, signal) => {
      const loaded = (loaded: Loaded) => tell({ status: 'working', step: 'get', loaded });
      tell({ status: 'working', step: 'get', loaded: null });
      this.setListed(await this.engine.getModel({ ref, dtype, accept }, loaded, signal));
      await this.refresh();
      await this.open(ref, dtype, tell, signal);
    });
  }

  /** Runs what is here on a fixed text; fetches nothing. */
  check(ref: ModelRef, dtype: Dtype): Promise<boolean> {
    return this.work(ref, dtype, (tell, signal) => this.open(ref, dtype, tell, signal));
  }

  private async open(ref: ModelRef, dtype: Dtype, tell: Tell, signal: AbortSignal): Promise<void> {
    const loaded = (loaded: Loaded) => tell({ status: 'working', step: 'open', loaded });
    tell({ status: 'working', step: 'open', loaded: null });
    const { backend } = this.store.getState().draft;
    const report = await this.engine.openModel({ ref, dtype, backend }, loaded, signal);
    this.update(({ reports }) => ({ reports: { ...reports, [modelKey(ref, dtype)]: report } }));
  }

  /** One thing at a time with a model; what comes of it is its job's state. */
  private async work(
    ref: ModelRef,
    dtype: Dtype,
    act: (tell: Tell, signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    const key = modelKey(ref, dtype);
    if (this.working.has(key)) return false;
    const control = new AbortController();
    this.working.set(key, control);
    try {
      await act((job) => this.setJob(key, job), control.signal);
      this.setJob(key, null);
      return true;
    } catch (error) {
      const said = message(error);
      const { aborted } = control.signal;
      // The sentence crosses from the worker without the class of its error.
      const changed = said.includes('Nothing of it is used until you say so.');
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
    this.working.get(modelKey(ref, dtype))?.abort();
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

/** Fewest bits last: what a new model is beside an old one of the same files. */
const leastOf = ({ repository: { graphs } }: ListedModel): Dtype =>
  (graphs.find(({ dtype }) => dtype === 'q4') ?? graphs.at(-1))?.dtype ?? 'fp32';

/**
 * The draft with a model in one place of the pair, in an arithmetic that it has. Where both places had the same model,
 * both have this one, so that one look is enough for a model beside itself.
 */
export function chosen(draft: Draft, slot: ModelSlot, listed: ListedModel): Draft {
  const { ref } = listed.repository;
  const { models } = draft;
  const at = (place: ModelSlot) => ({
    [place]: ref,
    [DTYPE_OF[place]]: fitting(models[DTYPE_OF[place]], place, listed),
  });
  const both = models.old === models.new;
  const pair = both ? { ...at('old'), ...at('new') } : at(slot);
  return { ...draft, kind: 'models', models: { ...models, ...pair } };
}

/** The same arithmetic where the model has it. */
function fitting(dtype: string, slot: ModelSlot, listed: ListedModel): string {
  const { graphs } = listed.repository;
  if (graphs.some((graph) => graph.dtype === dtype)) return dtype;
  return slot === 'old' ? (graphs[0]?.dtype ?? 'fp32') : leastOf(listed);
}
