/**
 * Experiment `objectives`: every objective's view of the same rollouts, as TRL computes it and as verl does,
 * and the divergences that trainers log beside it.
 *
 * Figures are those of `math/objectives` and `math/diagnostics`, at each library's recommended settings
 * unless a band or a length is given. `example` is the same table on three fixed responses
 * (`peer-example.ts`) on which TRL reports a GSPO clip share of 2/3 and verl 1/2.
 *
 * A mismatch correction (`shared/settings.ts`) multiplies token losses as each library does it (TRL leaves GMPO
 * and RLOO alone, VESPO folds it into its own weight). No library's clip metrics see it, so the shares that
 * they log stay; `closed` is the share of the correction's weight behind a closed gate.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { objectivesClaims } from './claims';
import { measureObjectives, type MeasuredObjectives } from './measure';
import { OBJECTIVES_DEFAULTS, objectivesSettingsSchema } from './settings';

export type { Divergences, ExampleResponse, ObjectiveRow, ObjectiveSide } from './measure';
export type ObjectivesResult = MeasuredObjectives & Verdicts;

export const objectives = pipeline({
  schema: objectivesSettingsSchema,
  defaults: OBJECTIVES_DEFAULTS,
  measure: measureObjectives,
  /** one loss, mean ratio 1: identities, nothing to compute */
  predict: (measured) => measured,
  claims: objectivesClaims,
});
