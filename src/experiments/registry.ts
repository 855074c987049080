/**
 * All experiments, by id. Contract: settings are `unknown` here (they come from a link or a message) and
 * reach an experiment only after its schema has passed them; a new experiment is one line in
 * EXPERIMENTS.
 */
import * as v from 'valibot';
import type { Rollouts } from '../rollouts/rollouts';
import { clipping, clippingSettingsSchema } from './clipping';
import { dependence, dependenceSettingsSchema } from './dependence';
import { equivalence, equivalenceSettingsSchema } from './equivalence';
import type { Claim, Experiment, ExperimentContext } from './experiment';
import { gradient, gradientSettingsSchema } from './gradient';
import { ExperimentInputError } from './shared/input';
import { length, lengthSettingsSchema } from './length';
import { mismatch, mismatchSettingsSchema } from './mismatch';
import { objectives, objectivesSettingsSchema } from './objectives';
import { precision, precisionSettingsSchema } from './precision';
import { variance, varianceSettingsSchema } from './variance';
import { weights, weightsSettingsSchema } from './weights';

function entry<Settings, Result extends { claims: Claim[] }>(
  experiment: Experiment<Settings, Result>,
  schema: v.GenericSchema<unknown, Settings>,
) {
  return {
    experiment,
    schema,
    /**
     * @param settings undefined means the defaults
     * @throws ExperimentInputError naming the setting that is wrong
     */
    async run(rollouts: Rollouts, settings: unknown, context: ExperimentContext): Promise<Result> {
      const parsed = v.safeParse(schema, settings === undefined ? experiment.defaults : settings);
      if (!parsed.success) {
        const [issue] = parsed.issues;
        const path = v.getDotPath(issue) ?? 'settings';
        throw new ExperimentInputError(
          `Experiment "${experiment.id}", setting "${path}": ${issue.message}`,
        );
      }
      return experiment.run(rollouts, parsed.output, context);
    },
  };
}

export const EXPERIMENTS = {
  equivalence: entry(equivalence, equivalenceSettingsSchema),
  variance: entry(variance, varianceSettingsSchema),
  dependence: entry(dependence, dependenceSettingsSchema),
  weights: entry(weights, weightsSettingsSchema),
  length: entry(length, lengthSettingsSchema),
  clipping: entry(clipping, clippingSettingsSchema),
  gradient: entry(gradient, gradientSettingsSchema),
  precision: entry(precision, precisionSettingsSchema),
  objectives: entry(objectives, objectivesSettingsSchema),
  mismatch: entry(mismatch, mismatchSettingsSchema),
} as const;

export type ExperimentId = keyof typeof EXPERIMENTS;
/** What experiment `Id` returns. */
export type ExperimentResult<Id extends ExperimentId> = Awaited<
  ReturnType<(typeof EXPERIMENTS)[Id]['run']>
>;

export const EXPERIMENT_IDS = Object.keys(EXPERIMENTS) as ExperimentId[];

export const experimentRegistry = {
  /**
   * @param settings checked against the experiment's schema
   * @throws ExperimentInputError on settings or rollouts that it cannot work on
   */
  run<Id extends ExperimentId>(
    id: Id,
    rollouts: Rollouts,
    settings: unknown,
    context: ExperimentContext,
  ): Promise<ExperimentResult<Id>> {
    // TypeScript does not see that EXPERIMENTS[id].run returns ExperimentResult<Id> for a generic Id
    return EXPERIMENTS[id].run(rollouts, settings, context) as Promise<ExperimentResult<Id>>;
  },
};
