/**
 * Claims of `length`, the lab's own. That perplexity itself depends on the length is no claim: noise alone makes it
 * (the Jensen gap), on any policy. The rule is that of `shared/claim.ts`.
 */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedLength } from './predict';

export const LENGTH_CLAIMS = declare([
  {
    kind: 'interval',
    id: 'length.ratio',
    source: 'lab',
    where: 'what a quotient of two perplexities over the same tokens promises',
    claim: 'Mean s does not depend on how many tokens it is taken over.',
    estimand: 'Slope of log mean s on log L over prefixes of the same responses.',
    estimator: 'Least squares over the prefix lengths; jackknife over prompts.',
    fails: 'Early tokens whose probability has changed more, or less, than that of late ones.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.01, high: 0.01 },
    why: 'A hundredth of s per e-fold of length.',
    scale: 'plain',
    spread: null,
  },
  {
    kind: 'interval',
    id: 'length.cancels',
    source: 'lab',
    where: 'what a quotient of two perplexities over the same tokens promises',
    claim:
      'The upward bias that noise gives a perplexity cancels in s: nine tenths of it at least.',
    estimand: 'Jensen gap of s over that of PPL_old (log mean exp x − mean x), over all responses.',
    estimator: 'Quotient of the two gaps; jackknife over prompts.',
    fails: 'Policies so far apart that their perplexities share little noise.',
    nOf: 'sequences',
    prediction: null,
    margin: { low: -Infinity, high: 0.1 },
    why: 'A tenth of the bias left.',
    scale: 'plain',
    spread: null,
  },
]);

export function lengthClaims(
  { inference, sequences, prefix }: PredictedLength,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(LENGTH_CLAIMS, planned);
  return judgedPage([
    judge.interval('length.ratio', inference.ratio, prefix.points[0]?.sequences ?? 0, {
      note: inference.ratio === null ? 'A slope wants three prefix lengths.' : null,
    }),
    judge.interval('length.cancels', inference.cancels, sequences),
  ]);
}
