/** Claims of `equivalence`: three identities, and that dH is not the Shannon entropy's change. */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedEquivalence } from './predict';

const LIU = {
  kind: 'identity',
  source: 'liu',
  where: 'abstract: the perplexity-entropy equivalence',
  estimand:
    'Largest relative deviation of the form from exp(mean dₜ) in float64, over all responses.',
  estimator: 'Each form by its own route through the kernels.',
  fails: 'An error of arithmetic: it is an identity.',
  nOf: 'sequences',
  tolerance: '1e-5 with float32 kernels (what they are tested to), 1e-12 in float64',
} as const;

export const EQUIVALENCE_CLAIMS = declare([
  {
    ...LIU,
    id: 'equivalence.geometric',
    claim: 'Form 1, the geometric mean of the token ratios, is the sequence weight s.',
  },
  {
    ...LIU,
    id: 'equivalence.perplexity',
    claim: 'Form 2, the perplexity ratio PPL_old / PPL_theta, is the sequence weight s.',
  },
  {
    ...LIU,
    id: 'equivalence.entropy',
    claim: 'Form 3, exp(dH) with dH the cross-entropy change, is the sequence weight s.',
  },
  {
    kind: 'interval',
    id: 'equivalence.shannon',
    source: 'lab',
    where: 'a reading of “entropy change” that the paper’s words allow',
    claim:
      'dH is the change of the cross-entropy of the sampled response, not the change of the policy’s Shannon entropy.',
    estimand: 'Correlation of the two changes over responses.',
    estimator: 'Pearson’s r by Fisher’s z; jackknife over prompts.',
    fails: 'Policies under which the two are the same number.',
    nOf: 'sequences',
    prediction: null,
    margin: { low: -1, high: 0.99 },
    why: 'At 0.99 or above the two could pass for one quantity.',
    scale: 'correlation',
    spread: null,
  },
]);

/** The question is about the forms; the claim about Shannon's entropy stands beside it in the ledger. */
export function equivalenceClaims(
  { deviations, histograms, sequences, tolerance, shannon }: PredictedEquivalence,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(EQUIVALENCE_CLAIMS, planned);
  // Where log-probs are no numbers, no form is one, and nothing is left to compare.
  const lost = Math.min(...Object.values(histograms).map(({ notFinite }) => notFinite));
  const why = `The weight of ${lost} of ${sequences} responses is not finite; look at their log-probs first.`;
  return judgedPage(
    [
      ...deviations.map(({ form, max }) =>
        lost > 0
          ? judge.none(`equivalence.${form}`, why, sequences)
          : judge.identity(`equivalence.${form}`, max, tolerance, sequences),
      ),
      judge.interval('equivalence.shannon', shannon, shannon === null ? 0 : sequences, {
        note: shannon === null ? 'The source has no Shannon entropies.' : null,
      }),
    ],
    (id) => id !== 'equivalence.shannon',
  );
}
