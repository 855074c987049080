/**
 * Reproduce: the experiments that the manifest names for it, on the default policy pairs, gathered in
 * one ledger. The page and
 * `npm run reproduce` both come here, through the same `EngineClient`.
 *
 * Contract: the pairs are those that the shipped policies list (`lab.json`, reproducePairs); verdicts are
 * results, never errors; an experiment that cannot answer stops the whole (`reproduce` rejects with its
 * sentence). The ledger holds what a stranger needs to check it: seed, size, backend, adapter, the
 * hashes of the policies and the version of the app.
 */
import { claimsHash, declarationOf } from '../../experiments/claims';
import type { Claim } from '../../experiments/experiment';
import { REPRODUCED } from '../../experiments/manifest';
import { evidenceIn, judgedAt } from '../../experiments/shared/claim';
import { ALPHA } from '../../math/stats/anytime';
import { eBenjaminiHochberg } from '../../math/stats/verdict';
import { DEFAULT_POLICIES, type BackendChoice, type RunSettings } from '../../settings/run';
import type { PolicyManifest } from '../../policy/manifest';
import type { EngineClient } from '../lab/client';
import { finishRun } from './finish';
import type { BackendInfo, ExperimentId } from '../lab/protocol';

export interface ReproducePair {
  /** unique in the ledger; a policy that is not the default one lends its name */
  id: string;
  title: string;
  policy: string;
  /** checkpoint ids */
  old: string;
  new: string;
}

export interface LedgerClaim extends Claim {
  /** id of the pair it was measured on */
  pair: string;
  experiment: ExperimentId | 'train';
  /** true: from the curves that were written while a shipped race was trained, not measured again here */
  recorded: boolean;
}

/** Everything but the claims is known as soon as the engine is open. */
export interface LedgerHead {
  app: string;
  seed: number;
  /** where the policy runs */
  backend: BackendInfo['policy'];
  /** where the kernels run */
  kernels: BackendInfo['kernels'];
  adapter: string;
  size: ReproduceSize;
  /** of each pair: prompts drawn, and responses to each */
  prompts: number;
  groupSize: number;
  /** of the longest expressions; sets how long responses get */
  maxOperators: number;
  policies: { name: string; sha256: string }[];
  pairs: ReproducePair[];
  /** samples of responses that the pairs rest on: pairs with one old policy are judged on the same responses */
  samples: number;
  /** SHA-256 of the claims' declarations (`docs/claims.md`) */
  claimsHash: string;
}

export interface Ledger extends LedgerHead {
  claims: LedgerClaim[];
  multiplicity: Multiplicity;
}

/** How many verdicts the claims' evidence carries together, and how many of them are expected to be wrong. */
export interface Multiplicity {
  method: string;
  /** claims that an interval decides */
  claims: number;
  /** holds and fails among them */
  given: number;
  /** at most so many of the given are expected to be wrong */
  expectedWrong: number;
  /** error probability of each interval in the ledger */
  alpha: number;
}

export interface ReproduceOptions {
  app: string;
  seed: number;
  backend: BackendChoice;
  /** id of the only pair wanted; null: all of them */
  pair: string | null;
  /** a run that two cores without a GPU finish in three minutes, with room to spare */
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
  /** called once, before anything is sampled */
  begun?(head: LedgerHead): void;
  /** called as soon as a claim is known */
  claim(claim: LedgerClaim): void;
  signal?: AbortSignal;
}

/**
 * Responses per pair. `quick` has few responses to many prompts, because intervals rest on prompts.
 * A software GPU is some thirty times slower than WebAssembly on the same cores: `quick-software` has short
 * expressions only; it shows that everything runs there, and most of its claims stay undecided.
 */
const SIZES = {
  full: { prompts: 640, groupSize: 8, maxOperators: 9 },
  quick: { prompts: 160, groupSize: 4, maxOperators: 9 },
  'quick-software': { prompts: 32, groupSize: 2, maxOperators: 2 },
} as const;
export type ReproduceSize = keyof typeof SIZES;

function sizeOf(quick: boolean, backend: BackendInfo): ReproduceSize {
  if (!quick) return 'full';
  return backend.policy === 'webgpu' && backend.software === true ? 'quick-software' : 'quick';
}

/** Pairs that a site's policies list, in the ledger's order. */
export function pairsOf(policies: readonly PolicyManifest[]): ReproducePair[] {
  return policies.flatMap(({ name, title, defaultPair, reproducePairs }) => {
    const listed = reproducePairs ?? [{ id: 'default', title: 'Default pair', ...defaultPair }];
    return listed.map((pair) =>
      name === DEFAULT_POLICIES.policy
        ? { ...pair, policy: name }
        : { ...pair, policy: name, id: `${name}-${pair.id}`, title: `${title}: ${pair.title}` },
    );
  });
}

function hashes(
  policies: readonly PolicyManifest[],
  pairs: readonly ReproducePair[],
): Ledger['policies'] {
  return policies.flatMap(({ name, onnx, checkpoints }) => {
    const own = pairs.filter(({ policy }) => policy === name);
    const used = new Set(own.flatMap((pair) => [pair.old, pair.new]));
    if (used.size === 0) return [];
    return [
      { name, sha256: onnx.sha256 },
      ...checkpoints
        .filter(({ id }) => used.has(id))
        .map(({ id, sha256 }) => ({ name: `${name}/${id}`, sha256 })),
    ];
  });
}

function settingsOf(
  { policy, old, new: theta }: ReproducePair,
  { prompts, groupSize, maxOperators }: LedgerHead,
  { backend, seed }: ReproduceOptions,
): RunSettings {
  return {
    backend,
    source: {
      ...DEFAULT_POLICIES,
      policy,
      old,
      new: theta,
      seed,
      prompts,
      groupSize,
      maxOperators,
    },
  };
}

/** What is put to the test besides where the policy has experts. */
const WITH_EXPERTS: ExperimentId = 'experts';

const cancelled = () => new DOMException('Reproduce was cancelled.', 'AbortError');

/** Settles as `work` does, or rejects at once when cancelled; the engine is closed by the caller. */
function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled());
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Whether a pair is the start and the end of the policy's first race: there the race's claims belong. */
function spansRace({ name, races, checkpoints }: PolicyManifest, pair: ReproducePair): boolean {
  const race = races?.[0];
  if (race === undefined || name !== pair.policy || race.start !== pair.old) return false;
  const last = Math.max(
    ...checkpoints.filter(({ series }) => series === race.series).map(({ step }) => step),
  );
  return checkpoints.some(
    ({ id, series, step }) => id === pair.new && series === race.series && step === last,
  );
}

/**
 * The verdicts of a ledger: claims are many, so each is judged again at the level that e-BH leaves to it. Recorded
 * claims and measured ones count alike.
 */
export function judgedTogether(
  claims: readonly LedgerClaim[],
): Pick<Ledger, 'claims' | 'multiplicity'> {
  const evidence = claims.flatMap((claim) => {
    const declaration = declarationOf(claim.id);
    const own = declaration && evidenceIn(claim, declaration);
    return own ? [Math.max(own.holds, own.fails)] : [];
  });
  const { given, alpha } = eBenjaminiHochberg(evidence);
  return {
    claims: claims.map((claim) => {
      const declaration = declarationOf(claim.id);
      return declaration ? { ...claim, ...judgedAt(claim, declaration, alpha) } : claim;
    }),
    multiplicity: {
      method:
        'e-BH over confidence sequences: of the verdicts given an expected share of 5 % at most is wrong; ' +
        'intervals are at the level that goes with it (e-BY). Identities have no false alarms and do not count.',
      claims: evidence.length,
      given,
      expectedWrong: ALPHA * given,
      alpha,
    },
  };
}

/** @throws what stopped it; AbortError when cancelled */
export async function reproduce(
  client: EngineClient,
  options: ReproduceOptions,
  hooks: ReproduceHooks,
): Promise<Ledger> {
  const { signal } = hooks;
  const { backend, policies } = await unlessCancelled(client.open(options.backend), signal);
  const shipped = pairsOf(policies);
  if (shipped.length === 0)
    throw new Error('No policy is shipped here, so nothing can be reproduced.');
  const pairs = shipped.filter(({ id }) => options.pair === null || id === options.pair);
  if (pairs.length === 0) {
    const known = shipped.map(({ id }) => id).join(', ');
    throw new Error(`There is no pair "${options.pair}" here. There are: ${known}.`);
  }
  const size = sizeOf(options.quick, backend);
  const head: LedgerHead = {
    app: options.app,
    seed: options.seed,
    backend: backend.policy,
    kernels: backend.kernels,
    adapter: backend.adapter,
    size,
    ...SIZES[size],
    policies: hashes(policies, pairs),
    pairs,
    samples: new Set(pairs.map(({ policy, old }) => `${policy}/${old}`)).size,
    claimsHash: claimsHash(),
  };
  hooks.begun?.(head);
  const claims: LedgerClaim[] = [];
  const say = (claim: LedgerClaim) => {
    claims.push(claim);
    hooks.claim(claim);
  };
  const began = performance.now();
  for (const [i, pair] of pairs.entries()) {
    const report = (fraction: number, what: string) => {
      const done = (i + fraction) / pairs.length;
      const seconds = (performance.now() - began) / 1000;
      const etaSeconds = done > 0 ? (seconds * (1 - done)) / done : null;
      hooks.progress({ fraction: done, etaSeconds, what: `${pair.title}: ${what}` });
    };
    // Sampling and scoring take nearly all of the time, the experiments the rest.
    const run = await finishRun(
      client,
      settingsOf(pair, head, options),
      ({ phase, sequences, totalSequences }) =>
        report((0.9 * sequences) / totalSequences, `${phase}, ${sequences} of ${totalSequences}`),
      signal,
      undefined,
      cancelled,
    );
    const routed = policies.some(
      ({ name, experts }) => name === pair.policy && experts !== undefined,
    );
    const experiments = routed ? [...REPRODUCED, WITH_EXPERTS] : REPRODUCED;
    for (const [k, experiment] of experiments.entries()) {
      report(0.9 + (0.1 * k) / experiments.length, experiment);
      const result = await unlessCancelled(client.experiment(run, experiment), signal);
      for (const claim of result.claims) {
        say({ ...claim, pair: pair.id, experiment, recorded: false });
      }
    }
    if (policies.some((policy) => spansRace(policy, pair))) {
      const series = await unlessCancelled(client.series(pair.policy), signal);
      for (const claim of series.claims) {
        say({ ...claim, pair: pair.id, experiment: 'train', recorded: true });
      }
    }
  }
  hooks.progress({ fraction: 1, etaSeconds: 0, what: 'done' });
  return { ...head, ...judgedTogether(claims) };
}
