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
import { Channel, type Wire } from '../rpc/channel';
import type {
  Begun,
  KeptRace,
  OwnStart,
  RaceEvent,
  RaceId,
  RaceKey,
  TrainerCalls,
  TrainingOrder,
} from './protocol';

/** How long a race takes where a step's parts cost what `measureStep` found. */
export { predictedSeconds } from '../../training/predict';
export { fetchShippedRace, siteFiles, type ShippedRace } from './shipped-race';

type ReplyOf<K extends keyof TrainerCalls> = Promise<TrainerCalls[K]['reply']>;

export interface StartOptions {
  own?: OwnStart | null;
  from?: Begun | null;
  paused?: boolean;
  /** among the kept races of this browser; as a rule it is */
  keep?: boolean;
}

export class TrainingClient {
  private readonly channel: Channel<TrainerCalls, TrainingOrder, RaceEvent>;
  private lastRace = 0;
  private snapshot: RaceSnapshot | null = null;
  private kept: RaceKey | null = null;

  constructor(createWorker: () => Wire) {
    this.channel = new Channel<TrainerCalls, TrainingOrder, RaceEvent>({
      createWorker,
      name: 'The trainer',
      died: () => ({
        type: 'failed',
        race: this.lastRace,
        message: 'The trainer stopped unexpectedly. Its last snapshot is kept.',
        canResume: this.snapshot !== null,
      }),
    });
    this.channel.subscribe((event) => this.remember(event));
  }

  /** Starts a race and names it; the race before is ended. */
  start(
    settings: TrainingSettings,
    { own = null, from = null, paused = false, keep = true }: StartOptions = {},
  ): RaceId {
    const race = ++this.lastRace;
    this.snapshot = from?.snapshot ?? null;
    this.kept = from?.kept ?? null;
    this.channel.send({ type: 'start', race, settings, own, from, paused, keep });
    return race;
  }

  /** Where the present race can go on from, whatever became of its worker; null before a snapshot. */
  begun(reports: StepReport[][]): Begun | null {
    const { snapshot, kept } = this;
    return snapshot === null ? null : { snapshot, kept, reports };
  }

  order(type: 'pause' | 'resume' | 'step' | 'stop', race: RaceId): void {
    this.channel.send({ type, race });
  }

  checkpoint(race: RaceId, racer: number): ReplyOf<'checkpoint'> {
    return this.channel.call('checkpoint', { race, racer });
  }

  /** @param link address of the race, for the stamp */
  rollouts(race: RaceId, racer: number, step: number, link: string | null): ReplyOf<'rollouts'> {
    return this.channel.call('rollouts', { race, racer, step, link });
  }

  samples(race: RaceId, racer: number, count: number): ReplyOf<'samples'> {
    return this.channel.call('samples', { race, racer, count });
  }

  /** What the parts of a step cost here. Refused while a race is under way; a race that starts ends it. */
  measureStep(settings: TrainingSettings): ReplyOf<'measure-step'> {
    return this.channel.call('measure-step', { settings });
  }

  /** Races kept in this browser, newest first. */
  races(): Promise<KeptRace[]> {
    return this.channel.call('races', {}).then(({ races }) => races);
  }

  remove(kept: RaceKey): Promise<KeptRace[]> {
    return this.channel.call('remove', { kept }).then(({ races }) => races);
  }

  /** Takes a removal back. */
  restore(kept: RaceKey): Promise<KeptRace[]> {
    return this.channel.call('restore', { kept }).then(({ races }) => races);
  }

  /** Where a kept race goes on from, or ended; null: an earlier version kept no weights of it. */
  recall(kept: RaceKey): Promise<RaceSnapshot | null> {
    return this.channel.call('recall', { kept }).then(({ snapshot }) => snapshot);
  }

  /** Ends the worker, and whatever race is in it. */
  close(): void {
    this.channel.close('The trainer was closed.');
  }

  subscribe(listener: (event: RaceEvent) => void): () => void {
    return this.channel.subscribe(listener);
  }

  /** Of the present race alone: what another worker would go on from. */
  private remember(event: RaceEvent): void {
    if (event.race !== this.lastRace) return;
    if (event.type === 'snapshot') this.snapshot = event.snapshot;
    if (event.type === 'kept') this.kept = event.kept ?? this.kept;
  }
}
