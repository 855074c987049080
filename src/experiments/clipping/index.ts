/**
 * Experiment `clipping`: what each objective clips, over all clip ranges, and what a normal model of the
 * log-ratios predicts.
 *
 * Any objective with an epsilon can be mapped (`CLIPPED_IDS`), with ratio, weight, aggregation and count of
 * its entry in the registry, TRL's or else verl's:
 * - mass kept is the gradient mass at the band over that of the same objective without any clipping;
 * - GMPO clips log r at -e_l and e_h; that also moves the weight of the response, so mass kept can exceed 1;
 * - CISPO caps the weight at 1 + e_h and keeps the gradient: clipped is a capped token with A > 0, as TRL
 *   counts, mass lost the part of the weight beyond the cap, whatever the sign of A; no lower edge;
 * - two-sided GRPO gives no gradient above delta, whatever epsilon is;
 * - DPPO's epsilon is a divergence of probabilities (up and down), for which no law is predicted.
 *
 * A mismatch correction (`shared/settings.ts`) weighs tokens and responses in everything below.
 */
import type { Verdicts } from '../experiment';
import { pipeline } from '../shared/pipeline';
import { clippingClaims } from './claims';
import { measureClipping } from './measure';
import { predictClipping, type PredictedClipping } from './predict';
import { CLIPPING_DEFAULTS, clippingSettingsSchema } from './settings';

export type { ClipMap, ClipSide, LengthClipPoint, SharePoint } from './predict';
export type ClippingResult = PredictedClipping & Verdicts;

export const clipping = pipeline({
  schema: clippingSettingsSchema,
  defaults: CLIPPING_DEFAULTS,
  measure: measureClipping,
  predict: predictClipping,
  claims: clippingClaims,
});
