/**
 * The page's side of the trainer: typed calls, promises for answers, events for races.
 *
 * Contract: a dead worker rejects what was waiting and tells listeners that the race failed; the next
 * call starts a fresh worker. The client holds the latest snapshot of the race, so that a race outlives
 * its worker: `start` with `begun()` goes on from there.
 */
import type { TrainingSettings } from '../link/training';
import type { RaceSnapshot } from '../training/race';
import type { StepReport } from '../training/report';
import { RefusedError } from './client';
import type {
  Begun,
  OwnStart,
  RaceId,
  RaceKey,
  TrainingEvent,
  TrainingReply,
  TrainingRequest,
} from './training-protocol';

type ReplyOf<T extends TrainingReply['type']> = Extract<TrainingReply, { type: T }>;
type Asking = Extract<TrainingRequest, { requestId: number }>;
type WithoutId<R> = R extends unknown ? Omit<R, 'requestId'> : never;

interface Waiting {
  settle(reply: TrainingReply): void;
  reject(error: Error): void;
}

export interface StartOptions {
  own?: OwnStart | null;
  from?: Begun | null;
  paused?: boolean;
}

export class TrainingClient {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Set<(event: TrainingEvent) => void>();
  private lastRequest = 0;
  private lastRace = 0;
  private snapshot: RaceSnapshot | null = null;
  private kept: RaceKey | null = null;

  constructor(private readonly createWorker: () => Worker) {}

  /** Starts a race and names it; the race before is ended. */
  start(
    settings: TrainingSettings,
    { own = null, from = null, paused = false }: StartOptions = {},
  ): RaceId {
    const race = ++this.lastRace;
    this.snapshot = from?.snapshot ?? null;
    this.kept = from?.kept ?? null;
    this.send({ type: 'start', race, settings, own, from, paused });
    return race;
  }

  /** Where the present race can go on from, whatever became of its worker; null before a snapshot. */
  begun(reports: StepReport[][]): Begun | null {
    const { snapshot, kept } = this;
    return snapshot === null ? null : { snapshot, kept, reports };
  }

  order(type: 'pause' | 'resume' | 'step' | 'stop', race: RaceId): void {
    this.send({ type, race });
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

  /** How long a step takes here. Refused while a race is under way; a race that starts ends it. */
  calibrate(settings: TrainingSettings): Promise<ReplyOf<'calibrated'>> {
    return this.ask({ type: 'calibrate', settings }, 'calibrated');
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

  /** Where a kept race goes on from; null: it came to its end. */
  recall(kept: RaceKey): Promise<RaceSnapshot | null> {
    return this.ask({ type: 'recall', kept }, 'recalled').then(({ snapshot }) => snapshot);
  }

  subscribe(listener: (event: TrainingEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.abandon('The trainer was closed.');
  }

  private ask<T extends TrainingReply['type']>(
    request: WithoutId<Asking>,
    expected: T,
  ): Promise<ReplyOf<T>> {
    const requestId = ++this.lastRequest;
    return new Promise((resolve, reject) => {
      const settle = (reply: TrainingReply) => {
        const isExpected = (r: TrainingReply): r is ReplyOf<T> => r.type === expected;
        if (isExpected(reply)) resolve(reply);
        else reject(new Error(`the trainer answered "${request.type}" with "${reply.type}"`));
      };
      this.waiting.set(requestId, { settle, reject });
      this.send({ ...request, requestId });
    });
  }

  private send(request: TrainingRequest): void {
    if (!this.worker) {
      this.worker = this.createWorker();
      this.worker.onmessage = ({ data }: MessageEvent<TrainingEvent>) => this.receive(data);
      this.worker.onerror = (error) => {
        error.preventDefault();
        this.abandon(`The trainer's worker stopped: ${error.message || 'unknown error'}.`);
        this.publish({
          type: 'failed',
          race: this.lastRace,
          message: 'The trainer stopped unexpectedly. Its last snapshot is kept.',
          canResume: this.snapshot !== null,
        });
      };
    }
    this.worker.postMessage(request);
  }

  private receive(event: TrainingEvent): void {
    switch (event.type) {
      case 'reply':
      case 'refused': {
        const waiting = this.waiting.get(event.requestId);
        this.waiting.delete(event.requestId);
        if (event.type === 'refused') waiting?.reject(new RefusedError(event.message));
        else waiting?.settle(event.reply);
        return;
      }
      case 'snapshot':
        if (event.race === this.lastRace) this.snapshot = event.snapshot;
        break;
      case 'kept':
        if (event.race === this.lastRace) this.kept = event.kept ?? this.kept;
        break;
      case 'backend':
      case 'progress':
      case 'trained':
      case 'held':
      case 'failed':
        break;
      default:
        event satisfies never;
    }
    this.publish(event);
  }

  private publish(event: TrainingEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  private abandon(message: string): void {
    this.worker?.terminate();
    this.worker = undefined;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(new RefusedError(message));
  }
}
