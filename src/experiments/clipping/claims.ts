/**
 * Verdicts (`shared/verdict.ts`): share outside at the published bands against the prediction, and the
 * difference in that share between long and short responses under the adaptive band against 0, both by
 * interval with resolution SHARE_RESOLUTION. "Two orders of magnitude": log10 of GSPO's over GRPO's
 * share of clipped tokens; holds when the whole interval is above TWO_ORDERS_LIMIT, fails when it is below,
 * too few otherwise or where GRPO clips nothing.
 */
import { GRPO_BAND, GSPO_BAND } from '../../math/objectives/registry';
import type { Claim, Verdicts } from '../experiment';
import { BOOTSTRAP_METHOD, judged, numberClaim } from '../shared/verdict';
import type { PredictedClipping } from './predict';
import type { ClippingSettings } from './settings';

const SHARE_RESOLUTION = 0.05;
/** log10: nearer to two orders of magnitude than to one */
const TWO_ORDERS_LIMIT = 1.5;

export function clippingClaims(predicted: PredictedClipping, { z }: ClippingSettings): Verdicts {
  return judged([
    outsideClaim(predicted, 'gspo'),
    outsideClaim(predicted, 'grpo'),
    twoOrdersClaim(predicted),
    numberClaim({
      id: 'clipping.adaptive',
      claim: `Adaptive clipping at ${z} sigma / sqrt(L) puts the same share outside for long and for short responses.`,
      prediction: 0,
      estimate: predicted.adaptiveDifference,
      n: predicted.sequences,
      nOf: 'sequences',
      resolution: SHARE_RESOLUTION,
      method: `Share outside among the longest third minus the shortest third. ${BOOTSTRAP_METHOD}`,
    }),
  ]);
}

function outsideClaim(
  { outside, tokens, sequences }: PredictedClipping,
  id: 'grpo' | 'gspo',
): Claim {
  const { measured, interval, predicted } = outside[id];
  const [name, band, n, nOf] =
    id === 'grpo'
      ? (['token ratios', GRPO_BAND, tokens, 'tokens'] as const)
      : (['sequence weights', GSPO_BAND, sequences, 'sequences'] as const);
  return numberClaim({
    id: `clipping.${id}-outside`,
    claim: `The share of ${name} outside ${band.low}/${band.high} is that of a normal law with the mu and sigma of the tokens.`,
    prediction: predicted,
    estimate: { estimate: measured, interval },
    n,
    nOf,
    resolution: SHARE_RESOLUTION,
    method: `Share outside the published band. ${BOOTSTRAP_METHOD}`,
  });
}

function twoOrdersClaim({ orders: { log10, interval }, tokens }: PredictedClipping): Claim {
  return {
    id: 'clipping.two-orders',
    claim: 'GSPO clips two orders of magnitude more tokens than GRPO, each at its published band.',
    prediction: 2,
    measured: log10,
    interval,
    n: tokens,
    nOf: 'tokens',
    verdict:
      interval === null
        ? 'too few'
        : interval[0] > TWO_ORDERS_LIMIT
          ? 'holds'
          : interval[1] < TWO_ORDERS_LIMIT
            ? 'fails'
            : 'too few',
    rule:
      `log10 of the quotient of clipped token shares. ${BOOTSTRAP_METHOD} Holds when the whole interval is above ` +
      `${TWO_ORDERS_LIMIT}, fails when it is below; too few otherwise, and where one of them clips nothing.`,
  };
}
