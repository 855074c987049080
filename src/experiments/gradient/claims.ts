/**
 * Verdicts: GSPO-token's gradient is the derivative of GSPO's loss, taken by central differences on a sample
 * of responses and tokens; holds when the largest relative deviation is at most DERIVATIVE_TOLERANCE, fails
 * otherwise, too few where the sample has no gradient. GSPO's weight is exp(dH), an identity: holds up to
 * IDENTITY_TOLERANCE. The slope of a response's gradient on its length, by interval with resolution
 * SLOPE_RESOLUTION (`shared/verdict.ts`).
 */
import { objective } from '../../math/objectives/registry';
import type { Claim, Verdicts } from '../experiment';
import { BOOTSTRAP_METHOD, judged, numberClaim } from '../shared/verdict';
import {
  DERIVATIVE_RESPONSES,
  DERIVATIVE_TOKENS,
  type DerivativeCheck,
  type SlopedObjective,
} from './measure';
import type { PredictedGradient } from './predict';

const IDENTITY_TOLERANCE = 1e-9;
/** relative: room for the rounding of central differences in float64 (about 1e-10) */
export const DERIVATIVE_TOLERANCE = 1e-8;
const SLOPE_RESOLUTION = 0.1;
const MIN_SEQUENCES = 20;

export function gradientClaims(predicted: PredictedGradient): Verdicts {
  const { derivative, informationGain } = predicted;
  return judged([
    gspoTokenClaim(derivative),
    informationClaim(informationGain),
    ...(['gspo', 'dapo', 'rloo'] as const).map((id) => slopeClaim(predicted, id)),
  ]);
}

export function gspoTokenClaim({ largest, scale, n }: DerivativeCheck): Claim {
  // A gradient where GSPO has none anywhere is wrong by all of itself.
  const deviation = scale > 0 ? largest / scale : largest > 0 ? 1 : 0;
  return {
    id: 'gradient.gspo-token',
    claim: 'GSPO and GSPO-token have the same gradient for every token.',
    prediction: 0,
    measured: deviation,
    interval: null,
    n,
    nOf: 'tokens',
    verdict:
      scale === 0 && largest === 0
        ? 'too few'
        : deviation <= DERIVATIVE_TOLERANCE
          ? 'holds'
          : 'fails',
    rule:
      `GSPO-token's gradient against central differences of GSPO's loss, at up to ${DERIVATIVE_TOKENS} tokens ` +
      `each of up to ${DERIVATIVE_RESPONSES} responses with A ≠ 0 whose s is off the edges of the band. ` +
      'Largest deviation over the largest gradient; holds when it is at most ' +
      `${DERIVATIVE_TOLERANCE}, room for the rounding of the differences; fails otherwise; too few where no gradient passes.`,
  };
}

function informationClaim({ deviation, n }: PredictedGradient['informationGain']): Claim {
  return {
    id: 'gradient.information-gain',
    claim: "GSPO's weight of a response is exp(dH), dH the drop of its empirical cross-entropy.",
    prediction: 0,
    measured: deviation,
    interval: null,
    n,
    nOf: 'sequences',
    verdict: n === 0 ? 'too few' : deviation <= IDENTITY_TOLERANCE ? 'holds' : 'fails',
    rule: `Largest relative deviation; holds when it is at most ${IDENTITY_TOLERANCE}, fails otherwise. An identity needs no interval.`,
  };
}

function slopeClaim(
  { predictedSlopes, lengthSlopes, sequences: n }: PredictedGradient,
  id: SlopedObjective,
): Claim {
  const predicted = predictedSlopes[id];
  return numberClaim({
    id: `gradient.length-${id}`,
    claim:
      predicted === 0
        ? 'Under GSPO a response gets the same gradient whatever its length.'
        : `Under ${objective(id).title} the gradient of a response grows in proportion to its length.`,
    prediction: predicted,
    estimate: n >= MIN_SEQUENCES ? lengthSlopes[id] : null,
    n,
    nOf: 'sequences',
    resolution: SLOPE_RESOLUTION,
    method: `Slope of log gradient per unit of |A|, before the gate, on log length. ${BOOTSTRAP_METHOD}`,
  });
}
