/** What the page knows: the store's shape, shared by the parts of the lab (`lab-*.ts`). */
import type { Fingerprint } from '../../src/link/fingerprint';
import type { StoreApi } from 'zustand/vanilla';
import type { EngineClient } from '../../src/engine/lab/client';
import type {
  BackendInfo,
  ExperimentId,
  ExperimentMap,
  Keeping,
  KeptId,
  KeptRun,
  RunId,
  RunProgress,
  KeptList,
  ListedRun,
} from '../../src/engine/lab/protocol';
import type { RunSettings } from '../../src/settings/run';
import type { PolicyManifest } from '../../src/policy/manifest';
import type { Draft } from './draft';
import type { Imported, Reading } from './imports';
import { NO_MODELS, type Models } from './lab-models';

/** What the page needs of the engine; tests hand in another one. */
export type Engine = Pick<
  EngineClient,
  | 'open'
  | 'adopt'
  | 'start'
  | 'pause'
  | 'rest'
  | 'resume'
  | 'step'
  | 'stop'
  | 'importFiles'
  | 'experiment'
  | 'fingerprint'
  | 'peeking'
  | 'sequences'
  | 'sequence'
  | 'keptRuns'
  | 'reopen'
  | 'keep'
  | 'rename'
  | 'remove'
  | 'restore'
  | 'purge'
  | 'export'
  | 'listModel'
  | 'listFolder'
  | 'addCheckpoint'
  | 'getModel'
  | 'openModel'
  | 'keptModels'
  | 'forgetModel'
  | 'subscribe'
>;

export interface Failure {
  message: string;
  canResume: boolean;
}

/** Why a run rests. */
export type Rest = 'decided' | 'time' | 'link';

/** The run of a link, and how far it went there. */
export interface Linked {
  settings: RunSettings;
  sequences: number;
  /** first 32 bits of the SHA-256 of the files that it had; null: the link does not say */
  files: Fingerprint['policies'];
}

export interface Run {
  id: RunId;
  /** null: the data came from files */
  settings: RunSettings | null;
  imported: Imported | null;
  /** what was kept of it, where it was opened from the list of kept runs */
  reopened: KeptRun | null;
  progress: RunProgress;
  failure: Failure | null;
  /** why it rests, or is about to; null: it does not */
  rest: Rest | null;
  /** seconds of work that a person has allowed it beyond its setting; null: as the setting says */
  allowed: number | null;
  /** how far it is kept; null: nothing is known yet */
  keeping: Keeping | null;
}

/** Something that was destroyed, and the way back. */
export interface Undo {
  message: string;
  act(): unknown;
}

/** A kept run laid over the charts; its slot gives it mark and dash. */
export interface Overlay {
  id: KeptId;
  /** 0 .. MAX_OVERLAYS - 1 */
  slot: number;
}

/** What an experiment says about an overlaid run. */
export interface OverlayAnswer<K extends ExperimentId = ExperimentId> {
  id: KeptId;
  /** the settings that it was asked with */
  key: string;
  result: ExperimentMap[K]['result'];
}

/** A checkpoint file that a person added; the engine forgets it with its worker, the page does not. */
export interface OwnCheckpoint {
  id: string;
  policy: string;
  name: string;
  file: Blob;
}

export type Opening =
  | { status: 'opening' }
  | { status: 'open'; backend: BackendInfo; policies: PolicyManifest[] }
  | { status: 'failed'; message: string };

/** An experiment's latest answer, and the run that it is about. */
export interface Measurement<K extends ExperimentId> {
  run: RunId;
  /** responses that the run had when it was asked */
  sequences: number;
  result: ExperimentMap[K]['result'];
}

/** Which sequences the inspector lists: those with s in [low, high). */
export interface Inspection {
  run: RunId;
  low: number;
  high: number;
  title: string;
  /** shown at once when a single point was clicked; null: the list */
  sequence: number | null;
}

export interface LabState {
  opening: Opening;
  draft: Draft;
  /** checkpoints that the person added, for as long as the page is open */
  own: readonly OwnCheckpoint[];
  run: Run | null;
  /** files on their way in */
  reading: Reading | null;
  measurements: { [K in ExperimentId]?: Measurement<K> };
  /** experiments whose answers are on the page */
  inView: readonly ExperimentId[];
  /** the run of the link that was opened, where it says what was found */
  linked: Linked | null;
  /** why an experiment gave no answer; a sentence */
  refusals: { [K in ExperimentId]?: string };
  inspection: Inspection | null;
  /** the kept runs; null until they were asked for */
  keptRuns: KeptList | null;
  runsOpen: boolean;
  /** a run that a reload or a crash cut off, on offer until resumed or dismissed */
  cutOff: ListedRun | null;
  undo: Undo | null;
  overlays: readonly Overlay[];
  overlaid: { readonly [K in ExperimentId]?: readonly OverlayAnswer<K>[] };
  /** models of other people's */
  models: Models;
  /** a run was asked for whose models are not here */
  wanted: boolean;
  /** something that a person should know and may dismiss */
  notice: string | null;
}

export type LabStore = StoreApi<LabState>;

export const QUEUED: RunProgress = {
  phase: 'loading',
  sequences: 0,
  totalSequences: 0,
  tokens: 0,
  seconds: 0,
  tokensPerSecond: null,
  etaSeconds: null,
};

export function isLive(run: Run | null): boolean {
  return (
    run !== null &&
    run.failure === null &&
    run.progress.phase !== 'finished' &&
    run.progress.phase !== 'stopped'
  );
}

/** Nothing is computed, and it can go on. */
export const isAtRest = ({ phase }: RunProgress): boolean =>
  phase === 'paused' || phase === 'rested';

/** Where the run is kept in this browser; null: nowhere. */
export function keptOf({ keeping, reopened }: Run): KeptId | null {
  return (keeping !== null && keeping.status !== 'off' ? keeping.id : null) ?? reopened?.id ?? null;
}

/** Nothing has happened yet. */
export const emptyLab = (draft: Draft): LabState => ({
  opening: { status: 'opening' },
  draft,
  own: [],
  run: null,
  reading: null,
  measurements: {},
  inView: [],
  linked: null,
  refusals: {},
  inspection: null,
  keptRuns: null,
  runsOpen: false,
  cutOff: null,
  undo: null,
  overlays: [],
  overlaid: {},
  models: NO_MODELS,
  wanted: false,
  notice: null,
});
