/**
 * Claims of `gradient`: two identities. How a response's gradient grows with its length is no claim: near s = 1 it is what
 * the aggregation of the loss says, on any policy.
 */
import type { Claim, Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { DerivativeCheck } from './measure';
import type { PredictedGradient } from './predict';

const IDENTITY_TOLERANCE = 1e-9;
/** relative: room for the rounding of central differences in float64 (about 1e-10) */
export const DERIVATIVE_TOLERANCE = 1e-8;

export const GRADIENT_CLAIMS = declare([
  {
    kind: 'identity',
    id: 'gradient.gspo-token',
    source: 'gspo',
    where: 'section 4.3: GSPO-token',
    claim: 'GSPO and GSPO-token have the same gradient for every token.',
    estimand:
      'Largest deviation of GSPO-token’s gradient from the derivative of GSPO’s loss, over the largest gradient.',
    estimator:
      'Central differences at a few tokens of a few responses with A ≠ 0 off the edges of the band.',
    fails: 'Advantages that differ within a response.',
    nOf: 'tokens',
    tolerance: '1e-8, the rounding of central differences',
  },
  {
    kind: 'identity',
    id: 'gradient.information-gain',
    source: 'liu',
    where:
      'abstract: exp(dH); the same claim as equivalence.entropy, here of the weight that the loss uses',
    claim: 'GSPO’s weight of a response is exp(dH), dH the drop of its empirical cross-entropy.',
    estimand:
      'Largest relative deviation of the loss’s weight from exp(H_old − H_theta), over responses.',
    estimator: 'Both in float64, each cross-entropy on its own.',
    fails: 'An error of arithmetic: it is an identity.',
    nOf: 'sequences',
    tolerance: '1e-9',
  },
]);

export function gradientClaims(
  { derivative, informationGain }: PredictedGradient,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(GRADIENT_CLAIMS, planned);
  const { deviation, n } = informationGain;
  return judgedPage([
    gspoTokenClaim(derivative),
    judge.identity('gradient.information-gain', deviation, IDENTITY_TOLERANCE, n),
  ]);
}

export function gspoTokenClaim({ largest, scale, n }: DerivativeCheck): Claim {
  const judge = judgeFamily(GRADIENT_CLAIMS, 1);
  if (scale === 0 && largest === 0) {
    return judge.none(
      'gradient.gspo-token',
      'No gradient passes: every advantage is 0 or every response is clipped.',
    );
  }
  // A gradient where GSPO has none anywhere is wrong by all of itself.
  const deviation = scale > 0 ? largest / scale : 1;
  return judge.identity('gradient.gspo-token', deviation, DERIVATIVE_TOLERANCE, n);
}
