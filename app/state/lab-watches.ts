/**
 * The experiments in view. Contract: at most one request per experiment is under way, and batches that
 * arrive meanwhile lead to exactly one more; an answer about an earlier run is dropped. While a run is
 * live, answers take at most a third of the worker's time: the next one waits twice as long as the last
 * one took; and the page is drawn anew where the run has grown by half, else every one and a half seconds, because its thread
 * and those that sample share the processor. A paused or finished run is answered at once.
 */
import { message } from '../../src/message';
import type { ExperimentId, ExperimentMap } from '../../src/engine/lab/protocol';
import type { Overlays } from './lab-overlays';
import { isLive, type Engine, type LabStore } from './lab-state';

/** ms; what takes less is asked again with every batch */
const QUICK_ANSWER = 50;

/** A run that has grown less is not asked about again within so many ms. */
const GROWN = 1.5;
const REST = 1500;

/** One experiment in view, and whether an answer is due. */
interface Watch {
  ask(): Promise<void>;
  inFlight: boolean;
  due: boolean;
  /** clock time before which a live run is not asked about again, ms */
  notBefore: number;
  /** responses of the last answer, and when it came */
  answered: { sequences: number; at: number };
  /** waits for that time */
  timer: ReturnType<typeof setTimeout> | null;
}

export class Watches {
  private readonly watches = new Map<ExperimentId, Watch>();

  constructor(
    private readonly engine: Engine,
    private readonly store: LabStore,
    private readonly overlays: Overlays,
  ) {}

  /** @returns what ends it */
  watch<K extends ExperimentId>(id: K, settings: ExperimentMap[K]['settings']): () => void {
    const left = new AbortController();
    const watch: Watch = {
      inFlight: false,
      due: false,
      notBefore: 0,
      answered: { sequences: 0, at: 0 },
      timer: null,
      ask: async () => {
        const { run } = this.store.getState();
        if (run === null || run.progress.sequences === 0) return;
        const { sequences } = run.progress;
        try {
          const result = await this.engine.experiment(run.id, id, settings, left.signal);
          if (this.watches.get(id) !== watch || this.store.getState().run?.id !== run.id) return;
          this.store.setState(({ measurements, refusals }) => ({
            measurements: { ...measurements, [id]: { run: run.id, sequences, result } },
            refusals: { ...refusals, [id]: undefined },
          }));
        } catch (error) {
          if (left.signal.aborted) return;
          if (this.store.getState().run?.id !== run.id) return;
          this.store.setState(({ refusals }) => ({
            refusals: { ...refusals, [id]: message(error) },
          }));
        }
      },
    };
    this.watches.set(id, watch);
    this.tell();
    this.refresh(watch);
    this.overlays.want(id, settings);
    return () => {
      left.abort();
      if (this.watches.get(id) !== watch) return;
      this.watches.delete(id);
      this.tell();
      this.cancelTimer(watch);
      this.overlays.leave(id);
    };
  }

  private tell(): void {
    this.store.setState({ inView: [...this.watches.keys()] });
  }

  /** There are other data than before. */
  refreshAll(): void {
    for (const watch of this.watches.values()) this.refresh(watch);
  }

  /** The run is paused or over: whoever waits for a live run's turn is answered now. */
  settle(): void {
    for (const watch of this.watches.values()) {
      watch.notBefore = 0;
      if (watch.timer !== null) this.refresh(watch);
    }
  }

  private refresh(watch: Watch): void {
    if (watch.inFlight) {
      watch.due = true;
      return;
    }
    const { run } = this.store.getState();
    const wait = this.turnOf(watch, run?.progress.sequences ?? 0) - performance.now();
    if (wait > 0 && isLive(run)) {
      this.cancelTimer(watch);
      watch.timer = setTimeout(() => {
        watch.timer = null;
        this.refresh(watch);
      }, wait);
      return;
    }
    this.cancelTimer(watch);
    watch.inFlight = true;
    watch.due = false;
    const asked = performance.now();
    const sequences = run?.progress.sequences ?? 0;
    void watch.ask().finally(() => {
      const now = performance.now();
      const took = now - asked;
      watch.notBefore = took < QUICK_ANSWER ? 0 : now + 2 * took;
      watch.answered = { sequences, at: now };
      watch.inFlight = false;
      if (watch.due) this.refresh(watch);
    });
  }

  /** Clock time from which a live run of so many responses may be asked about, ms. */
  private turnOf({ notBefore, answered }: Watch, sequences: number): number {
    const grown = sequences >= GROWN * answered.sequences || sequences < answered.sequences;
    return grown ? notBefore : Math.max(notBefore, answered.at + REST);
  }

  private cancelTimer(watch: Watch): void {
    if (watch.timer !== null) clearTimeout(watch.timer);
    watch.timer = null;
  }
}
