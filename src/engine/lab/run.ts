/**
 * One run: batches of a source, one after the other, with pause, step and stop.
 *
 * Contract: batches that are finished are never lost; after a failure `resume` goes on from the first
 * one that is missing. The loop yields to the event loop between batches, so requests are answered
 * while a run is live.
 */
import {
  concatRollouts,
  type Rollouts,
  type RolloutSource,
  sequenceCount,
  tokenCount,
} from '../../rollouts/rollouts';
import type { FinishedBatch } from './autosave';
import type { RunPhase, RunProgress } from './protocol';
import { message } from '../../message';

export interface RunEvents {
  progress(progress: RunProgress): void;
  /** a batch as it was made, for who keeps the run */
  finished?(batch: FinishedBatch): void;
  batch(sequences: number): void;
  failed(message: string): void;
}

/** What an earlier visit came to. */
export interface Begun {
  rollouts: Rollouts;
  batches: number;
  seconds: number;
}

type Mode = 'running' | 'paused' | 'rested' | 'stopped' | 'finished';

/** Speed is judged over the last few batches, because the first pays for compiling. */
const SPEED_WINDOW = 8;

export class Run {
  private parts: Rollouts[] = [];
  private next = 0;
  private mode: Mode = 'paused';
  private phase: RunPhase = 'paused';
  private loop: Promise<void> | undefined;
  private abort = new AbortController();
  private sequences = 0;
  private tokens = 0;
  private seconds = 0;
  private recent: { tokens: number; sequences: number; seconds: number }[] = [];
  private loaded: RunProgress['loaded'];

  constructor(
    private readonly source: RolloutSource,
    private readonly events: RunEvents,
    begun?: Begun,
    /** responses after which it rests by itself, once */
    private enough = Infinity,
  ) {
    if (!begun) return;
    this.parts = [begun.rollouts];
    this.next = begun.batches;
    this.seconds = begun.seconds;
    this.sequences = sequenceCount(begun.rollouts);
    this.tokens = tokenCount(begun.rollouts);
  }

  /** Everything finished so far, as one table. */
  rollouts(): Rollouts {
    const all = concatRollouts(this.parts);
    this.parts = [all];
    return all;
  }

  get done(): boolean {
    return this.next >= this.source.batches;
  }

  start(): void {
    if (this.mode === 'stopped' || this.done) return;
    this.mode = 'running';
    this.ensureLoop();
  }

  pause(): void {
    if (this.mode === 'running') this.mode = 'paused';
    else if (!this.loop) this.settle();
  }

  /** A pause that the run itself has come to. */
  rest(): void {
    const { mode } = this;
    if (mode !== 'running' && mode !== 'paused') return;
    this.mode = 'rested';
    this.enough = Infinity;
    if (mode === 'paused') this.settle();
  }

  /** One batch, then paused. */
  step(): void {
    if (this.mode === 'stopped' || this.done) return;
    this.mode = 'paused';
    const before = this.loop ?? Promise.resolve();
    this.loop = before.then(() => this.oneBatch()).then(() => this.settle());
  }

  /** Ends for good; what is finished stays readable. Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.mode = 'stopped';
    this.abort.abort();
    await this.loop;
    this.settle();
  }

  private ensureLoop(): void {
    this.loop = (this.loop ?? Promise.resolve()).then(async () => {
      while (this.mode === 'running' && !this.done) {
        await this.oneBatch();
        if (this.mode === 'running' && this.sequences >= this.enough && !this.done) this.rest();
        // Requests are handled between batches; a microtask would not let them.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      this.settle();
    });
  }

  private async oneBatch(): Promise<void> {
    if (this.done || this.mode === 'stopped') return;
    const began = performance.now();
    try {
      const rollouts = await this.source.batch(this.next, {
        signal: this.abort.signal,
        onPhase: (phase) => this.report(phase),
        onLoad: (loaded) => {
          this.loaded = loaded;
          this.report('loading');
        },
      });
      this.loaded = undefined;
      this.parts.push(rollouts);
      this.next++;
      this.count(rollouts, (performance.now() - began) / 1000);
      const { sequences, tokens, seconds } = this;
      this.events.finished?.({ index: this.next - 1, rollouts, sequences, tokens, seconds });
      this.events.batch(this.sequences);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.mode = 'paused';
      this.report('paused');
      this.events.failed(message(error));
    }
  }

  private count(rollouts: Rollouts, seconds: number): void {
    const sequences = sequenceCount(rollouts);
    const tokens = tokenCount(rollouts);
    this.sequences += sequences;
    this.tokens += tokens;
    this.seconds += seconds;
    this.recent.push({ sequences, tokens, seconds });
    if (this.recent.length > SPEED_WINDOW) this.recent.shift();
  }

  private settle(): void {
    this.source.rest?.();
    if (this.done) {
      if (this.mode !== 'stopped') this.mode = 'finished';
      this.report('finished');
    } else {
      const { mode } = this;
      this.report(mode === 'stopped' || mode === 'rested' ? mode : 'paused');
    }
  }

  private report(phase: RunPhase): void {
    this.phase = phase;
    this.events.progress(this.progress());
  }

  progress(): RunProgress {
    const sum = (key: 'sequences' | 'tokens' | 'seconds') =>
      this.recent.reduce((total, part) => total + part[key], 0);
    const seconds = sum('seconds');
    const left = this.source.totalSequences - this.sequences;
    return {
      phase: this.phase,
      sequences: this.sequences,
      totalSequences: this.source.totalSequences,
      tokens: this.tokens,
      seconds: this.seconds,
      tokensPerSecond: seconds > 0 ? sum('tokens') / seconds : null,
      etaSeconds: seconds > 0 ? (left * seconds) / sum('sequences') : null,
      ...(this.loaded ? { loaded: this.loaded } : {}),
    };
  }
}
