/**
 * The page's side of the trainer: typed calls, promises for answers, events for races.
 *
 * Contract: a dead worker rejects what was waiting and tells listeners that the race failed; the next
 * call starts a fresh worker. The client holds the latest snapshot of the race, so that a race outlives
 * its worker: `start` with `begun()` goes on from there.
 */
import type { TrainingSettings } from '../../settings/training';
import type { RaceSnapshot } from '../../training/race';
import type { StepReport } from '../../training/report';
import type {
  Begun,
  OwnStart,
  RaceId,
  RaceKey,
  TrainingEvent,
  TrainingReply,
  TrainingRequest,
} from './protocol';
import { WorkerLink } from '../rpc/channel';

/** How long a race takes where a step's parts cost what `measureStep` found. */
export { predictedSeconds } from '../../training/predict';

type ReplyOf<T extends TrainingReply['type']> = Extract<TrainingReply, { type: T }>;
type Asking = Extract<TrainingRequest, { requestId: number }>;
type WithoutId<R> = R extends unknown ? Omit<R, 'requestId'> : never;

export interface StartOptions {
  own?: OwnStart | null;
  from?: Begun | null;
  paused?: boolean;
}

export class TrainingClient {
  private readonly link: WorkerLink<TrainingRequest, TrainingReply, TrainingEvent>;
  private lastRequest = 0;
  private lastRace = 0;
  private snapshot: RaceSnapshot | null = null;
  private kept: RaceKey | null = null;

  constructor(createWorker: () => Worker) {
    this.link = new WorkerLink<TrainingRequest, TrainingReply, TrainingEvent>({
      createWorker,
      name: 'The trainer',
      died: () => ({
        type: 'failed',
        race: this.lastRace,
        message: 'The trainer stopped unexpectedly. Its last snapshot is kept.',
        canResume: this.snapshot !== null,
      }),
    });
    this.link.subscribe((event) => this.remember(event));
  }

  /** Starts a race and names it; the race before is ended. */
  start(
    settings: TrainingSettings,
    { own = null, from = null, paused = false }: StartOptions = {},
  ): RaceId {
    const race = ++this.lastRace;
    this.snapshot = from?.snapshot ?? null;
    this.kept = from?.kept ?? null;
    this.link.send({ type: 'start', race, settings, own, from, paused });
    return race;
  }

  /** Where the present race can go on from, whatever became of its worker; null before a snapshot. */
  begun(reports: StepReport[][]): Begun | null {
    const { snapshot, kept } = this;
    return snapshot === null ? null : { snapshot, kept, reports };
  }

  order(type: 'pause' | 'resume' | 'step' | 'stop', race: RaceId): void {
    this.link.send({ type, race });
  }

  async checkpoint(race: RaceId, racer: number): Promise<ReplyOf<'file'>> {
    return this.ask({ type: 'checkpoint', race, racer }, 'file');
  }

  /** @param link address of the race, for the stamp */
  rollouts(race: RaceId, racer: number, step: number, link: string | null) {
    return this.ask({ type: 'rollouts', race, racer, step, link }, 'file');
  }

  samples(race: RaceId, racer: number, count: number): Promise<ReplyOf<'samples'>> {
    return this.ask({ type: 'samples', race, racer, count }, 'samples');
  }

  /** What the parts of a step cost here. Refused while a race is under way; a race that starts ends it. */
  measureStep(settings: TrainingSettings): Promise<ReplyOf<'step-measured'>> {
    return this.ask({ type: 'measure-step', settings }, 'step-measured');
  }

  /** Races kept in this browser, newest first. */
  races() {
    return this.ask({ type: 'races' }, 'races').then(({ races }) => races);
  }

  remove(kept: RaceKey) {
    return this.ask({ type: 'remove', kept }, 'races').then(({ races }) => races);
  }

  putBack(kept: RaceKey) {
    return this.ask({ type: 'put-back', kept }, 'races').then(({ races }) => races);
  }

  /** Where a kept race goes on from, or ended; null: an earlier version kept no weights of it. */
  recall(kept: RaceKey): Promise<RaceSnapshot | null> {
    return this.ask({ type: 'recall', kept }, 'recalled').then(({ snapshot }) => snapshot);
  }

  /** Ends the worker, and whatever race is in it. */
  close(): void {
    this.link.close('The trainer was closed.');
  }

  subscribe(listener: (event: TrainingEvent) => void): () => void {
    return this.link.subscribe(listener);
  }

  private ask<T extends TrainingReply['type']>(
    request: WithoutId<Asking>,
    expected: T,
  ): Promise<ReplyOf<T>> {
    const isExpected = (reply: TrainingReply): reply is ReplyOf<T> => reply.type === expected;
    return this.link.ask({ ...request, requestId: ++this.lastRequest }, isExpected);
  }

  /** Of the present race alone: what another worker would go on from. */
  private remember(event: TrainingEvent): void {
    if (!('race' in event) || event.race !== this.lastRace) return;
    if (event.type === 'snapshot') this.snapshot = event.snapshot;
    if (event.type === 'kept') this.kept = event.kept ?? this.kept;
  }
}
