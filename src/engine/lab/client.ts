/**
 * The page's side of the lab: typed calls, promises for answers, events for runs.
 *
 * Contract: a dead worker rejects what was waiting, tells listeners that the run failed, and the next
 * call starts a fresh worker; nothing hangs.
 */
import type { BackendChoice, PoliciesSource, RunSettings } from '../../settings/run';
import type { Dtype, FolderFile, ModelRef } from '../../policy/foreign/repository';
import type { CheckProgress } from '../device-check';
import type { StudyProgress } from '../route-figures';
import { Channel, type Wire } from '../rpc/channel';
import { withWorkers } from '../rpc/page-workers';
import type {
  ExperimentId,
  ExperimentMap,
  ExportKind,
  HeadlineExperiment,
  ImportOptions,
  ImportOutcome,
  ImportSource,
  KeptId,
  KeptList,
  LabCalls,
  ModelEvent,
  Order,
  OtherEvent,
  Reopened,
  RunEvent,
  RunFingerprint,
  RunId,
  SequenceDetail,
  SequenceQuery,
  Subject,
} from './protocol';

type ReplyOf<K extends keyof LabCalls> = Promise<LabCalls[K]['reply']>;

export class EngineClient {
  private readonly channel: Channel<LabCalls, Order, RunEvent | OtherEvent>;
  private lastRun = 0;

  /** @param startSampler a thread that samples for the engine, where the page is to start them */
  constructor(createWorker: () => Worker, startSampler: () => Worker);
  constructor(createWorker: () => Wire);
  constructor(createWorker: () => Wire, startSampler?: () => Worker) {
    this.channel = new Channel<LabCalls, Order, RunEvent | OtherEvent>({
      createWorker: startSampler
        ? () => withWorkers(createWorker() as Worker, startSampler)
        : createWorker,
      name: 'The engine',
      died: () => ({
        type: 'failed',
        run: this.lastRun,
        message: 'The engine stopped unexpectedly and was restarted.',
        canResume: false,
      }),
    });
  }

  open(backend: BackendChoice): ReplyOf<'open'> {
    return this.channel.call('open', { backend });
  }

  /** What looking again and again does to intervals, on clean runs of known truth. */
  peeking(set: number): ReplyOf<'peeking'> {
    return this.channel.call('peeking', { set });
  }

  /** Claims on the races that ship with a policy; none where it has none. */
  series(policy: string): ReplyOf<'series'> {
    return this.channel.call('series', { policy });
  }

  /** A checkpoint file of the person's own, from now on usable like a shipped one. */
  adopt(policy: string, name: string, file: Blob): ReplyOf<'adopt'> {
    return this.channel.call('adopt', { policy, name, file });
  }

  /**
   * Starts a run and names it; the run before is stopped and its data are replaced.
   * @param keep store it batch by batch, so that it outlives the page
   * @param enough responses after which it rests; left out: it goes on to its end
   */
  start(settings: RunSettings, keep = false, enough?: number): RunId {
    const run = ++this.lastRun;
    this.channel.send({ type: 'start', run, settings, keep, enough });
    return run;
  }

  pause(run: RunId): void {
    this.channel.send({ type: 'pause', run });
  }

  /** A pause of a run that has enough. */
  rest(run: RunId): void {
    this.channel.send({ type: 'rest', run });
  }

  resume(run: RunId): void {
    this.channel.send({ type: 'resume', run });
  }

  step(run: RunId): void {
    this.channel.send({ type: 'step', run });
  }

  stop(run: RunId): void {
    this.channel.send({ type: 'stop', run });
  }

  /** Reads files into a run of their own; it replaces the present one once they are read. */
  importFiles(
    files: ImportSource[],
    options: ImportOptions,
  ): { run: RunId; outcome: Promise<ImportOutcome> } {
    const run = ++this.lastRun;
    return { run, outcome: this.channel.call('import', { run, files, options }) };
  }

  /** @param signal aborted where the answer is no longer wanted: the measurement ends, too */
  async experiment<K extends ExperimentId>(
    run: Subject,
    experiment: K,
    settings?: ExperimentMap[K]['settings'],
    signal?: AbortSignal,
  ): Promise<ExperimentMap[K]['result']> {
    const ask = { run, experiment, settings };
    // The engine answers with the result of the experiment that was asked for.
    return (await this.channel.call('experiment', ask, signal)) as ExperimentMap[K]['result'];
  }

  /** @param first of so many responses only, as a link found them */
  fingerprint(run: RunId, experiment: HeadlineExperiment, first?: number): Promise<RunFingerprint> {
    return this.channel.call('fingerprint', { run, experiment, first });
  }

  sequences(run: RunId, query: SequenceQuery): ReplyOf<'sequences'> {
    return this.channel.call('sequences', { run, query });
  }

  sequence(run: RunId, index: number): Promise<SequenceDetail> {
    return this.channel.call('sequence', { run, index });
  }

  /** The runs that are kept in this browser. */
  keptRuns(): Promise<KeptList> {
    return this.channel.call('kept-runs', {});
  }

  /** Makes a kept run the engine's run again. */
  reopen(kept: KeptId): { run: RunId; opened: Promise<Reopened> } {
    const run = ++this.lastRun;
    return { run, opened: this.channel.call('reopen', { run, kept }) };
  }

  keep(run: RunId, name: string | null): Promise<KeptList> {
    return this.channel.call('keep', { run, name });
  }

  rename(kept: KeptId, name: string | null): Promise<KeptList> {
    return this.channel.call('rename', { kept, name });
  }

  /** Can be undone by `restore` until `purge`. */
  remove(kept: KeptId[]): Promise<KeptList> {
    return this.channel.call('remove', { kept });
  }

  restore(kept: KeptId[]): Promise<KeptList> {
    return this.channel.call('restore', { kept });
  }

  purge(): Promise<KeptList> {
    return this.channel.call('purge', {});
  }

  /** A run as a file. */
  export(run: Subject, kind: ExportKind, link: string | null): ReplyOf<'export'> {
    return this.channel.call('export', { run, kind, link });
  }

  /** What a model's place holds, by a few small requests. @param text as a person wrote it, or a ref */
  listModel(text: string, signal?: AbortSignal): ReplyOf<'model-list'> {
    return this.channel.call('model-list', { text }, signal);
  }

  listFolder(name: string, files: FolderFile[]): ReplyOf<'model-folder'> {
    return this.channel.call('model-folder', { name, files });
  }

  addCheckpoint(ref: ModelRef, file: FolderFile): ReplyOf<'model-checkpoint'> {
    return this.channel.call('model-checkpoint', { ref, file });
  }

  /** Fetches a listed model; aborted by the signal, it goes on from there when it is called again. */
  getModel(
    ask: LabCalls['model-get']['ask'],
    onProgress?: (loaded: ModelEvent['loaded']) => void,
    signal?: AbortSignal,
  ): ReplyOf<'model-get'> {
    return this.watched(ask, onProgress, () => this.channel.call('model-get', ask, signal));
  }

  /** Loads a model that is here, checks it by running it, and says what was found. */
  openModel(
    ask: LabCalls['model-open']['ask'],
    onProgress?: (loaded: ModelEvent['loaded']) => void,
    signal?: AbortSignal,
  ): ReplyOf<'model-open'> {
    return this.watched(ask, onProgress, () => this.channel.call('model-open', ask, signal));
  }

  keptModels(): ReplyOf<'models-kept'> {
    return this.channel.call('models-kept', {});
  }

  /** @param ref null: all of them */
  forgetModel(ref: ModelRef | null): ReplyOf<'model-forget'> {
    return this.channel.call('model-forget', { ref });
  }

  /** Checks and times the person's device; takes it for seconds to minutes. */
  async checkDevice(
    onProgress: (progress: CheckProgress) => void,
    signal?: AbortSignal,
  ): ReplyOf<'check-device'> {
    const over = this.channel.subscribe((event) => {
      if (event.type === 'device-progress') onProgress(event.progress);
    });
    try {
      return await this.channel.call('check-device', {}, signal);
    } finally {
      over();
    }
  }

  /** Takes tens of seconds; nothing else is to run in this engine meanwhile. */
  async studyRoutes(
    source: PoliciesSource,
    backend: BackendChoice,
    onProgress: (progress: StudyProgress) => void,
    signal?: AbortSignal,
  ): ReplyOf<'study-routes'> {
    const over = this.channel.subscribe((event) => {
      if (event.type === 'study-progress') onProgress(event.progress);
    });
    try {
      return await this.channel.call('study-routes', { source, backend }, signal);
    } finally {
      over();
    }
  }

  subscribe(listener: (event: RunEvent) => void): () => void {
    return this.channel.subscribe((event) => {
      if ('run' in event) listener(event);
    });
  }

  private async watched<T>(
    { ref, dtype }: { ref: ModelRef; dtype: Dtype },
    onProgress: ((loaded: ModelEvent['loaded']) => void) | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    const over = this.channel.subscribe((event) => {
      if (event.type !== 'model-progress' || event.ref !== ref || event.dtype !== dtype) return;
      onProgress?.(event.loaded);
    });
    try {
      return await call();
    } finally {
      over();
    }
  }

  close(): void {
    this.channel.close('The engine was closed.');
  }
}
