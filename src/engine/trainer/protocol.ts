/**
 * What the page and the training worker say to each other: two discriminated unions, handled
 * exhaustively on both sides. Whatever concerns a race carries its id; requests that want an answer
 * carry a requestId.
 */
import type { TrainingSettings } from '../../settings/training';
import type { KeptRace, RaceKey } from '../../store/kept-race';
import type { StepEstimate } from '../../training/predict';
import type { RaceProgress, RaceSnapshot } from '../../training/race';
import type { StepReport } from '../../training/report';
import type { BackendInfo } from '../lab/protocol';

export type RaceId = number;

export type { KeptRace, RaceKey };

/** A race that is under way: what its later steps depend on, and what is known of the earlier ones. */
export interface Begun {
  kept: RaceKey | null;
  snapshot: RaceSnapshot;
  /** by racer */
  reports: StepReport[][];
}

/** A checkpoint of the person's own to start from, in place of the shipped one. */
export interface OwnStart {
  name: string;
  bytes: Uint8Array;
}

export type TrainingRequest =
  | {
      type: 'start';
      race: RaceId;
      settings: TrainingSettings;
      own: OwnStart | null;
      /** where an earlier worker, or an earlier visit, got to */
      from: Begun | null;
      /** take no step until told */
      paused: boolean;
    }
  | { type: 'pause'; race: RaceId }
  | { type: 'resume'; race: RaceId }
  /** one step of every racer, then paused */
  | { type: 'step'; race: RaceId }
  | { type: 'stop'; race: RaceId }
  /** the present weights of a racer, as a file */
  | { type: 'checkpoint'; requestId: number; race: RaceId; racer: number }
  /** the rollouts of a step, as a file that the lab reads */
  | {
      type: 'rollouts';
      requestId: number;
      race: RaceId;
      racer: number;
      step: number;
      /** address of the race, for the file's stamp */
      link: string | null;
    }
  /** the same prompts answered greedily by the start and by the racer as it is now */
  | { type: 'samples'; requestId: number; race: RaceId; racer: number; count: number }
  /** what the parts of a step cost here: the policy and the first objective of these settings */
  | { type: 'measure-step'; requestId: number; settings: TrainingSettings }
  /** races that are kept in this browser, newest first */
  | { type: 'races'; requestId: number }
  | { type: 'recall'; requestId: number; kept: RaceKey }
  | { type: 'remove'; requestId: number; kept: RaceKey }
  /** takes a removal back */
  | { type: 'put-back'; requestId: number; kept: RaceKey };

export interface NamedBlob {
  name: string;
  blob: Blob;
}

export interface Judged {
  text: string;
  right: boolean;
}

export interface SamplePair {
  prompt: string;
  before: Judged;
  after: Judged;
}

export type TrainingReply =
  | ({ type: 'file' } & NamedBlob)
  | { type: 'samples'; pairs: SamplePair[] }
  | ({ type: 'step-measured' } & StepEstimate)
  | { type: 'races'; races: KeptRace[] }
  /** where a kept race goes on from, or ended; null: an earlier version of the lab kept no weights of it */
  | { type: 'recalled'; snapshot: RaceSnapshot | null };

export type TrainingEvent =
  | { type: 'backend'; race: RaceId; backend: BackendInfo }
  | { type: 'progress'; race: RaceId; progress: RaceProgress }
  | { type: 'trained'; race: RaceId; racer: number; report: StepReport }
  /** steps whose rollouts can still be had: all of them, until they take too much memory */
  | { type: 'held'; race: RaceId; racer: number; steps: number[] }
  | { type: 'snapshot'; race: RaceId; snapshot: RaceSnapshot }
  /** written to this browser's storage, or why it cannot be; a sentence */
  | { type: 'kept'; race: RaceId; kept: RaceKey | null; trouble: string | null }
  | { type: 'failed'; race: RaceId; message: string; canResume: boolean }
  | { type: 'reply'; requestId: number; reply: TrainingReply }
  | { type: 'refused'; requestId: number; message: string };
