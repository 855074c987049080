/**
 * The page's side of the protocol: typed calls, promises for answers, events for runs.
 *
 * Contract: a dead worker rejects what was waiting, tells listeners that the run failed, and the next
 * call starts a fresh worker; nothing hangs.
 */
import type { BackendChoice, RunSettings } from '../../settings/run';
import type {
  Event,
  ExperimentId,
  ExperimentMap,
  ExperimentReply,
  ExperimentRequest,
  ExportKind,
  FingerprintRequest,
  ImportFile,
  ImportOptions,
  ImportOutcome,
  KeptId,
  Reopened,
  Reply,
  Request,
  RunFingerprint,
  RunId,
  SequenceDetail,
  SequenceQuery,
  Shelf,
  ShelfRequest,
  Subject,
} from './protocol';
import { WorkerLink } from '../rpc/channel';

type ReplyOf<T extends Reply['type']> = Extract<Reply, { type: T }>;

/** Tells whether a reply is the expected one, and narrows it. */
type Expected<R extends Reply> = (reply: Reply) => reply is R;

const isType =
  <T extends Reply['type']>(type: T): Expected<ReplyOf<T>> =>
  (reply): reply is ReplyOf<T> =>
    reply.type === type;

const isExperiment =
  <K extends ExperimentId>(id: K): Expected<Reply & ExperimentReply<K>> =>
  (reply): reply is Reply & ExperimentReply<K> =>
    reply.type === 'experiment' && reply.experiment === id;

export class EngineClient {
  private readonly link: WorkerLink<Request, Reply, Event>;
  private lastRequest = 0;
  private lastRun = 0;

  constructor(createWorker: () => Worker) {
    this.link = new WorkerLink<Request, Reply, Event>({
      createWorker,
      name: 'The engine',
      died: () => ({
        type: 'failed',
        run: this.lastRun,
        message: 'The engine stopped unexpectedly and was restarted. Start the run again.',
        canResume: false,
      }),
    });
  }

  open(backend: BackendChoice): Promise<ReplyOf<'opened'>> {
    const requestId = ++this.lastRequest;
    return this.link.ask({ type: 'open', requestId, backend }, isType('opened'));
  }

  /** Claims on the races that ship with a policy; none where it has none. */
  series(policy: string, seed: number): Promise<ReplyOf<'series'>> {
    const requestId = ++this.lastRequest;
    return this.link.ask({ type: 'series', requestId, policy, seed }, isType('series'));
  }

  /** A checkpoint file of the person's own, from now on usable like a shipped one. */
  adopt(policy: string, name: string, file: Blob): Promise<ReplyOf<'adopted'>> {
    const requestId = ++this.lastRequest;
    return this.link.ask({ type: 'adopt', requestId, policy, name, file }, isType('adopted'));
  }

  /**
   * Starts a run and names it; the run before is stopped and its data are replaced.
   * @param keep put it away batch by batch, so that it outlives the page
   */
  start(settings: RunSettings, keep = false): RunId {
    const run = ++this.lastRun;
    this.link.send({ type: 'start', run, settings, keep });
    return run;
  }

  pause(run: RunId): void {
    this.link.send({ type: 'pause', run });
  }

  resume(run: RunId): void {
    this.link.send({ type: 'resume', run });
  }

  step(run: RunId): void {
    this.link.send({ type: 'step', run });
  }

  stop(run: RunId): void {
    this.link.send({ type: 'stop', run });
  }

  /** Reads files into a run of their own; it replaces the present one once they are read. */
  importFiles(
    files: ImportFile[],
    options: ImportOptions,
  ): { run: RunId; outcome: Promise<ImportOutcome> } {
    const run = ++this.lastRun;
    const requestId = ++this.lastRequest;
    const reply = this.link.ask(
      { type: 'import', requestId, run, files, options },
      isType('imported'),
    );
    return { run, outcome: reply.then(({ outcome }) => outcome) };
  }

  async experiment<K extends ExperimentId>(
    run: Subject,
    experiment: K,
    settings?: ExperimentMap[K]['settings'],
  ): Promise<ExperimentMap[K]['result']> {
    const requestId = ++this.lastRequest;
    const request: ExperimentRequest = {
      type: 'experiment',
      requestId,
      run,
      experiment,
      settings,
    };
    const reply = await this.link.ask(request, isExperiment(experiment));
    return reply.result;
  }

  async fingerprint(
    run: RunId,
    experiment: FingerprintRequest['experiment'],
  ): Promise<RunFingerprint> {
    const requestId = ++this.lastRequest;
    const request: FingerprintRequest = { type: 'fingerprint', requestId, run, experiment };
    const reply = await this.link.ask(request, isType('fingerprint'));
    return reply.found;
  }

  sequences(run: RunId, query: SequenceQuery): Promise<ReplyOf<'sequences'>> {
    const requestId = ++this.lastRequest;
    return this.link.ask({ type: 'sequences', requestId, run, query }, isType('sequences'));
  }

  async sequence(run: RunId, index: number): Promise<SequenceDetail> {
    const requestId = ++this.lastRequest;
    const reply = await this.link.ask(
      { type: 'sequence', requestId, run, index },
      isType('sequence'),
    );
    return reply.sequence;
  }

  /** The runs that are kept in this browser. */
  shelf(): Promise<Shelf> {
    return this.askShelf((requestId) => ({ type: 'shelf', requestId }));
  }

  /** Makes a kept run the engine's run again. */
  reopen(kept: KeptId): { run: RunId; opened: Promise<Reopened> } {
    const run = ++this.lastRun;
    const requestId = ++this.lastRequest;
    const opened = this.link.ask({ type: 'reopen', requestId, run, kept }, isType('reopened'));
    return { run, opened };
  }

  keep(run: RunId, name: string | null): Promise<Shelf> {
    return this.askShelf((requestId) => ({ type: 'keep', requestId, run, name }));
  }

  rename(kept: KeptId, name: string | null): Promise<Shelf> {
    return this.askShelf((requestId) => ({ type: 'rename', requestId, kept, name }));
  }

  /** Can be undone by `restore` until `purge`. */
  remove(kept: KeptId[]): Promise<Shelf> {
    return this.askShelf((requestId) => ({ type: 'remove', requestId, kept }));
  }

  restore(kept: KeptId[]): Promise<Shelf> {
    return this.askShelf((requestId) => ({ type: 'restore', requestId, kept }));
  }

  purge(): Promise<Shelf> {
    return this.askShelf((requestId) => ({ type: 'purge', requestId }));
  }

  /** A run as a file. */
  export(run: Subject, kind: ExportKind, link: string | null): Promise<ReplyOf<'exported'>> {
    const requestId = ++this.lastRequest;
    return this.link.ask({ type: 'export', requestId, run, kind, link }, isType('exported'));
  }

  subscribe(listener: (event: Event) => void): () => void {
    return this.link.subscribe(listener);
  }

  close(): void {
    this.link.close('The engine was closed.');
  }

  private async askShelf(request: (requestId: number) => ShelfRequest): Promise<Shelf> {
    const reply = await this.link.ask(request(++this.lastRequest), isType('shelf'));
    return reply.shelf;
  }
}
