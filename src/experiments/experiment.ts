/**
 * What an experiment is: measure -> predict -> claims, each a pure function, composed into `run` by
 * `shared/pipeline.ts`. One folder per experiment (`settings.ts`, `measure.ts`, `predict.ts`, `claims.ts`);
 * its title and question stand in `manifest.ts`, its code is listed in `registry.ts`. Contract: results are
 * plain structured-cloneable data; verdicts come from intervals by the rule that `claims.ts` states.
 */
import type * as v from 'valibot';
import type { Kernels } from '../math/kernels';
import type { Rollouts } from '../rollouts/rollouts';
import type { Claim, Verdict } from './shared/claim';

export type { Claim, Verdict } from './shared/claim';

export interface ExperimentContext {
  kernels: Kernels;
  /** seeds what is shown of many: no estimate, no interval and no verdict depends on it */
  seed: number;
  /** prompts that the run will have; those that there are unless told */
  planned?: number | undefined;
  /** aborts between chunks of work */
  signal?: AbortSignal;
  /** 0..1 */
  progress?(fraction: number): void;
}

/** What every experiment ends in. */
export interface Verdicts {
  claims: Claim[];
  /** the answer to the experiment's question: the worst of the claims that decide it */
  verdict: Verdict;
  /** ids of those */
  deciding: string[];
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
  claims(predicted: Predicted, settings: NoInfer<Settings>, planned: number): Judged;
}

/** The three steps in one. */
export interface Experiment<Settings, Result extends Verdicts> {
  schema: v.GenericSchema<unknown, Settings>;
  defaults: Settings;
  /** @throws ExperimentInputError on rollouts that it cannot work on */
  run(rollouts: Rollouts, settings: Settings, context: ExperimentContext): Promise<Result>;
}
