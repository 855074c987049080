/**
 * The code of every experiment in the manifest. Contract: settings are `unknown` here (they come from a
 * link or a message) and reach an experiment only after its schema has passed them.
 */
import * as v from 'valibot';
import type { Rollouts } from '../rollouts/rollouts';
import { clipping } from './clipping';
import { dependence } from './dependence';
import { entropy } from './entropy';
import { equivalence } from './equivalence';
import type { ExperimentContext } from './experiment';
import { experts } from './experts';
import { gradient } from './gradient';
import { length } from './length';
import type { ExperimentId } from './manifest';
import { mismatch } from './mismatch';
import { numerics } from './numerics';
import { objectives } from './objectives';
import { precision } from './precision';
import { ExperimentInputError } from './shared/input';
import { variance } from './variance';
import { weights } from './weights';

export const EXPERIMENTS = {
  equivalence,
  entropy,
  variance,
  dependence,
  weights,
  length,
  clipping,
  gradient,
  precision,
  objectives,
  experts,
  mismatch,
  numerics,
} as const satisfies Record<ExperimentId, object>;

/** What experiment `Id` returns. */
export type ExperimentResult<Id extends ExperimentId> = Awaited<
  ReturnType<(typeof EXPERIMENTS)[Id]['run']>
>;

/**
 * @param settings checked against the experiment's schema; undefined means the defaults
 * @throws ExperimentInputError on settings (naming the one that is wrong) or rollouts that it cannot work on
 */
export async function runExperiment<Id extends ExperimentId>(
  id: Id,
  rollouts: Rollouts,
  settings: unknown,
  context: ExperimentContext,
): Promise<ExperimentResult<Id>> {
  // TypeScript does not see that the schema and `run` of one entry belong together for a generic Id.
  const { schema, defaults, run } = EXPERIMENTS[id] as {
    schema: v.GenericSchema;
    defaults: unknown;
    run(rollouts: Rollouts, settings: unknown, context: ExperimentContext): unknown;
  };
  const parsed = v.safeParse(schema, settings === undefined ? defaults : settings);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue) ?? 'settings';
    throw new ExperimentInputError(`Experiment "${id}", setting "${path}": ${issue.message}`);
  }
  return (await run(rollouts, parsed.output, context)) as ExperimentResult<Id>;
}
