/**
 * What the page and the training worker say to each other: calls with their replies, orders, and events, handled
 * exhaustively on both sides. Whatever concerns a race carries its id.
 */
import type { TrainingSettings } from '../../settings/training';
import type { KeptRace, RaceKey } from '../../store/race-store';
import type { StepEstimate } from '../../training/predict';
import type { RaceProgress, RaceSnapshot } from '../../training/race';
import type { StepReport } from '../../training/report';
import type { BackendInfo, ImportTable } from '../lab/protocol';
import type { Answer, Ask, Cancel } from '../rpc/channel';

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

/** What the trainer answers, by name. */
export type TrainerCalls = {
  /** the present weights of a racer, as a file */
  checkpoint: { ask: { race: RaceId; racer: number }; reply: NamedBlob };
  /** The rollouts of a step, as the lab imports them. @link address of the race, for the stamp */
  rollouts: {
    ask: { race: RaceId; racer: number; step: number; link: string | null };
    reply: ImportTable;
  };
  /** the same prompts answered greedily by the start and by the racer as it is now */
  samples: { ask: { race: RaceId; racer: number; count: number }; reply: { pairs: SamplePair[] } };
  /** what the parts of a step cost here: the policy and the first objective of these settings */
  'measure-step': { ask: { settings: TrainingSettings }; reply: StepEstimate };
  /** races that are kept in this browser, newest first */
  races: { ask: object; reply: { races: KeptRace[] } };
  /** where a kept race goes on from, or ended; null: an earlier version of the lab kept no weights of it */
  recall: { ask: { kept: RaceKey }; reply: { snapshot: RaceSnapshot | null } };
  remove: { ask: { kept: RaceKey }; reply: { races: KeptRace[] } };
  /** takes a removal back */
  restore: { ask: { kept: RaceKey }; reply: { races: KeptRace[] } };
};

/** What the trainer obeys without an answer; events tell what became of it. */
export type TrainingOrder =
  | {
      type: 'start';
      race: RaceId;
      settings: TrainingSettings;
      own: OwnStart | null;
      /** where an earlier worker, or an earlier visit, got to */
      from: Begun | null;
      /** take no step until told */
      paused: boolean;
      /** write it to this browser's storage */
      keep: boolean;
    }
  | { type: 'pause'; race: RaceId }
  | { type: 'resume'; race: RaceId }
  /** one step of every racer, then paused */
  | { type: 'step'; race: RaceId }
  | { type: 'stop'; race: RaceId };

export type TrainingRequest = Ask<TrainerCalls> | TrainingOrder | Cancel;

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

export type RaceEvent =
  /** @see claimsWord: what the race is judged by */
  | { type: 'backend'; race: RaceId; backend: BackendInfo; claims: number }
  | { type: 'progress'; race: RaceId; progress: RaceProgress }
  | { type: 'trained'; race: RaceId; racer: number; report: StepReport }
  /** steps whose rollouts can still be had: all of them, until they take too much memory */
  | { type: 'held'; race: RaceId; racer: number; steps: number[] }
  | { type: 'snapshot'; race: RaceId; snapshot: RaceSnapshot }
  /** written to this browser's storage, or why it cannot be; a sentence */
  | { type: 'kept'; race: RaceId; kept: RaceKey | null; trouble: string | null }
  | { type: 'failed'; race: RaceId; message: string; canResume: boolean };

export type TrainingEvent = RaceEvent | Answer<TrainerCalls>;
