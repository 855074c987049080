/**
 * One race at a time: the state that the page shows, kept while a person looks at other pages. Contract:
 * it runs on an engine of its own, so the lab's run and data stay as they are; finished steps stay on
 * view whatever happens; after a failure `resume` goes on from the last snapshot in a fresh worker.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { TrainingClient } from '../../../src/engine/trainer/client';
import type {
  KeptRace,
  OwnStart,
  RaceEvent,
  RaceId,
  RaceKey,
  SamplePair,
} from '../../../src/engine/trainer/protocol';
import type { BackendInfo } from '../../../src/engine/lab/protocol';
import type { TrainingSettings } from '../../../src/settings/training';
import type { StepEstimate } from '../../../src/training/predict';
import type { RaceProgress } from '../../../src/training/race';
import type { StepReport } from '../../../src/training/report';
import { message } from '../../../src/message';

/** What is known of one race, live or kept. */
export interface RaceState {
  settings: TrainingSettings;
  /** by racer, steps ascending */
  reports: StepReport[][];
}

export type Samples =
  | { status: 'waiting' }
  | { status: 'here'; step: number; pairs: SamplePair[] }
  | { status: 'refused'; message: string };

export interface PresentRace extends RaceState {
  id: RaceId;
  own: OwnStart | null;
  progress: RaceProgress | null;
  backend: BackendInfo | null;
  /** first 32 bits of the hash of the claims that the race is judged by; known with the backend */
  claims: number | null;
  failure: { message: string; canResume: boolean } | null;
  /** by racer: steps whose rollouts can be opened */
  held: number[][];
  kept: RaceKey | null;
  /** why it is not kept; a sentence */
  keepingTrouble: string | null;
  /** by racer, where asked for */
  samples: Record<number, Samples>;
}

export type Estimate =
  | { status: 'measuring' }
  | { status: 'here'; estimate: StepEstimate; settings: TrainingSettings }
  | { status: 'refused'; message: string };

export interface SessionState {
  race: PresentRace | null;
  estimate: Estimate | null;
  /** newest first; null until asked for */
  kept: readonly KeptRace[] | null;
  keptTrouble: string | null;
  /** kept races drawn beside the present one */
  overlaid: readonly RaceKey[];
}

export const MAX_OVERLAID = 3;

export function isUnderWay(race: PresentRace | null): boolean {
  if (race === null || race.failure !== null) return false;
  const phase = race.progress?.phase;
  return phase !== 'finished' && phase !== 'stopped';
}

export function isPaused(race: PresentRace | null): boolean {
  return isUnderWay(race) && race?.progress?.phase === 'paused';
}

export class RaceSession {
  readonly store: StoreApi<SessionState> = createStore<SessionState>(() => ({
    race: null,
    estimate: null,
    kept: null,
    keptTrouble: null,
    overlaid: [],
  }));
  private readonly client: TrainingClient;

  constructor(createWorker: () => Worker) {
    this.client = new TrainingClient(createWorker);
    this.client.subscribe((event) => this.hear(event));
  }

  /** A new race; the one before is ended. @param paused wait for `step` or `resume` */
  start(settings: TrainingSettings, own: OwnStart | null, paused = false): void {
    const id = this.client.start(settings, { own, paused });
    this.begin(id, { settings, reports: settings.racers.map(() => []) }, own);
  }

  pause(): void {
    this.order('pause');
  }

  step(): void {
    this.order('step');
  }

  stop(): void {
    this.order('stop');
  }

  resume(): void {
    const { race } = this.store.getState();
    if (race === null) return;
    if (race.failure === null) return this.order('resume');
    const from = this.client.begun(race.reports);
    if (from === null) return this.start(race.settings, race.own);
    const { settings, own } = race;
    const id = this.client.start(settings, { own, from });
    this.begin(
      id,
      { settings, reports: cutTo(race.reports, from.snapshot.racers) },
      own,
      from.kept,
    );
  }

  /** A kept race comes into view: it goes on, or, finished, hands out its checkpoints and samples. */
  async goOn(kept: KeptRace, own: OwnStart | null): Promise<void> {
    const snapshot = await this.client.recall(kept.id);
    if (snapshot === null) {
      const keptTrouble = 'Of that race only the curves were kept.';
      this.store.setState({ keptTrouble });
      return;
    }
    const { settings, reports } = kept;
    const from = { kept: kept.id, snapshot, reports };
    const id = this.client.start(settings, { own, from });
    this.begin(id, { settings, reports: cutTo(reports, snapshot.racers) }, own, kept.id);
  }

  /** How long a step of these settings takes; asked once until they change in a way that matters. */
  async measure(settings: TrainingSettings): Promise<void> {
    if (isUnderWay(this.store.getState().race)) return;
    if (this.store.getState().estimate?.status === 'measuring') return;
    this.store.setState({ estimate: { status: 'measuring' } });
    try {
      const estimate = await this.client.measureStep(settings);
      this.store.setState({ estimate: { status: 'here', estimate, settings } });
    } catch (error) {
      // A race that was started ends the measurement; its own steps tell the time from then on.
      const race = isUnderWay(this.store.getState().race);
      this.store.setState({
        estimate: race ? null : { status: 'refused', message: message(error) },
      });
    }
  }

  /** Resolves when no race is under way any more. */
  over(): Promise<void> {
    return new Promise((resolve) => {
      const look = ({ race }: SessionState) => {
        if (isUnderWay(race)) return;
        forget();
        resolve();
      };
      const forget = this.store.subscribe(look);
      look(this.store.getState());
    });
  }

  checkpoint(racer: number) {
    return this.client.checkpoint(this.present().id, racer);
  }

  rollouts(racer: number, step: number, link: string) {
    return this.client.rollouts(this.present().id, racer, step, link);
  }

  async sample(racer: number, count: number): Promise<void> {
    const { id, reports } = this.present();
    const step = reports[racer]?.at(-1)?.step ?? 0;
    this.setSamples(id, racer, { status: 'waiting' });
    try {
      const { pairs } = await this.client.samples(id, racer, count);
      this.setSamples(id, racer, { status: 'here', step, pairs });
    } catch (error) {
      this.setSamples(id, racer, { status: 'refused', message: message(error) });
    }
  }

  refreshKept(): Promise<void> {
    return this.updateKept(() => this.client.races());
  }

  removeKept(id: RaceKey): Promise<void> {
    const { overlaid } = this.store.getState();
    this.store.setState({ overlaid: overlaid.filter((other) => other !== id) });
    return this.updateKept(() => this.client.remove(id));
  }

  putBack(id: RaceKey): Promise<void> {
    return this.updateKept(() => this.client.restore(id));
  }

  toggleOverlay(id: RaceKey): void {
    const { overlaid } = this.store.getState();
    const without = overlaid.filter((other) => other !== id);
    const next = without.length < overlaid.length ? without : [...without, id];
    if (next.length <= MAX_OVERLAID) this.store.setState({ overlaid: next });
  }

  private async updateKept(ask: () => Promise<KeptRace[]>): Promise<void> {
    try {
      this.store.setState({ kept: await ask(), keptTrouble: null });
    } catch (error) {
      this.store.setState({ keptTrouble: message(error) });
    }
  }

  private present(): PresentRace {
    const { race } = this.store.getState();
    if (race === null) throw new Error('There is no race.');
    return race;
  }

  private order(type: 'pause' | 'resume' | 'step' | 'stop'): void {
    const { race } = this.store.getState();
    if (race !== null) this.client.order(type, race.id);
  }

  private begin(
    id: RaceId,
    state: RaceState,
    own: OwnStart | null,
    kept: RaceKey | null = null,
  ): void {
    this.store.setState({
      race: {
        ...state,
        id,
        own,
        progress: null,
        backend: null,
        claims: null,
        failure: null,
        held: state.settings.racers.map(() => []),
        kept,
        keepingTrouble: null,
        samples: {},
      },
    });
  }

  private setSamples(id: RaceId, racer: number, samples: Samples): void {
    this.change(id, (race) => ({ samples: { ...race.samples, [racer]: samples } }));
  }

  private change(id: RaceId, to: (race: PresentRace) => Partial<PresentRace>): void {
    const { race } = this.store.getState();
    if (race?.id === id) this.store.setState({ race: { ...race, ...to(race) } });
  }

  private hear(event: RaceEvent): void {
    switch (event.type) {
      case 'backend':
        return this.change(event.race, () => ({
          backend: event.backend,
          claims: event.claims,
        }));
      case 'progress':
        return this.change(event.race, () => ({ progress: event.progress }));
      case 'trained':
        return this.change(event.race, ({ reports }) => ({
          reports: reports.map((own, i) => (i === event.racer ? [...own, event.report] : own)),
        }));
      case 'held':
        return this.change(event.race, ({ held }) => ({
          held: held.map((own, i) => (i === event.racer ? event.steps : own)),
        }));
      case 'kept':
        this.change(event.race, ({ kept }) => ({
          kept: event.kept ?? kept,
          keepingTrouble: event.trouble,
        }));
        if (event.kept !== null) void this.refreshKept();
        return;
      case 'failed':
        return this.change(event.race, () => ({
          failure: { message: event.message, canResume: event.canResume },
          held: [],
        }));
      case 'snapshot':
        return;
      default:
        event satisfies never;
    }
  }
}

/** Reports up to where the snapshot's racers are. */
function cutTo(reports: StepReport[][], racers: readonly { step: number }[]): StepReport[][] {
  return reports.map((own, i) => own.filter(({ step }) => step <= (racers[i]?.step ?? 0)));
}

/** The one that the page shows. */
export const session = new RaceSession(
  () =>
    new Worker(new URL('../../../src/engine/trainer/worker.ts', import.meta.url), {
      type: 'module',
    }),
);
