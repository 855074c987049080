/**
 * Several racers from the same start, seed and prompts, a step of each in turn, with pause, step and stop.
 *
 * Contract: steps that are finished are never lost; after a failure `start` goes on with the racer and the
 * step that failed. A snapshot holds all that later steps depend on: a race that is restored from one
 * goes on exactly as the first would have. The loop yields between steps, so that orders are heard.
 */
import type { TrainingSettings } from '../settings/training';
import type { Weights } from '../policy/graph/lift';
import type { Rollouts } from '../rollouts/rollouts';
import { Racer, type RacerState, type TrainingContext, type TrainingPhase } from './racer';
import type { StepReport } from './report';
import { message } from '../message';

export type RacePhase = 'loading' | TrainingPhase | 'paused' | 'finished' | 'stopped';

export interface RaceProgress {
  phase: RacePhase;
  /** whose step is under way, index into the settings' racers */
  racer: number;
  /** finished steps of all racers together, and how many there will be */
  stepsDone: number;
  totalSteps: number;
  /** seconds of work so far, pauses left out */
  seconds: number;
  etaSeconds: number | null;
}

export interface RaceSnapshot {
  settings: TrainingSettings;
  racers: RacerState[];
}

export interface RaceEvents {
  progress(progress: RaceProgress): void;
  step(racer: number, report: StepReport, rollouts: Rollouts): void;
  /** after every `snapshotEvery` rounds, and whenever the race pauses or ends */
  snapshot(snapshot: RaceSnapshot): void;
  failed(message: string): void;
}

type Mode = 'running' | 'paused' | 'stopped';

/** The first steps pay for compiling, so speed is judged over the last ones. */
const SPEED_WINDOW = 6;

export class Race {
  private readonly racers: Racer[];
  private mode: Mode = 'paused';
  private phase: RacePhase = 'paused';
  private loop: Promise<void> | undefined;
  private readonly abort = new AbortController();
  private busy = false;
  private turn = 0;
  private seconds = 0;
  private recent: number[] = [];
  private unsaved = 0;

  constructor(
    context: TrainingContext,
    readonly settings: TrainingSettings,
    start: Weights,
    private readonly events: RaceEvents,
    private readonly snapshotEvery = 5,
  ) {
    const atStart = { heldOut: null };
    this.racers = settings.racers.map(
      (racer) => new Racer(context, settings, racer, start, atStart),
    );
  }

  get stepsDone(): number {
    return this.racers.reduce((sum, racer) => sum + racer.stepsDone, 0);
  }

  get done(): boolean {
    return this.stepsDone >= this.totalSteps;
  }

  /** Nothing is under way, and nothing will be unless told. */
  get idle(): boolean {
    return this.mode === 'stopped' || this.done || (this.mode === 'paused' && !this.busy);
  }

  private get totalSteps(): number {
    return this.settings.steps * this.racers.length;
  }

  async restore(snapshot: RaceSnapshot): Promise<void> {
    for (const [i, state] of snapshot.racers.entries()) await this.racers[i]?.restore(state);
    this.turn = this.racers.reduce(
      (first, racer, i) => (racer.stepsDone < this.racers[first].stepsDone ? i : first),
      0,
    );
  }

  start(): void {
    if (this.mode === 'stopped') return;
    // A finished race that was restored has nothing left to do but to say so.
    if (this.done) return this.loop ? undefined : this.report('finished');
    this.mode = 'running';
    this.go();
  }

  pause(): void {
    if (this.mode === 'running') this.mode = 'paused';
    else if (!this.loop) this.report('paused');
  }

  /** One step of every racer, then paused. */
  step(): void {
    if (this.mode === 'stopped' || this.done) return;
    this.mode = 'paused';
    this.go(this.racers.length);
  }

  /** Ends for good. Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.mode = 'stopped';
    this.abort.abort();
    await this.loop;
    if (!this.done) this.report('stopped');
  }

  stepsOf(racer: number): number {
    return this.racers[racer]?.stepsDone ?? 0;
  }

  weights(racer: number): Promise<Weights> {
    const chosen = this.racers[racer];
    if (!chosen) throw new Error(`The race has no racer ${racer}.`);
    return chosen.weights();
  }

  async snapshot(): Promise<RaceSnapshot> {
    const racers: RacerState[] = [];
    for (const racer of this.racers) racers.push(await racer.state());
    return { settings: this.settings, racers };
  }

  dispose(): void {
    for (const racer of this.racers) racer.dispose();
  }

  /** @param turns that are taken even when paused */
  private go(turns = 0): void {
    this.loop = (this.loop ?? Promise.resolve()).then(async () => {
      let left = turns;
      this.busy = true;
      while (!this.done && (this.mode === 'running' || (this.mode === 'paused' && left > 0))) {
        left--;
        if (!(await this.takeTurn())) break;
        // Yield to the event loop, so that orders are heard; a microtask would not.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      this.busy = false;
      await this.settle().catch((error: unknown) => this.events.failed(message(error)));
    });
  }

  private async takeTurn(): Promise<boolean> {
    const began = performance.now();
    try {
      const racer = this.racers[this.turn];
      const { report, rollouts } = await racer.step({
        signal: this.abort.signal,
        onPhase: (phase) => this.report(phase),
      });
      const seconds = (performance.now() - began) / 1000;
      this.seconds += seconds;
      this.recent = [...this.recent, seconds].slice(-SPEED_WINDOW);
      this.unsaved++;
      this.events.step(this.turn, report, rollouts);
      this.turn = (this.turn + 1) % this.racers.length;
      if (this.unsaved >= this.snapshotEvery * this.racers.length) await this.save();
      return true;
    } catch (error) {
      if (this.abort.signal.aborted) return false;
      this.mode = 'paused';
      this.events.failed(message(error));
      return false;
    }
  }

  private async save(): Promise<void> {
    this.unsaved = 0;
    this.events.snapshot(await this.snapshot());
  }

  private async settle(): Promise<void> {
    if (this.mode === 'running' && !this.done) return;
    if (this.unsaved > 0) await this.save();
    if (this.done) this.report('finished');
    else if (this.mode === 'paused') this.report('paused');
  }

  private report(phase: RacePhase): void {
    this.phase = phase;
    const done = this.stepsDone;
    const mean = this.recent.reduce((sum, s) => sum + s, 0) / this.recent.length;
    this.events.progress({
      phase: this.phase,
      racer: this.turn,
      stepsDone: done,
      totalSteps: this.totalSteps,
      seconds: this.seconds,
      etaSeconds: this.recent.length > 0 ? mean * (this.totalSteps - done) : null,
    });
  }
}
