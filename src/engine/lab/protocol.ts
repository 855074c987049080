/**
 * What the page and the engine's worker say to each other: calls with their replies, orders, and events, handled
 * exhaustively on both sides. What concerns a run carries its run id, so that a late message of a stopped run
 * is recognised.
 */
import type { Walk } from '../../tasks/maze';
import type { CheckProgress, DeviceReport } from '../device-check';
import type { RouteStudy, StudyProgress } from '../route-figures';
import type { Claim } from '../../experiments/experiment';
import type { Peeking } from '../../math/stats/peeking';
import type { AdvantageRule } from '../../math/objectives/advantages';
import type { BackendChoice, PoliciesSource, RunSettings } from '../../settings/run';
import type { RunFingerprint } from './fingerprint';
import type { Stamp } from '../../export/stamp';
import type { Rollouts } from '../../rollouts/rollouts';
import type { Answer, Ask, Cancel } from '../rpc/channel';
import type { PolicyManifest } from '../../policy/manifest';
import type {
  Dtype,
  AddedCheckpoint,
  FolderFile,
  KeptModels,
  ListedModel,
  ModelRef,
} from '../../policy/foreign/repository';
import type { ModelReport } from '../../policy/foreign/report';
import type { Problem } from '../../rollouts/file/problems';
import type { FileSummary } from '../../rollouts/file/read';
import type { Drawings } from '../../rollouts/health/drawing';
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
  /** why this backend and not the other, and what its check found; a sentence or two */
  reason: string;
  /** what is wrong with a GPU that a person insists on; sentences. Left out: nothing is known to be */
  trouble?: string;
  /** responses that serve a GPU best at a time, once that has been tried */
  rows?: number;
  threads: number;
}

/** rested: paused because it has what it was to find, or spent its time; it can go on */
export type RunPhase =
  'loading' | 'sampling' | 'scoring' | 'paused' | 'rested' | 'finished' | 'stopped';

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

/** Whose claims are the headline figures, asked with these settings; null: none. */
export type HeadlineExperiment = { id: ExperimentId; settings: unknown } | null;
export type { RunFingerprint };

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
  /** where the prompt is a maze */
  walk?: Walk;
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

/** Rollouts that the lab has already: of a training step. */
export interface ImportTable {
  name: string;
  rollouts: Rollouts;
  stamp: Stamp;
}

export type ImportSource = ImportFile | ImportTable;

export interface ImportOptions {
  /** what a response that cannot be used does */
  onBad: 'stop' | 'skip';
  /** how advantages follow from rewards */
  rule: AdvantageRule;
  /** true = from rewards even where the file has advantages */
  recompute: boolean;
  /** clip range that the health report is about; null or left out = each objective's own */
  band?: { low: number | null; high: number | null };
}

/** What stands out in files. */
export interface Judged {
  health: HealthReport;
  /** the report's figures as shapes */
  drawings: Drawings;
  /** the report in one HTML file, without data of the run */
  html: string;
}

/** What was read, and what stands out in it. */
export interface ImportReport extends Judged {
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
}

export type ImportOutcome =
  /** settings: of a run that the lab itself had written */
  | {
      status: 'read';
      report: ImportReport;
      progress: RunProgress;
      settings: RunSettings | null;
    }
  /**
   * problem: the record that cannot be used; null where something else went wrong
   * judged: where a column holds what no log-prob can be, the findings all the same; the others are of the responses
   * without it
   */
  | { status: 'unreadable'; message: string; problem: Problem | null; judged: Judged | null }
  | { status: 'cancelled' };

/** A kept run in the list. */
export interface ListedRun extends KeptRun {
  /** which tab works on it; null and `state` "running": it was cut off */
  live: 'here' | 'elsewhere' | null;
}

/** The runs that are kept in this browser. */
export type KeptList =
  | {
      status: 'open';
      runs: ListedRun[];
      /** bytes; null where the browser does not say */
      storage: { used: number; quota: number } | null;
    }
  | { status: 'unavailable'; message: string };

/** How far a run is kept. `full`: no storage for the rest; `off`: nothing is kept, and why. */
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

/** What the engine answers, by name. */
export type LabCalls = {
  open: {
    ask: { backend: BackendChoice };
    reply: { backend: BackendInfo; policies: PolicyManifest[] };
  };
  /** claims on the races that ship with a policy, from their recorded curves */
  series: { ask: { policy: string }; reply: { claims: Claim[] } };
  /** clean growing runs of known truth, looked at again and again: how often each kind of interval is wrong */
  /** set: which hundred runs, from 0 */
  peeking: { ask: { set: number }; reply: Peeking };
  /** a checkpoint file of the person's own, to be used like a shipped one: its id, and the policies with it */
  adopt: {
    ask: { policy: string; name: string; file: Blob };
    reply: { id: string; policies: PolicyManifest[] };
  };
  /**
   * Reads files as run `run`. The present run goes on until they are read, then they replace it; `stop`
   * cancels. Progress events carry the run's id.
   */
  import: {
    ask: { run: RunId; files: ImportSource[]; options: ImportOptions };
    reply: ImportOutcome;
  };
  /** settings are checked against the experiment's schema in the worker; undefined means its defaults */
  experiment: {
    ask: { run: Subject; experiment: ExperimentId; settings: unknown };
    reply: ExperimentMap[ExperimentId]['result'];
  };
  /** What a link may carry of a run; refused for a person's files, which no link can bring back. */
  fingerprint: {
    /** first: of so many responses only, as a link found them; left out: of all that there are */
    ask: { run: RunId; experiment: HeadlineExperiment; first?: number | undefined };
    reply: RunFingerprint;
  };
  sequences: {
    ask: { run: RunId; query: SequenceQuery };
    reply: { sequences: SequenceSummary[]; total: number };
  };
  sequence: { ask: { run: RunId; index: number }; reply: SequenceDetail };
  /** A kept run becomes run `run`, paused where it can go on. */
  reopen: { ask: { run: RunId; kept: KeptId }; reply: Reopened };
  /** @link for the stamp: address that opens the run again */
  export: {
    ask: { run: Subject; kind: ExportKind; link: string | null };
    reply: { name: string; blob: Blob };
  };
  'kept-runs': { ask: object; reply: KeptList };
  /** A model of someone else's: what is there, by small requests. @text as a person wrote it, or a ref */
  'model-list': { ask: { text: string }; reply: ListedModel };
  /** the same of a person's folder, which is `folder:NAME` as long as the tab lives */
  'model-folder': { ask: { name: string; files: FolderFile[] }; reply: ListedModel };
  /** a checkpoint of a person's own beside a listed model, as long as the tab lives */
  'model-checkpoint': { ask: { ref: ModelRef; file: FolderFile }; reply: AddedCheckpoint };
  /** Fetches what is missing, because a person pressed a button. Cancelled, it goes on from there next time. */
  'model-get': {
    ask: {
      ref: ModelRef;
      dtype: Dtype;
      expected?: Readonly<Record<string, string>> | undefined;
      accept?: boolean | undefined;
    };
    reply: ListedModel;
  };
  /** Loads a model that is here and checks it by running it. Fetches nothing. */
  'model-open': {
    ask: { ref: ModelRef; dtype: Dtype; backend: BackendChoice };
    reply: ModelReport;
  };
  /** The device, backend by backend, checked and timed with the first policy of the site. */
  'check-device': { ask: object; reply: DeviceReport };
  /** What takes more than a run to know of a policy with experts. */
  'study-routes': {
    ask: { source: PoliciesSource; backend: BackendChoice };
    reply: RouteStudy & { backend: BackendInfo };
  };
  'models-kept': { ask: object; reply: KeptModels };
  /** null: all of them */
  'model-forget': { ask: { ref: ModelRef | null }; reply: KeptModels };
  /** Keeps the present run whole, where it is not kept by itself: data from files. */
  keep: { ask: { run: RunId; name: string | null }; reply: KeptList };
  rename: { ask: { kept: KeptId; name: string | null }; reply: KeptList };
  remove: { ask: { kept: KeptId[] }; reply: KeptList };
  restore: { ask: { kept: KeptId[] }; reply: KeptList };
  /** Deletes what was removed, for good. */
  purge: { ask: object; reply: KeptList };
};

/** What the engine obeys without an answer; events tell what became of it. */
export type Order =
  /**
   * keep: store it batch by batch, so that it outlives the page
   * enough: responses after which it rests; left out: it goes on to its end
   */
  | {
      type: 'start';
      run: RunId;
      settings: RunSettings;
      keep?: boolean;
      enough?: number | undefined;
    }
  | { type: 'pause'; run: RunId }
  /** the same, where the run has enough: it is not taken for one that was cut off */
  | { type: 'rest'; run: RunId }
  | { type: 'resume'; run: RunId }
  /** one batch, then paused again */
  | { type: 'step'; run: RunId }
  | { type: 'stop'; run: RunId };

export type Request = Ask<LabCalls> | Order | Cancel;
export type Asked<T extends Request['type']> = Extract<Request, { type: T }>;

/** Calls about the list of kept runs; all are answered with the list. */
export type KeptListRequest = Asked<
  'kept-runs' | 'keep' | 'rename' | 'remove' | 'restore' | 'purge'
>;

export type RunEvent =
  | { type: 'progress'; run: RunId; progress: RunProgress }
  | { type: 'keeping'; run: RunId; keeping: Keeping }
  /** a GPU has been checked with the run's policy: what the run works on, from now on */
  | { type: 'backend'; run: RunId; backend: BackendInfo }
  /** new sequences are in; ask the experiments again */
  | { type: 'batch'; run: RunId; sequences: number }
  /** the run cannot go on; what was computed stays readable */
  | { type: 'failed'; run: RunId; message: string; canResume: boolean };

/** How far a `model-get` or `model-open` has come. */
export interface ModelEvent {
  type: 'model-progress';
  ref: ModelRef;
  dtype: Dtype;
  loaded: { bytes: number; total: number | null; what: string };
}

/** How far a `check-device` has come. */
export interface DeviceEvent {
  type: 'device-progress';
  progress: CheckProgress;
}

/** How far a `study-routes` has come. */
export interface StudyEvent {
  type: 'study-progress';
  progress: StudyProgress;
}

/** What concerns no run. */
export type OtherEvent = ModelEvent | DeviceEvent | StudyEvent;

export type Event = RunEvent | OtherEvent | Answer<LabCalls>;
