/**
 * The experiments in view. Contract: at most one request per experiment is under way, and batches that
 * arrive meanwhile lead to exactly one more; an answer about an earlier run is dropped.
 */
import type { ExperimentId, ExperimentMap } from '../../src/engine/protocol';
import type { Overlays } from './lab-overlays';
import { sentence, type Engine, type LabStore } from './lab-state';

/** One experiment in view, and whether an answer is due. */
interface Watch {
  ask(): Promise<void>;
  inFlight: boolean;
  due: boolean;
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
    const watch: Watch = {
      inFlight: false,
      due: false,
      ask: async () => {
        const { run } = this.store.getState();
        if (run === null || run.progress.sequences === 0) return;
        try {
          const result = await this.engine.experiment(run.id, id, settings);
          if (this.watches.get(id) !== watch || this.store.getState().run?.id !== run.id) return;
          this.store.setState(({ measurements, refusals }) => ({
            measurements: { ...measurements, [id]: { run: run.id, result } },
            refusals: { ...refusals, [id]: undefined },
          }));
        } catch (error) {
          if (this.store.getState().run?.id !== run.id) return;
          this.store.setState(({ refusals }) => ({
            refusals: { ...refusals, [id]: sentence(error) },
          }));
        }
      },
    };
    this.watches.set(id, watch);
    this.refresh(watch);
    this.overlays.want(id, settings);
    return () => {
      if (this.watches.get(id) !== watch) return;
      this.watches.delete(id);
      this.overlays.leave(id);
    };
  }

  /** There are other data than before. */
  refreshAll(): void {
    for (const watch of this.watches.values()) this.refresh(watch);
  }

  private refresh(watch: Watch): void {
    if (watch.inFlight) {
      watch.due = true;
      return;
    }
    watch.inFlight = true;
    watch.due = false;
    void watch.ask().finally(() => {
      watch.inFlight = false;
      if (watch.due) this.refresh(watch);
    });
  }
}
