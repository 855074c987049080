/**
 * Verdicts (`shared/verdict.ts`): a slope fails when its 95 % interval excludes the prediction, holds when it
 * contains it and is narrow enough, else too few.
 */
import type { Estimate } from '../../math/stats/clusters';
import type { Claim, Verdicts } from '../experiment';
import { BOOTSTRAP_METHOD, judged, numberClaim } from '../shared/verdict';
import type { PredictedLength } from './predict';

const GAP_SLOPE_RESOLUTION = 0.2;
const LEVEL_SLOPE_RESOLUTION = 0.05;

export function lengthClaims({ prefix }: PredictedLength): Verdicts {
  const slope = (
    id: string,
    claim: string,
    prediction: number,
    estimate: Estimate | null,
    resolution: number,
    what: string,
  ): Claim =>
    numberClaim({
      id,
      claim,
      prediction,
      estimate,
      n: prefix.points.length,
      nOf: 'lengths',
      resolution,
      method: `Slope of ${what} on log length over prefixes of the same responses. ${BOOTSTRAP_METHOD}`,
    });
  return judged([
    slope(
      'length.perplexity',
      'The perplexity estimate does not depend on how many tokens it is taken over.',
      0,
      prefix.perplexitySlope,
      LEVEL_SLOPE_RESOLUTION,
      'log mean PPL_old',
    ),
    slope(
      'length.jensen',
      'The upward bias of perplexity from noise (the Jensen gap) falls like 1/L.',
      -1,
      prefix.gapSlope,
      GAP_SLOPE_RESOLUTION,
      'the logarithm of log mean PPL_old - mean H_old',
    ),
    slope(
      'length.ratio',
      'The bias cancels in the ratio: mean s does not depend on the length.',
      0,
      prefix.ratioSlope,
      LEVEL_SLOPE_RESOLUTION,
      'log mean s',
    ),
  ]);
}
