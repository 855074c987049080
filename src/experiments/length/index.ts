/**
 * Experiment `length`: what a short response does to a perplexity, and to s, the ratio of two.
 *
 * The perplexity of one response is exp(H), H the cross-entropy of its tokens. H is a mean of L noisy
 * terms and exp is convex, so mean perplexity exceeds the perplexity of the mean by a factor of about
 * exp(Var[H]/2) (exact for normal H): the *Jensen gap* log mean exp(H) - mean H, which should fall like
 * 1/L. Besides, early tokens may be harder than late ones: the *position* part, mean H at k minus mean H
 * at the longest prefix. s = PPL_old / PPL_theta shares most of the noise of both, so its own gap,
 * Var[log s]/2, is far smaller. Natural bins and prefixes of the same responses, as in `variance`.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { CURVE_DEFAULTS, curveSettingsSchema } from '../shared/settings';
import { lengthClaims } from './claims';
import { measureLength } from './measure';
import { predictLength, type PredictedLength } from './predict';

export type { ExponentiatedMean, LengthCurve, LengthPoint } from './predict';
export type LengthResult = PredictedLength & Verdicts;

export const length = pipeline({
  schema: curveSettingsSchema,
  defaults: CURVE_DEFAULTS,
  measure: measureLength,
  predict: predictLength,
  claims: lengthClaims,
});
