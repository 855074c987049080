/** From a run to what is kept about it, and back: what it was, and whether it can go on. */
import type { RunSettings } from '../../settings/run';
import type { PolicyManifest } from '../../policy/manifest';
import type { Stamp } from '../../export/stamp';
import type { KeptRun } from '../../store/kept-run';
import { policyHashes } from '../stamp';
import { freshId } from '../fresh-id';

/** What a run is made of, as far as it is known. */
export interface RunFacts {
  /** null: data from files that say nothing about it */
  settings: RunSettings | null;
  files: readonly string[];
  /** hashes of the policies that took part */
  policies: Stamp['policies'];
  backend: Stamp['backend'];
}

/** How a run is cut into batches. */
export interface Cut {
  batches: number;
  totalSequences: number;
  sequencesPerBatch: number;
}

/** A run that has nothing to keep yet. */
export function aboutRun(app: string, facts: RunFacts, cut: Cut, now = Date.now()): KeptRun {
  const { settings, files, policies, backend } = facts;
  const { batches, totalSequences, sequencesPerBatch } = cut;
  return {
    id: freshId(),
    kind: 'rollouts',
    name: null,
    createdAt: now,
    updatedAt: now,
    app,
    settings,
    files: [...files],
    policies,
    backend,
    state: 'running',
    batches,
    sequencesPerBatch,
    keptBatches: 0,
    sequences: 0,
    totalSequences,
    tokens: 0,
    seconds: 0,
    bytes: 0,
    deletedAt: null,
  };
}

/**
 * Why a kept run cannot go on; null where it can, or has nothing left to do. Batch i is a function of the
 * settings and of i, so it goes on with the very numbers that it would have had, as long as the policies are
 * the same files.
 */
export function cannotGoOn(kept: KeptRun, shipped: readonly PolicyManifest[]): string | null {
  if (kept.keptBatches >= kept.batches) return null;
  if (kept.settings === null) return 'Its data came from files.';
  const now = new Map(policyHashes(kept.settings, shipped).map((file) => [file.name, file.sha256]));
  // By name: a run kept by an earlier version of the lab names fewer files.
  const other = kept.policies.filter(({ name, sha256 }) => now.get(name) !== sha256);
  if (other.length > 0 || (kept.policies.length === 0) !== (now.size === 0)) {
    const names = other.map(({ name }) => name).join(', ');
    return `The policies that this site ships are other files than those it was sampled from: ${names || 'all'}.`;
  }
  return null;
}

/** For a run that has no source any more. */
export function noSource(): Promise<never> {
  return Promise.reject(new Error('This run has no more batches.'));
}
