/** Claims of `entropy`. The rule is that of `shared/claim.ts`. */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedEntropy } from './predict';

const LAB = {
  kind: 'interval',
  source: 'lab',
  scale: 'plain',
  spread: null,
  nOf: 'tokens',
} as const;

export const ENTROPY_CLAIMS = declare([
  {
    ...LAB,
    id: 'entropy.first-order',
    where: 'Hao et al. (2025): entropy change as a covariance of log-probs and logit change',
    claim:
      'The policy’s Shannon entropy changes by minus the covariance of log-probs and logit change.',
    estimand: 'Mean change of the entropy over mean of −(log π_old(yₜ) + H_old) dₜ, over tokens.',
    estimator: 'Quotient of sums over the same tokens; jackknife over prompts.',
    fails:
      'Policies so far apart that the second order counts, or tokens that another policy than the old one drew.',
    prediction: 1,
    margin: { low: 0.8, high: 1.25 },
    why: 'A quarter of the change, either way.',
  },
  {
    ...LAB,
    id: 'entropy.cross-entropy',
    where: 'log s as minus a divergence: E[dₜ] = −KL(π_old ‖ π_θ)',
    claim:
      'The cross-entropy of the old policy’s own tokens changes in second order only, by −σ²/2 a token, whatever the entropy does.',
    estimand: 'Mean of dₜ plus half its variance, nats per token.',
    estimator: 'From the same tokens; jackknife over prompts.',
    fails: 'Tokens that another policy than the old one drew, or wide, lopsided log-ratios.',
    prediction: 0,
    margin: { low: -1e-3, high: 1e-3 },
    why: 'What the health report calls a mismatch worth attention, nats per token.',
  },
  {
    ...LAB,
    id: 'entropy.surprise',
    where: 'the definition of the entropy as mean surprise',
    claim: 'The tokens surprise the old policy by its own entropy, as those that it drew must.',
    estimand: 'Mean of log π_old(yₜ) + H_old, nats per token.',
    estimator: 'Mean over tokens; jackknife over prompts.',
    fails: 'Another temperature, or another policy, at sampling.',
    prediction: 0,
    margin: { low: -0.01, high: 0.01 },
    why: 'A hundredth of a nat per token.',
  },
]);

const NONE = 'The source has no Shannon entropies.';

export function entropyClaims(
  { measure, tokens }: PredictedEntropy,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(ENTROPY_CLAIMS, planned);
  const note = measure === null ? NONE : null;
  return judgedPage([
    judge.interval('entropy.first-order', measure?.quotient ?? null, tokens, { note }),
    judge.interval('entropy.cross-entropy', measure?.second ?? null, tokens, { note }),
    judge.interval('entropy.surprise', measure?.surprise ?? null, tokens, { note }),
  ]);
}
