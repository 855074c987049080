/**
 * Verdicts (`shared/verdict.ts`): mean weight against 1 (RATIO_RESOLUTION), bias against -sigma^2 / 2
 * (BIAS_RESOLUTION, nats per token), slopes of log variance on log length over prefixes of the same
 * responses against +1 and -1 (SLOPE_RESOLUTION). All `too few` without sampler log-probs.
 */
import type { Verdicts } from '../experiment';
import { PREDICTED_SLOPES } from '../shared/variance-curve';
import { BOOTSTRAP_METHOD, judged, numberClaim, slopeClaim } from '../shared/verdict';
import type { PredictedMismatch } from './predict';

const RATIO_RESOLUTION = 0.01;
/** nats per token: what the health report calls a mismatch worth attention */
const BIAS_RESOLUTION = 1e-3;

export function mismatchClaims({ measure, tokens }: PredictedMismatch): Verdicts {
  const slopes = {
    n: measure?.prefix.points.length ?? 0,
    method: 'Slope of log variance on log length over prefixes of the same responses.',
  };
  return judged([
    numberClaim({
      id: 'mismatch.mean-weight',
      claim:
        'The token weights pi_old / pi_sampler average 1, as they must where the sampler drew from what ' +
        'it reports.',
      prediction: 1,
      estimate: measure?.meanRatio ?? null,
      n: tokens,
      nOf: 'tokens',
      resolution: RATIO_RESOLUTION,
      method: `Mean of exp(e_t) over tokens. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: 'mismatch.bias',
      claim: 'The bias per token is that of normal noise around a mean weight of 1: -sigma^2 / 2.',
      prediction: measure?.predictedBias ?? 0,
      estimate: measure?.bias ?? null,
      n: tokens,
      nOf: 'tokens',
      resolution: BIAS_RESOLUTION,
      method: `Mean of e_t over tokens, nats. ${BOOTSTRAP_METHOD}`,
    }),
    slopeClaim({
      id: 'mismatch.sum-slope',
      claim: 'The variance of the summed log weight grows like L: slope +1.',
      fitted: measure?.prefix.slopes.unnormalised ?? null,
      prediction: PREDICTED_SLOPES.unnormalised,
      ...slopes,
    }),
    slopeClaim({
      id: 'mismatch.mean-slope',
      claim: 'The variance of the length-normalised log weight falls like 1/L: slope -1.',
      fitted: measure?.prefix.slopes.sequence ?? null,
      prediction: PREDICTED_SLOPES.sequence,
      ...slopes,
    }),
  ]);
}
