/**
 * Verdict: `holds` when the largest relative deviation of every form stays within `tolerance`
 * (`predict.ts`), `fails` when one does not, `too few` below MIN_SEQUENCES. `equivalence.shannon` (dH is not
 * the Shannon entropy change) is judged by the interval of the correlation between the two: `holds` below
 * SAME_QUANTITY, `fails` above.
 */
import type { Claim, Verdicts } from '../experiment';
import { judged } from '../shared/verdict';
import type { Deviation, Form } from './measure';
import type { PredictedEquivalence } from './predict';

const MIN_SEQUENCES = 20;
/** At or above this correlation the Shannon-entropy change and dH could pass for one quantity. */
const SAME_QUANTITY = 0.99;

const FORM_CLAIMS: Record<Form, string> = {
  geometric: 'Form 1, the geometric mean of the token ratios, is the sequence weight s.',
  perplexity: 'Form 2, the perplexity ratio PPL_old / PPL_theta, is the sequence weight s.',
  entropy: 'Form 3, exp(dH) with dH the cross-entropy change, is the sequence weight s.',
};

/** The question is about the forms; the claim about Shannon's entropy stands beside it in the ledger. */
export function equivalenceClaims(predicted: PredictedEquivalence): Verdicts {
  const { deviations, sequences, tolerance } = predicted;
  return judged(
    [...deviations.map((d) => formClaim(d, sequences, tolerance)), shannonClaim(predicted)],
    (id) => id !== 'equivalence.shannon',
  );
}

function formClaim({ form, max }: Deviation, n: number, tolerance: number): Claim {
  return {
    id: `equivalence.${form}`,
    claim: FORM_CLAIMS[form],
    prediction: 0,
    measured: max,
    interval: null,
    n,
    nOf: 'sequences',
    verdict: n < MIN_SEQUENCES ? 'too few' : max <= tolerance ? 'holds' : 'fails',
    rule:
      `Largest relative deviation from exp(mean d_t) in float64 over all sequences; holds up to ` +
      `${tolerance}, too few below ${MIN_SEQUENCES} sequences.`,
  };
}

function shannonClaim({
  points,
  sequences,
  shannonCorrelation,
  shannonInterval: interval,
}: PredictedEquivalence): Claim {
  // Sources have Shannon entropies for all tokens or for none.
  const n = points.some(({ shannonChange }) => shannonChange !== null) ? sequences : 0;
  let verdict: Claim['verdict'] = 'too few';
  if (interval && n >= MIN_SEQUENCES) {
    if (interval[1] < SAME_QUANTITY) verdict = 'holds';
    else if (interval[0] >= SAME_QUANTITY) verdict = 'fails';
  }
  return {
    id: 'equivalence.shannon',
    claim:
      'dH is the change of the cross-entropy of the sampled response, ' +
      "not the change of the policy's Shannon entropy.",
    prediction: null,
    measured: shannonCorrelation,
    interval,
    n,
    nOf: 'sequences',
    verdict,
    rule:
      `Correlation of the two changes over sequences, 95 % interval by cluster bootstrap over prompts; ` +
      `holds when the interval lies below ${SAME_QUANTITY}, fails when it lies above, otherwise too few. ` +
      'Sources without Shannon entropies cannot decide it.',
  };
}
