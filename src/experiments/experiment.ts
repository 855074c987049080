/**
 * What an experiment is: a pure function of Rollouts, its own settings and the kernels it may call.
 * One file (or folder) per experiment, listed in `registry.ts`. Contract: results are plain
 * structured-cloneable data; verdicts come from intervals by a rule that the file states.
 */
import type { Kernels } from '../math/kernels';
import type { Rollouts } from '../rollouts/rollouts';

export type ExperimentVerdict = 'holds' | 'fails' | 'too few';

/** One line of the ledger. */
export interface Claim {
  /** stable, kebab-case, unique over all experiments: `variance.slope` */
  id: string;
  /** the sentence of the paper (or of the lab) that is put to the test */
  claim: string;
  /** predicted value; null where the claim is not about one number */
  prediction: number | null;
  /** measured value in the same unit */
  measured: number | null;
  /** 95 % interval of the measured value, or null */
  interval: [number, number] | null;
  /** how many observations the measurement rests on, and of what */
  n: number;
  nOf: 'tokens' | 'sequences' | 'prompts' | 'lengths' | 'steps';
  verdict: ExperimentVerdict;
  /** how the verdict follows from the interval, in words, shown on the page */
  rule: string;
}

export interface ExperimentContext {
  kernels: Kernels;
  /** seeds bootstrap and display streams only */
  seed: number;
  /** bootstrap replications; 999 unless told */
  replications?: number;
  /** aborts between chunks of work */
  signal?: AbortSignal;
  /** 0..1 */
  progress?(fraction: number): void;
}

export interface Experiment<Settings, Result extends { claims: Claim[] }> {
  id: string;
  title: string;
  /** the question in one sentence */
  question: string;
  defaults: Settings;
  run(rollouts: Rollouts, settings: Settings, context: ExperimentContext): Promise<Result>;
}
