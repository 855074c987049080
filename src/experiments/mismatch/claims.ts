/** Claims of `mismatch`, the lab's own: not applicable without sampler log-probs. The rule is that of `shared/claim.ts`. */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedMismatch } from './predict';

const LAB = { kind: 'interval', source: 'lab', scale: 'plain', spread: null } as const;

export const MISMATCH_CLAIMS = declare([
  {
    ...LAB,
    id: 'mismatch.mean-weight',
    where: 'importance sampling: E over the sampler of pi_old / pi_sampler',
    claim:
      'The token weights pi_old / pi_sampler average 1, as they must where the sampler drew from what it reports.',
    estimand: 'Mean of exp(eₜ) over tokens, eₜ = log pi_old − log pi_sampler.',
    estimator: 'Quotient of sums; jackknife over prompts.',
    fails: 'Samplers that truncate (top-p, top-k) or report log-probs of another temperature.',
    nOf: 'tokens',
    prediction: 1,
    margin: { low: 0.99, high: 1.01 },
    why: 'A hundredth of the weight.',
  },
  {
    ...LAB,
    id: 'mismatch.bias',
    where: 'normal noise around a mean weight of 1',
    claim: 'The bias per token is that of normal noise around a mean weight of 1: −σ²/2.',
    estimand: 'Mean of eₜ plus half its variance, nats per token.',
    estimator: 'From the same tokens; jackknife over prompts.',
    fails: 'Noise that is not normal, or that does not average to 1.',
    nOf: 'tokens',
    prediction: 0,
    margin: { low: -1e-3, high: 1e-3 },
    why: 'What the health report calls a mismatch worth attention, nats per token.',
  },
  {
    ...LAB,
    id: 'mismatch.mean-slope',
    where: 'the law of s on the pair (sampler, trainer)',
    claim:
      'The variance of the length-normalised log weight falls like 1/L (slope −1), and that of the sum grows like L (slope +1, the same number plus 2).',
    estimand: 'b in E[(mean of eₜ − its expectation)² | L] = exp(a + b log L).',
    estimator: 'Estimating equations of a gamma family over all responses; jackknife over prompts.',
    fails: 'Mismatch that comes in runs of tokens, or by prompt.',
    nOf: 'sequences',
    prediction: -1,
    margin: { low: -1.2, high: -0.8 },
    why: 'A fifth of the exponent, as for s.',
  },
]);

const NONE = 'The rollouts carry no log-probs of the sampler.';

export function mismatchClaims(
  { measure, tokens, sequences }: PredictedMismatch,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(MISMATCH_CLAIMS, planned);
  const note = measure === null ? NONE : null;
  return judgedPage([
    judge.interval('mismatch.mean-weight', measure?.meanRatio ?? null, tokens, { note }),
    judge.interval('mismatch.bias', measure?.biasExcess ?? null, tokens, { note }),
    judge.interval('mismatch.mean-slope', measure?.slope ?? null, sequences, { note }),
  ]);
}
