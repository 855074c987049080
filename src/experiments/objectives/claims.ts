/**
 * Verdicts: "one loss, two counts" is an identity (largest relative deviation of verl's GSPO loss from
 * TRL's, verl adding 1e-8 to each length) and holds up to LOSS_TOLERANCE. verl also caps log s at 10: where
 * that acts the claim may fail, and its rule says that the cap is the one difference. "The ratios average 1"
 * says that pi_old drew the responses, without which k1, k3 and chi-square estimate nothing; judged by the
 * interval of the mean token ratio (`shared/verdict.ts`) with resolution RATIO_RESOLUTION.
 */
import type { Claim, Verdicts } from '../experiment';
import { BOOTSTRAP_METHOD, judged, numberClaim } from '../shared/verdict';
import type { MeasuredObjectives } from './measure';

/** verl's 1e-8 beside each length moves a loss by at most that much per token. */
const LOSS_TOLERANCE = 1e-7;
const RATIO_RESOLUTION = 0.01;

export function objectivesClaims({
  loss,
  meanRatio,
  sequences,
  tokens,
}: MeasuredObjectives): Verdicts {
  return judged([
    lossClaim(loss, sequences),
    numberClaim({
      id: 'objectives.mean-ratio',
      claim:
        'The token ratios average 1, as they must where pi_old drew the tokens; only then do k1, k3 and ' +
        'chi-square estimate a divergence.',
      prediction: 1,
      estimate: meanRatio,
      n: tokens,
      nOf: 'tokens',
      resolution: RATIO_RESOLUTION,
      method: `Mean of r_t over tokens. ${BOOTSTRAP_METHOD}`,
    }),
  ]);
}

function lossClaim(
  { deviation: off, uncapped: rest, cap, capped }: MeasuredObjectives['loss'],
  n: number,
): Claim {
  const differs = n > 0 && !(off <= LOSS_TOLERANCE);
  const clamp =
    capped === 0
      ? `verl caps log s at ${cap}, TRL does not; no response here gets there.`
      : `verl caps log s at ${cap}, TRL does not; ${capped} of ${n} responses here are beyond. ` +
        (differs && rest <= LOSS_TOLERANCE
          ? `That cap is the one difference: over the others the deviation is ${rest.toExponential(1)}.`
          : `Over the others the deviation is ${rest.toExponential(1)}.`);
  return {
    id: 'objectives.gspo-loss',
    claim: 'GSPO is one loss in TRL and in verl: the libraries differ only in what they count.',
    prediction: 0,
    measured: n > 0 ? off : null,
    interval: null,
    n,
    nOf: 'sequences',
    verdict: n === 0 ? 'too few' : differs ? 'fails' : 'holds',
    rule:
      `Deviation of verl's loss from TRL's over the sum of absolute token losses; holds up to ` +
      `${LOSS_TOLERANCE}, fails above. An identity needs no interval. ${clamp}`,
  };
}
