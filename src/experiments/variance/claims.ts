/**
 * Verdicts (`shared/verdict.ts`): a slope fails when its 95 % interval excludes the prediction, holds when it
 * contains it with a half-width of at most SLOPE_RESOLUTION; the level, measured over predicted variance
 * averaged over the points (geometric mean, weighted by responses), likewise around 1 with
 * LEVEL_RESOLUTION; too few otherwise.
 */
import type { Claim, Verdicts } from '../experiment';
import { PREDICTED_SLOPES, type VarianceCurve } from '../shared/variance-curve';
import { BOOTSTRAP_METHOD, judged, numberClaim, slopeClaim } from '../shared/verdict';
import type { PredictedVariance } from './predict';

const LEVEL_RESOLUTION = 0.2;
/** The question is about log s; the unnormalised weight and the token stand beside it in the ledger. */
const DECIDING = new Set([
  'variance.slope',
  'variance.level',
  'variance.prefix-slope',
  'variance.prefix-level',
]);

function levelClaim(id: string, sentence: string, curve: VarianceCurve): Claim {
  return numberClaim({
    id,
    claim: sentence,
    prediction: 1,
    estimate: curve.level,
    n: totalSequences(curve),
    nOf: 'sequences',
    resolution: LEVEL_RESOLUTION,
    method: `Measured over predicted variance, geometric mean over the lengths. ${BOOTSTRAP_METHOD}`,
  });
}

/** Bins hold different responses, prefixes the same ones. */
function totalSequences(curve: VarianceCurve): number {
  if (curve.kind === 'prefix') return curve.points[0]?.sequences ?? 0;
  return curve.points.reduce((sum, point) => sum + point.sequences, 0);
}

export function varianceClaims({ natural, prefix }: PredictedVariance): Verdicts {
  const slope = (
    id: string,
    claim: string,
    of: VarianceCurve,
    weight: keyof typeof PREDICTED_SLOPES,
  ): Claim =>
    slopeClaim({
      id,
      claim,
      fitted: of.slopes[weight],
      prediction: PREDICTED_SLOPES[weight],
      n: of.points.length,
      method: 'Slope of log variance on log length, weighted by responses.',
    });
  return judged(
    [
      slope(
        'variance.slope',
        'Var[log s] falls like 1/L over responses of different lengths: slope -1.',
        natural,
        'sequence',
      ),
      levelClaim(
        'variance.level',
        'Var[log s] is sigma^2 / L with the sigma^2 of the tokens, over natural lengths.',
        natural,
      ),
      slope(
        'variance.prefix-slope',
        'Var[log s] falls like 1/L when the same responses are cut at L: slope -1.',
        prefix,
        'sequence',
      ),
      levelClaim(
        'variance.prefix-level',
        'Var[log s] is sigma^2 / L with the sigma^2 of the tokens, over prefixes of the same responses.',
        prefix,
      ),
      slope(
        'variance.unnormalised-slope',
        'Var[log rho] of the unnormalised weight grows like L: slope +1.',
        natural,
        'unnormalised',
      ),
      slope(
        'variance.token-slope',
        'The variance of token log-ratios does not depend on the length: slope 0.',
        natural,
        'token',
      ),
    ],
    (id) => DECIDING.has(id),
  );
}
