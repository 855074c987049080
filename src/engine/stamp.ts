/** The stamp of a run: what made it, where it ran, and the hashes of the policies that took part. */
import type { Stamp } from '../export/stamp';
import type { RunSettings } from '../settings/run';
import type { TrainingSettings } from '../settings/training';
import type { ModelReport } from '../policy/foreign/report';
import type { PolicyManifest } from '../policy/manifest';
import type { BackendInfo } from './lab/protocol';

export interface Origin {
  /** version of the app */
  app: string;
  /** address that opens the run again; null where there is none */
  link: string | null;
  /** null: the data came from files */
  settings: RunSettings | null;
  /** names of the files, where the data came from such */
  files: readonly string[];
  /** `policyHashes` finds them */
  policies: Stamp['policies'];
  /** `factsOf` gives it */
  backend: Stamp['backend'];
}

/** What of the backend is worth knowing later. */
export function factsOf({ policy, kernels, adapter, threads }: BackendInfo): Stamp['backend'] {
  return { policy, kernels, adapter, threads };
}

/** Files of the policy pair and their SHA-256; none for synthetic rollouts. */
export function policyHashes(
  settings: RunSettings,
  policies: readonly PolicyManifest[],
): Stamp['policies'] {
  const { source } = settings;
  if (source.kind !== 'policies') return [];
  return hashesOf(policies, source.policy, [source.old, source.new]);
}

/** Files of models of other people, by the place that the run names them by. */
export function modelHashes(
  reports: readonly Pick<ModelReport, 'ref' | 'sha256'>[],
): Stamp['policies'] {
  const found = reports.flatMap(({ ref, sha256 }) =>
    Object.entries(sha256).map(([path, hex]) => [`${ref}/${path}`.slice(-256), hex] as const),
  );
  return [...new Map(found)].map(([name, sha256]) => ({ name, sha256 }));
}

/** Files that a race begins from: the graph and its start, where that is a shipped one. */
export function raceHashes(
  { policy, start }: Pick<TrainingSettings, 'policy' | 'start'>,
  policies: readonly PolicyManifest[],
): Stamp['policies'] {
  return hashesOf(policies, policy, [start]);
}

function hashesOf(
  policies: readonly PolicyManifest[],
  policy: string,
  checkpoints: readonly string[],
): Stamp['policies'] {
  const manifest = policies.find(({ name }) => name === policy);
  if (manifest === undefined) return [];
  const used = manifest.checkpoints.filter(({ id }) => checkpoints.includes(id));
  const { onnx, config, tokenizer } = manifest;
  return [onnx, config, tokenizer, ...used].map(({ file, sha256 }) => ({
    name: `${manifest.name}/${file}`,
    sha256,
  }));
}

export function stampOf(origin: Origin, now = new Date()): Stamp {
  const { app, link, settings, files, policies, backend } = origin;
  return {
    app,
    exportedAt: now.toISOString(),
    source: settings?.source.kind ?? `files: ${files.join(', ')}`,
    link,
    seed: settings?.source.seed ?? null,
    settings,
    policies,
    backend,
  };
}
