/**
 * Reproduce: every experiment on the default policy pairs, gathered in one ledger. The page and
 * `npm run reproduce` both come here, through the same `EngineClient`.
 *
 * Contract: verdicts are results, never errors; an experiment that cannot answer stops the whole
 * (`reproduce` rejects with its sentence). The ledger holds what a stranger needs to check it: seed,
 * backend, adapter, the hashes of the policies and the version of the app.
 */
import type { Claim } from '../experiments/experiment';
import { DEFAULT_POLICIES, type BackendChoice, type RunSettings } from '../link/settings';
import type { PolicyManifest } from '../policy/manifest';
import type { EngineClient } from './client';
import type { BackendInfo, ExperimentId, RunId, RunProgress } from './protocol';

export interface LedgerClaim extends Claim {
  /** id of the pair it was measured on */
  pair: string;
  experiment: ExperimentId;
}

export interface Ledger {
  app: string;
  seed: number;
  backend: string;
  adapter: string;
  policies: { name: string; sha256: string }[];
  claims: LedgerClaim[];
}

export interface ReproducePair {
  id: string;
  title: string;
  old: string;
  new: string;
}

/** One pair as a trainer has it, some updates apart, and one far apart. */
export const REPRODUCE_PAIRS: readonly ReproducePair[] = [
  {
    id: 'near',
    title: 'Near pair: the default policies',
    old: DEFAULT_POLICIES.old,
    new: DEFAULT_POLICIES.new,
  },
  {
    id: 'far',
    title: 'Far pair: a third of the training apart',
    old: 'step-03000',
    new: DEFAULT_POLICIES.new,
  },
];

export const REPRODUCE_EXPERIMENTS: readonly ExperimentId[] = [
  'equivalence',
  'variance',
  'dependence',
  'weights',
  'length',
];

export interface ReproduceOptions {
  app: string;
  seed: number;
  backend: BackendChoice;
  /** a run that two cores without a GPU finish in three minutes */
  quick: boolean;
}

export interface ReproduceProgress {
  /** 0..1 over everything */
  fraction: number;
  etaSeconds: number | null;
  what: string;
}

export interface ReproduceHooks {
  progress(progress: ReproduceProgress): void;
  /** called as soon as a claim is known */
  claim(claim: LedgerClaim): void;
  signal?: AbortSignal;
}

const PROMPTS = { quick: 144, full: 640 };

function settingsOf(pair: ReproducePair, options: ReproduceOptions): RunSettings {
  return {
    backend: options.backend,
    source: {
      ...DEFAULT_POLICIES,
      old: pair.old,
      new: pair.new,
      seed: options.seed,
      prompts: options.quick ? PROMPTS.quick : PROMPTS.full,
    },
  };
}

/** Runs to the end of a run; rejects when it fails or is aborted. */
function finish(
  client: EngineClient,
  settings: RunSettings,
  onProgress: (progress: RunProgress) => void,
  signal: AbortSignal | undefined,
): Promise<RunId> {
  return new Promise((resolve, reject) => {
    const run = client.start(settings);
    const settle = (done: () => void) => {
      unsubscribe();
      signal?.removeEventListener('abort', abort);
      done();
    };
    const abort = () => {
      client.stop(run);
      settle(() => reject(new DOMException('Reproduce was cancelled.', 'AbortError')));
    };
    const unsubscribe = client.subscribe((event) => {
      if (!('run' in event) || event.run !== run) return;
      if (event.type === 'failed') settle(() => reject(new Error(event.message)));
      if (event.type !== 'progress') return;
      onProgress(event.progress);
      if (event.progress.phase === 'finished') settle(() => resolve(run));
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  });
}

function hashes(policies: readonly PolicyManifest[]): Ledger['policies'] {
  const used = new Set(REPRODUCE_PAIRS.flatMap((pair) => [pair.old, pair.new]));
  return policies
    .filter(({ name }) => name === DEFAULT_POLICIES.policy)
    .flatMap(({ name, onnx, checkpoints }) => [
      { name, sha256: onnx.sha256 },
      ...checkpoints
        .filter(({ id }) => used.has(id))
        .map(({ id, sha256 }) => ({ name: `${name}/${id}`, sha256 })),
    ]);
}

const backendName = ({ policy, kernels }: BackendInfo) =>
  policy === 'webgpu' ? 'webgpu' : `wasm, ${kernels} kernels in float64`;

export async function reproduce(
  client: EngineClient,
  options: ReproduceOptions,
  hooks: ReproduceHooks,
): Promise<Ledger> {
  const { backend, policies } = await client.open(options.backend);
  const ledger: Ledger = {
    app: options.app,
    seed: options.seed,
    backend: backendName(backend),
    adapter: backend.adapter,
    policies: hashes(policies),
    claims: [],
  };
  const share = 1 / REPRODUCE_PAIRS.length;
  const began = performance.now();
  for (const [i, pair] of REPRODUCE_PAIRS.entries()) {
    const report = (fraction: number, what: string) => {
      const done = (i + fraction) * share;
      const seconds = (performance.now() - began) / 1000;
      const etaSeconds = done > 0 ? (seconds * (1 - done)) / done : null;
      hooks.progress({ fraction: done, etaSeconds, what: `${pair.title}: ${what}` });
    };
    // Sampling and scoring take nearly all of the time, the experiments the rest.
    const run = await finish(
      client,
      settingsOf(pair, options),
      ({ phase, sequences, totalSequences }) =>
        report((0.9 * sequences) / totalSequences, `${phase}, ${sequences} of ${totalSequences}`),
      hooks.signal,
    );
    for (const [k, experiment] of REPRODUCE_EXPERIMENTS.entries()) {
      hooks.signal?.throwIfAborted();
      report(0.9 + (0.1 * k) / REPRODUCE_EXPERIMENTS.length, experiment);
      const { claims } = await client.experiment(run, experiment);
      for (const claim of claims) {
        const line = { ...claim, pair: pair.id, experiment };
        ledger.claims.push(line);
        hooks.claim(line);
      }
    }
  }
  hooks.progress({ fraction: 1, etaSeconds: 0, what: 'done' });
  return ledger;
}
