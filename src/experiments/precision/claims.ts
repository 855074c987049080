/**
 * Verdicts (`shared/verdict.ts`): share on the wrong side against the prediction for bfloat16, by interval with
 * resolution WRONG_SIDE_RESOLUTION; "six decimals are enough" holds when the interval of its share lies
 * below ENOUGH, fails when it lies above, too few otherwise.
 */
import type { Claim, Verdicts } from '../experiment';
import { BOOTSTRAP_METHOD, judged, numberClaim } from '../shared/verdict';
import type { PrecisionRow, PredictedPrecision } from './predict';

const WRONG_SIDE_RESOLUTION = 0.02;
const ENOUGH = 0.005;

export function precisionClaims({ rows, sequences }: PredictedPrecision): Verdicts {
  return judged(
    rows.flatMap((row) => {
      if (row.format === 'bf16') return [uniformError(row, sequences)];
      return row.format === 6 ? [sixDecimals(row, sequences)] : [];
    }),
  );
}

function uniformError({ wrongSide }: PrecisionRow, n: number): Claim {
  const { measured, interval, predicted } = wrongSide;
  return numberClaim({
    id: 'precision.bf16',
    claim:
      'Rounding log-probs to bfloat16 puts the share of responses on the wrong side of the band that a uniform rounding error predicts.',
    prediction: predicted,
    estimate: { estimate: measured, interval },
    n,
    nOf: 'sequences',
    resolution: WRONG_SIDE_RESOLUTION,
    method: `Share of responses whose clip decision changes. ${BOOTSTRAP_METHOD}`,
  });
}

function sixDecimals({ wrongSide: { measured, interval } }: PrecisionRow, n: number): Claim {
  return {
    id: 'precision.six-decimals',
    claim: 'Six decimals of the log-probs leave the clip decision as it is.',
    prediction: 0,
    measured,
    interval,
    n,
    nOf: 'sequences',
    verdict:
      interval === null
        ? 'too few'
        : interval[1] <= ENOUGH
          ? 'holds'
          : interval[0] > ENOUGH
            ? 'fails'
            : 'too few',
    rule:
      `Share of responses whose clip decision changes. ${BOOTSTRAP_METHOD} (rule of three where none does). Holds ` +
      `when the interval lies below ${ENOUGH * 100} %, fails when it lies above; otherwise too few.`,
  };
}
