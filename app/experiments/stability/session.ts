/**
 * A study trained in this tab: its races one after another, on an engine of their own. Contract: finished runs stay
 * whatever happens; a study that was stopped or failed goes on with the race that it had begun; nothing of it is kept
 * among the races of this browser.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { TrainingClient } from '../../../src/engine/trainer/client';
import type { BackendInfo } from '../../../src/engine/lab/protocol';
import type { RaceEvent, RaceId } from '../../../src/engine/trainer/protocol';
import {
  racesOf,
  runOf,
  type StudyRace,
  type StudyRun,
  type StudySize,
} from '../../../src/experiments/stability';
import type { RacePhase } from '../../../src/training/race';
import type { StepReport } from '../../../src/training/report';

export interface StudyState {
  /** null: nothing has been started */
  size: StudySize | null;
  status: 'idle' | 'running' | 'paused' | 'stopped' | 'failed' | 'finished';
  runs: readonly StudyRun[];
  racesDone: number;
  races: number;
  /** of the race under way */
  phase: RacePhase | null;
  steps: { done: number; all: number };
  /** seconds of work so far, and how many more; null: not known yet */
  seconds: number;
  etaSeconds: number | null;
  backend: BackendInfo | null;
  failure: string | null;
}

const NOTHING: StudyState = {
  size: null,
  status: 'idle',
  runs: [],
  racesDone: 0,
  races: 0,
  phase: null,
  steps: { done: 0, all: 0 },
  seconds: 0,
  etaSeconds: null,
  backend: null,
  failure: null,
};

export class StudySession {
  readonly store: StoreApi<StudyState> = createStore<StudyState>(() => NOTHING);
  private readonly client: TrainingClient;
  private races: StudyRace[] = [];
  private current: { id: RaceId; race: StudyRace; reports: StepReport[][] } | null = null;
  /** steps and seconds of the races that are done */
  private before = { steps: 0, seconds: 0 };

  constructor(createWorker: () => Worker) {
    this.client = new TrainingClient(createWorker);
    this.client.subscribe((event) => this.hear(event));
  }

  start(size: StudySize): void {
    if (this.current !== null) this.client.order('stop', this.current.id);
    this.races = racesOf(size);
    this.before = { steps: 0, seconds: 0 };
    const all = this.races.reduce((sum, { plans }) => sum + plans.length * size.steps, 0);
    this.store.setState({
      ...NOTHING,
      size,
      status: 'running',
      races: this.races.length,
      steps: { done: 0, all },
    });
    this.next();
  }

  pause(): void {
    if (this.current === null) return;
    this.client.order('pause', this.current.id);
    this.store.setState({ status: 'paused' });
  }

  /** After a pause, a stop or a failure: the runs that are finished are not trained again. */
  resume(): void {
    const { status } = this.store.getState();
    this.store.setState({ status: 'running', failure: null });
    if (status === 'paused' && this.current !== null) {
      return this.client.order('resume', this.current.id);
    }
    this.next();
  }

  stop(): void {
    if (this.current !== null) this.client.order('stop', this.current.id);
    this.current = null;
    this.store.setState({ status: 'stopped', phase: null });
  }

  /** Resolves when nothing is under way. */
  over(): Promise<void> {
    const busy = ({ status }: StudyState) => status === 'running' || status === 'paused';
    return new Promise((resolve) => {
      const look = (state: StudyState) => {
        if (busy(state)) return;
        forget();
        resolve();
      };
      const forget = this.store.subscribe(look);
      look(this.store.getState());
    });
  }

  private next(): void {
    const race = this.races[this.store.getState().racesDone];
    if (race === undefined) {
      this.current = null;
      this.store.setState({ status: 'finished', phase: null, etaSeconds: null });
      return;
    }
    const id = this.client.start(race.settings, { keep: false });
    this.current = { id, race, reports: race.plans.map(() => []) };
  }

  private hear(event: RaceEvent): void {
    const { current } = this;
    if (current === null || event.race !== current.id) return;
    switch (event.type) {
      case 'backend':
        return this.store.setState({ backend: event.backend });
      case 'trained':
        current.reports[event.racer]?.push(event.report);
        return;
      case 'progress': {
        const { phase, stepsDone, seconds } = event.progress;
        const done = this.before.steps + stepsDone;
        const spent = this.before.seconds + seconds;
        const { all } = this.store.getState().steps;
        this.store.setState({
          phase,
          steps: { done, all },
          seconds: spent,
          etaSeconds: done > 0 ? (spent / done) * (all - done) : null,
        });
        if (phase !== 'finished') return;
        this.before = { steps: done, seconds: spent };
        const runs = current.race.plans.map((plan, i) => runOf(plan, current.reports[i] ?? []));
        this.store.setState((state) => ({
          runs: [...state.runs, ...runs],
          racesDone: state.racesDone + 1,
        }));
        return this.next();
      }
      case 'failed':
        this.current = null;
        this.store.setState({ status: 'failed', failure: event.message, phase: null });
        return;
      case 'held':
      case 'snapshot':
      case 'kept':
        return;
      default:
        event satisfies never;
    }
  }
}

export const study = new StudySession(
  () =>
    new Worker(new URL('../../../src/engine/trainer/worker.ts', import.meta.url), {
      type: 'module',
    }),
);
