/**
 * Experiment `experts`: what it does to the log-ratios that pi_theta sends a token to other experts than pi_old did.
 *
 * A token's route has flipped where the set of chosen experts changed in some layer. Flipped tokens are compared with
 * others that were as near to another route (the smallest margin of their routers under pi_old), since a narrow margin may go
 * with an unsure token. Of Var[log s] = Var[sum over flipped + sum over the others] / L^2, the share of the flipped ones is
 * Cov(flipped part, log s) / Var[log s]; were all tokens alike, it would be their share of the tokens. Routing replay
 * (pi_theta on pi_old's routes) says what flips do besides changing the tokens where they happen: the caches behind
 * them are others, too.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/settings';
import { expertsClaims } from './claims';
import { measureExperts } from './measure';
import { predictExperts, type PredictedExperts } from './predict';

export type { Level, MeasuredReplay, ReplayedObjective } from './measure';
export type { ExpertsMeasure, MarginBin } from './predict';
export type ExpertsResult = PredictedExperts & Verdicts;

export const experts = pipeline({
  schema: curveSettingsSchema,
  defaults: CURVE_DEFAULTS,
  measure: measureExperts,
  predict: predictExperts,
  claims: expertsClaims,
});
