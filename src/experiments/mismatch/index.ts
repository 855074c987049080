/**
 * Experiment `mismatch`: the engine that sampled is not the trainer. Same weights, other precision, other
 * kernels, a truncated distribution: log pi_old of the trainer differs from log pi_sampler of the engine.
 *
 * With e_t = log pi_old(y_t) - log pi_sampler(y_t), rho = exp(sum_t e_t) corrects for it exactly, and
 * explodes: Var[log rho] = L sigma^2, effective sample size n exp(-L sigma^2). The length-normalised weight
 * exp((1/L) sum_t e_t) does not: sigma^2 / L. It is the same law as of s, on another pair of policies, so
 * the curves of `variance` and `weights` are drawn for that pair.
 *
 * Where the sampler drew the tokens and reports what it drew from, the weights average 1 (for normal e_t:
 * bias -sigma^2 / 2 per token, the price of Jensen). A sampler that truncates (top-p, top-k) or reports
 * log-probs of another temperature breaks that; how much of it was to be expected is in `known.ts`.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/settings';
import { mismatchClaims } from './claims';
import { measureMismatch } from './measure';
import { predictMismatch, type PredictedMismatch } from './predict';

export type { KnownShift, Shift } from './known';
export type { CorrectionRow, GrownId } from './measure';
export type { SurenessBin } from '../shared/pair-difference';
export type { MismatchMeasure, PredictedGrowth } from './predict';
export type MismatchResult = PredictedMismatch & Verdicts;

export const mismatch = pipeline({
  schema: curveSettingsSchema,
  defaults: CURVE_DEFAULTS,
  measure: measureMismatch,
  predict: predictMismatch,
  claims: mismatchClaims,
});
