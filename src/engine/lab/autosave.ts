/**
 * Stores one run as it grows. Contract: writing never delays the run and never fails it; batches are written
 * in order, each once; where the browser gives no more storage, what was written stays, the rest waits in
 * memory and is tried again with every batch; `say` is told whenever that changes.
 */
import type { Rollouts } from '../../rollouts/rollouts';
import { StoreFull, type KeptRun } from '../../store/kept-run';
import { bytesOf } from '../../store/pack';
import type { RunStore } from '../../store/run-store';
import type { Keeping, RunProgress } from './protocol';
import { message } from '../../message';

/** A finished batch, and what the run came to with it. */
export interface FinishedBatch {
  index: number;
  rollouts: Rollouts;
  sequences: number;
  tokens: number;
  /** of work so far */
  seconds: number;
}

type State = KeptRun['state'];

function stateOf({ phase }: RunProgress): State {
  if (phase === 'rested') return 'stopped';
  return phase === 'finished' || phase === 'stopped' ? phase : 'running';
}

export class Autosave {
  private waiting: FinishedBatch[] = [];
  private work: Promise<void> = Promise.resolve();
  private state: State = 'running';
  private stopped = false;

  /** @param run as it is kept so far; a run without batches is not written */
  constructor(
    private readonly store: RunStore,
    private run: KeptRun,
    private readonly say: (keeping: Keeping) => void,
    private readonly finished: (run: KeptRun) => Promise<void> = async () => undefined,
  ) {}

  get id(): string {
    return this.run.id;
  }

  append(batch: FinishedBatch): void {
    this.waiting.push(batch);
    this.next(() => this.drain());
  }

  /** The run's phase decides whether it counts as cut off when nobody holds it. */
  progress(progress: RunProgress): void {
    const state = stateOf(progress);
    if (state === this.state) return;
    this.state = state;
    this.next(async () => {
      await this.drain();
      if (this.run.keptBatches === 0) return;
      await this.write({ ...this.run, state: this.settled() });
      if (this.run.state === 'finished') await this.finished(this.run);
    });
  }

  /** Tries again at once, after storage has been freed. */
  retry(): void {
    this.next(() => this.drain());
  }

  /** Resolves when everything that can be written is written. */
  flush(): Promise<void> {
    return this.work;
  }

  private next(task: () => Promise<void>): void {
    this.work = this.work.then(task).catch((error: unknown) => this.fail(error));
  }

  /** A run whose last batches found no storage is not finished for who opens it later. */
  private settled(): State {
    return this.state === 'finished' && this.waiting.length > 0 ? 'stopped' : this.state;
  }

  private async drain(): Promise<void> {
    if (this.stopped) return;
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      const { index, rollouts, sequences, tokens, seconds } = first;
      const run: KeptRun = {
        ...this.run,
        updatedAt: Date.now(),
        state: this.waiting.length > 1 ? 'running' : this.state,
        keptBatches: index + 1,
        sequences,
        tokens,
        seconds,
        bytes: this.run.bytes + bytesOf(rollouts),
      };
      await this.storing(() => this.store.append(run, index, rollouts));
      this.run = run;
      this.waiting.shift();
      this.say({ status: 'kept', id: run.id, sequences });
    }
  }

  private async write(run: KeptRun): Promise<void> {
    await this.storing(() => this.store.update(run));
    this.run = run;
  }

  /** Runs that were deleted free their storage before a batch is turned away. */
  private async storing(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error;
      await this.store.purge(Infinity);
      await write();
    }
  }

  private fail(error: unknown): void {
    const why = message(error);
    const { id, sequences } = this.run;
    if (error instanceof StoreFull) {
      this.say({
        status: 'full',
        id: this.run.keptBatches > 0 ? id : null,
        sequences,
        message: why,
      });
      return;
    }
    this.stopped = true;
    this.waiting = [];
    this.say({ status: 'off', message: why });
  }
}
