/**
 * What an experiment is: measure -> predict -> claims, each a pure function, composed into `run` by
 * `shared/pipeline.ts`. One folder per experiment (`settings.ts`, `measure.ts`, `predict.ts`, `claims.ts`);
 * its title and question stand in `manifest.ts`, its code is listed in `registry.ts`. Contract: results are
 * plain structured-cloneable data; verdicts come from intervals by the rule that `claims.ts` states.
 */
import type * as v from 'valibot';
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

/** What every experiment ends in. */
export interface Verdicts {
  claims: Claim[];
  /** the answer to the experiment's question */
  verdict: ExperimentVerdict;
}

/** What an experiment's folder declares. */
export interface ExperimentSteps<
  Settings,
  Measured,
  Predicted extends object,
  Judged extends Verdicts,
> {
  /** of the settings, which may come from a link or a message */
  schema: v.GenericSchema<unknown, Settings>;
  defaults: Settings;
  /** reads the rollouts: estimates with their intervals, nothing that a law says */
  measure(
    rollouts: Rollouts,
    settings: Settings,
    context: ExperimentContext,
  ): Measured | Promise<Measured>;
  /** lays beside each estimate what the closed form says; sees no rollouts */
  predict(measured: Measured, settings: Settings): Predicted;
  /** judges by intervals; sees no rollouts */
  claims(predicted: Predicted, settings: Settings): Judged;
}

/** The three steps in one. */
export interface Experiment<Settings, Result extends Verdicts> {
  schema: v.GenericSchema<unknown, Settings>;
  defaults: Settings;
  /** @throws ExperimentInputError on rollouts that it cannot work on */
  run(rollouts: Rollouts, settings: Settings, context: ExperimentContext): Promise<Result>;
}
