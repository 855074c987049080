/**
 * What the page and the engine's worker say to each other: two discriminated unions, handled
 * exhaustively on both sides, no casts around them. Requests that want an answer carry a requestId;
 * what concerns a run carries its run id, so that a late message of a stopped run is recognised.
 */
import type { Claim } from '../../experiments/experiment';
import type { AdvantageRule } from '../../math/objectives/advantages';
import type { BackendChoice, RunSettings } from '../../settings/run';
import type { RunFingerprint } from './fingerprint';
import type { PolicyManifest } from '../../policy/manifest';
import type { Problem } from '../../rollouts/file/problems';
import type { FileSummary } from '../../rollouts/file/read';
import type { HealthReport } from '../../rollouts/health/report';
import type { KeptId, KeptRun } from '../../store/kept-run';
import type { ExperimentId } from '../../experiments/manifest';
import type { EXPERIMENTS, ExperimentResult } from '../../experiments/registry';

export type { KeptId, KeptRun };

export type RunId = number;

/** A run in the engine, or one that is kept in the browser. */
export type Subject = RunId | KeptId;

export interface BackendInfo {
  /** where the policy runs */
  policy: 'webgpu' | 'wasm';
  /** where the kernels run */
  kernels: 'webgpu' | 'cpu';
  /** name of the GPU adapter, or why there is none; a sentence fragment for the page */
  adapter: string;
  /** true where the GPU is software: right, but far slower than WebAssembly */
  software?: boolean;
  /** why this backend and not the other, one sentence */
  reason: string;
  threads: number;
}

export type RunPhase = 'loading' | 'sampling' | 'scoring' | 'paused' | 'finished' | 'stopped';

export interface RunProgress {
  phase: RunPhase;
  sequences: number;
  totalSequences: number;
  tokens: number;
  /** seconds of work so far, pauses left out */
  seconds: number;
  /** sampled and scored response tokens per second of work; null before the first batch */
  tokensPerSecond: number | null;
  etaSeconds: number | null;
  /** while loading: bytes fetched and expected (null: unknown) */
  loaded?: { bytes: number; total: number | null; what: string };
}

/** Experiments by id: settings in, result out; follows the registry. */
export type ExperimentMap = {
  [K in ExperimentId]: {
    settings: (typeof EXPERIMENTS)[K]['defaults'];
    result: ExperimentResult<K>;
  };
};
export type { ExperimentId };

export interface ExperimentRequest {
  type: 'experiment';
  requestId: number;
  run: Subject;
  experiment: ExperimentId;
  /** checked against the experiment's schema in the worker; undefined means its defaults */
  settings: unknown;
}

/** What a link may carry of a run; refused for a person's files, which no link can bring back. */
export interface FingerprintRequest {
  type: 'fingerprint';
  requestId: number;
  run: RunId;
  /** whose claims are the headline figures, asked with these settings; null: none */
  experiment: { id: ExperimentId; settings: unknown } | null;
}
export type { RunFingerprint };

export interface ExperimentReply<K extends ExperimentId = ExperimentId> {
  type: 'experiment';
  experiment: K;
  result: ExperimentMap[K]['result'];
}

export interface SequenceToken {
  text: string;
  id: number;
  logpOld: number;
  logpNew: number;
  /** d_t = log pi_theta - log pi_old */
  logRatio: number;
  /** mean of d_1 .. d_t */
  runningMean: number;
  entropyOld: number | null;
  entropyNew: number | null;
}

export interface SequenceSummary {
  index: number;
  group: number;
  prompt: string;
  response: string;
  length: number;
  reward: number;
  advantage: number;
  finished: boolean;
  /** log s, float64 */
  logWeight: number;
}

export interface SequenceDetail extends SequenceSummary {
  tokens: SequenceToken[];
  crossEntropyOld: number;
  crossEntropyNew: number;
  /** mean Shannon entropies over the response, where the source has them */
  shannonOld: number | null;
  shannonNew: number | null;
}

/** Which sequences a list shows: those whose s lies in [low, high), most deviating first. */
export interface SequenceQuery {
  low: number;
  high: number;
  limit: number;
}

/** A person's file as it crosses to the worker: the browser copies a handle, not the bytes. */
export interface ImportFile {
  /** with the path below a dropped folder */
  name: string;
  blob: Blob;
  /** not picked by itself: left out, and named, where it holds no rollouts */
  fromFolder?: boolean;
}

export interface ImportOptions {
  /** what a response that cannot be used does */
  onBad: 'stop' | 'skip';
  /** how advantages follow from rewards */
  rule: AdvantageRule;
  /** true = from rewards even where the file has advantages */
  recompute: boolean;
}

/** What was read, and what stands out in it. */
export interface ImportReport {
  files: FileSummary[];
  sequences: number;
  tokens: number;
  groups: number;
  /** distinct training steps; 0 where the files name none */
  steps: number;
  /** responses left out, and the first problems word for word */
  skipped: number;
  problems: Problem[];
  rule: AdvantageRule;
  /** responses whose advantage was computed from rewards */
  computedAdvantages: number;
  maskedTokens: number;
  /** Dr.GRPO's constant, where the files have one */
  maxCompletionLength: number | null;
  /** responses without sampler log-probs, where others have them */
  withoutSampler: number;
  /** what else a person should know of the reading, a sentence each */
  notes: string[];
  health: HealthReport;
}

export type ImportOutcome =
  /** settings: of a run that the lab itself had written */
  | {
      status: 'read';
      report: ImportReport;
      progress: RunProgress;
      settings: RunSettings | null;
    }
  /** problem: the record that cannot be used; null where something else went wrong */
  | { status: 'unreadable'; message: string; problem: Problem | null }
  | { status: 'cancelled' };

/** A kept run in the list. */
export interface ShelfRun extends KeptRun {
  /** which tab works on it; null and `state` "running": it was cut off */
  live: 'here' | 'elsewhere' | null;
}

/** The runs that are kept in this browser. */
export type Shelf =
  | {
      status: 'open';
      runs: ShelfRun[];
      /** bytes; null where the browser does not say */
      room: { used: number; quota: number } | null;
    }
  | { status: 'unavailable'; message: string };

/** How far a run is kept. `full`: no room for the rest; `off`: nothing is kept, and why. */
export type Keeping =
  | { status: 'kept'; id: KeptId; sequences: number }
  | { status: 'full'; id: KeptId | null; sequences: number; message: string }
  | { status: 'off'; message: string };

/** A kept run that is the engine's run again. */
export interface Reopened {
  kept: KeptRun;
  progress: RunProgress;
  /** why it cannot go on from its last batch; null where it can, or is finished */
  cannotResume: string | null;
}

export type ExportKind = 'sequences' | 'tokens' | 'run';

export type Request =
  | { type: 'open'; requestId: number; backend: BackendChoice }
  | { type: 'series'; requestId: number; policy: string; seed: number }
  /** a checkpoint file of the person's own, to be used like a shipped one */
  | { type: 'adopt'; requestId: number; policy: string; name: string; file: Blob }
  /** keep: put it away batch by batch, so that it outlives the page */
  | { type: 'start'; run: RunId; settings: RunSettings; keep?: boolean }
  | { type: 'pause'; run: RunId }
  | { type: 'resume'; run: RunId }
  /** one batch, then paused again */
  | { type: 'step'; run: RunId }
  | { type: 'stop'; run: RunId }
  /**
   * Reads files as run `run`. The present run goes on until they are read, then they replace it; `stop`
   * cancels. Progress events carry the run's id.
   */
  | {
      type: 'import';
      requestId: number;
      run: RunId;
      files: ImportFile[];
      options: ImportOptions;
    }
  | ExperimentRequest
  | FingerprintRequest
  | { type: 'sequences'; requestId: number; run: RunId; query: SequenceQuery }
  | { type: 'sequence'; requestId: number; run: RunId; index: number }
  | { type: 'shelf'; requestId: number }
  /** A kept run becomes run `run`, paused where it can go on. */
  | { type: 'reopen'; requestId: number; run: RunId; kept: KeptId }
  /** Puts the present run away whole, where it is not kept by itself: data from files. */
  | { type: 'keep'; requestId: number; run: RunId; name: string | null }
  | { type: 'rename'; requestId: number; kept: KeptId; name: string | null }
  | { type: 'remove'; requestId: number; kept: KeptId[] }
  | { type: 'restore'; requestId: number; kept: KeptId[] }
  /** Deletes what was removed, for good. */
  | { type: 'purge'; requestId: number }
  | {
      type: 'export';
      requestId: number;
      run: Subject;
      kind: ExportKind;
      /** for the stamp: address that opens the run again */
      link: string | null;
    };

/** Requests about the list of kept runs; all are answered with the list. */
export type ShelfRequest = Extract<
  Request,
  { type: 'shelf' | 'keep' | 'rename' | 'remove' | 'restore' | 'purge' }
>;

export type Reply =
  | { type: 'opened'; backend: BackendInfo; policies: PolicyManifest[] }
  /** the checkpoint's id, and the policies with it among them */
  | { type: 'adopted'; id: string; policies: PolicyManifest[] }
  /** claims on the races that ship with a policy, from their recorded curves */
  | { type: 'series'; claims: Claim[] }
  | ExperimentReply
  | { type: 'fingerprint'; found: RunFingerprint }
  | { type: 'imported'; outcome: ImportOutcome }
  | { type: 'sequences'; sequences: SequenceSummary[]; total: number }
  | { type: 'sequence'; sequence: SequenceDetail }
  | { type: 'shelf'; shelf: Shelf }
  | ({ type: 'reopened' } & Reopened)
  | { type: 'exported'; name: string; blob: Blob };

export type Event =
  | { type: 'reply'; requestId: number; reply: Reply }
  /** the request could not be answered; a sentence for a person */
  | { type: 'refused'; requestId: number; message: string }
  | { type: 'progress'; run: RunId; progress: RunProgress }
  | { type: 'keeping'; run: RunId; keeping: Keeping }
  /** new sequences are in; ask the experiments again */
  | { type: 'batch'; run: RunId; sequences: number }
  /** the run cannot go on; what was computed stays readable */
  | { type: 'failed'; run: RunId; message: string; canResume: boolean };
