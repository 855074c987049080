/** Claims of `numerics`, the lab's own. The rule is that of `shared/claim.ts`. */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedNumerics } from './predict';

const LAB = { kind: 'interval', source: 'lab', scale: 'plain', spread: null } as const;

export const NUMERICS_CLAIMS = declare([
  {
    ...LAB,
    id: 'numerics.mean-weight',
    where: 'importance sampling: E over pi_old of pi_theta / pi_old',
    claim:
      'The token weights of the other arithmetic average 1, as those of any policy must where the old one drew the tokens.',
    estimand: 'Mean of exp(d_t) over tokens.',
    estimator: 'Quotient of sums; jackknife over prompts.',
    fails:
      'Responses sampled at another temperature than 1, or an arithmetic that gives no distribution.',
    nOf: 'tokens',
    prediction: 1,
    margin: { low: 0.99, high: 1.01 },
    why: 'A hundredth of the weight.',
  },
  {
    ...LAB,
    id: 'numerics.bias',
    where: 'rounding as normal noise around a mean weight of 1',
    claim: 'Another arithmetic is normal noise: the bias per token is −σ²/2.',
    estimand: 'Mean of d_t plus half its variance, nats per token.',
    estimator: 'From the same tokens; jackknife over prompts.',
    fails: 'Quantisation whose error is not normal: few tokens with large differences.',
    nOf: 'tokens',
    prediction: 0,
    margin: { low: -1e-3, high: 1e-3 },
    why: 'What the health report calls a mismatch worth attention, nats per token.',
  },
  {
    ...LAB,
    id: 'numerics.mean-slope',
    where: 'the law of s on one model in two arithmetics',
    claim:
      'What the arithmetic adds to log s falls with the length like any other difference: Var[log s] like 1/L (slope −1), and that of log rho grows like L.',
    estimand: 'b in E[(mean of d_t − its expectation)² | L] = exp(a + b log L).',
    estimator: 'Estimating equations of a gamma family over all responses; jackknife over prompts.',
    fails: 'Errors that come in runs of tokens, or by prompt.',
    nOf: 'sequences',
    prediction: -1,
    margin: { low: -1.2, high: -0.8 },
    why: 'A fifth of the exponent, as for s.',
  },
]);

const NONE = 'There are no responses yet.';

export function numericsClaims(
  { measure, tokens, sequences }: PredictedNumerics,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(NUMERICS_CLAIMS, planned);
  const note = measure === null ? NONE : null;
  return judgedPage([
    judge.interval('numerics.mean-weight', measure?.meanRatio ?? null, tokens, { note }),
    judge.interval('numerics.bias', measure?.biasExcess ?? null, tokens, { note }),
    judge.interval('numerics.mean-slope', measure?.slope ?? null, sequences, { note }),
  ]);
}
