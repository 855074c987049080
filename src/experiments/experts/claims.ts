/** Claims of `experts`. The rule is that of `shared/claim.ts`. */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedExperts } from './predict';

export const EXPERTS_CLAIMS = declare([
  {
    kind: 'interval',
    id: 'experts.inflation',
    source: 'gspo',
    where: 'section 5.3: expert activation makes token ratios fluctuate',
    claim: 'Where the route flipped, token ratios vary more than elsewhere: by half at least.',
    estimand:
      'Mean square of dₜ about its mean where flipped, over that of tokens that did not flip at the same margins of their routers.',
    estimator:
      'Quotient of sums, bins of equal numbers of tokens by margin; jackknife over prompts.',
    fails: 'Routers whose chosen and spared experts say nearly the same at a tie.',
    nOf: 'tokens',
    prediction: null,
    margin: { low: 1.5, high: Infinity },
    why: 'Half as much again: what a fluctuation must be to matter.',
    scale: 'log',
    spread: null,
  },
  {
    kind: 'interval',
    id: 'experts.share',
    source: 'lab',
    where: 'the sequence weight as an average over tokens',
    claim: 'Flipped tokens bring no more of Var[log s] than there are of them.',
    estimand: 'Share of Var[log s] from flipped tokens less their share of the tokens.',
    estimator: 'Covariance of their part with log s; jackknife over prompts.',
    fails: 'Flips that inflate token ratios, or that come where the policies differ anyway.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.1, high: 0.1 },
    why: 'A tenth of the variance.',
    scale: 'plain',
    spread: null,
  },
]);

const NONE = 'The rollouts carry no routes: the policy is dense, or the file does not say.';

export function expertsClaims(
  { measure, tokens, sequences }: PredictedExperts,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(EXPERTS_CLAIMS, planned);
  const still = measure !== null && measure.flipped.estimate === 0;
  const note = measure === null ? NONE : still ? 'No route flipped.' : null;
  const use = measure === null || still ? null : measure;
  return judgedPage([
    judge.interval('experts.inflation', use?.inflation ?? null, tokens, { note }),
    judge.interval('experts.share', use?.excess ?? null, sequences, { note }),
  ]);
}
