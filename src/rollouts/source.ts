/**
 * A source of Rollouts, batch by batch. Contract: batch i is a function of the source's settings and
 * of i alone, so a run that was interrupted goes on from its last finished batch, and a run that is
 * repeated repeats its numbers.
 */
import type { Rollouts } from './rollouts';

export interface SourceHooks {
  signal: AbortSignal;
  onPhase(phase: 'loading' | 'sampling' | 'scoring'): void;
  onLoad(loaded: { bytes: number; total: number | null; what: string }): void;
}

export interface RolloutSource {
  readonly batches: number;
  readonly totalSequences: number;
  batch(index: number, hooks: SourceHooks): Promise<Rollouts>;
}
