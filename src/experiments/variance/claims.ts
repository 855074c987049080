/** Claims of `variance`; the rule is that of `shared/claim.ts`. */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedVariance } from './predict';

const SLOPE_MARGIN = {
  margin: { low: -1.2, high: -0.8 },
  why: 'A fifth of the exponent: extrapolated over ten times the length, the variance is off by 1.6 at most.',
} as const;

export const VARIANCE_CLAIMS = declare([
  {
    kind: 'interval',
    id: 'variance.slope',
    source: 'liu',
    where: 'abstract and variance analysis: Var[log s] = sigma^2 / L',
    claim: 'Var[log s] falls like 1/L over responses of different lengths: slope −1.',
    estimand: 'b in E[(log s − E[log s | L])² | L] = exp(a + b log L).',
    estimator:
      'Estimating equations of a gamma family over all responses, each by its information; jackknife over prompts.',
    fails:
      'Variance of tokens, correlation or prompt effects that change with the length of the response.',
    nOf: 'sequences',
    prediction: -1,
    ...SLOPE_MARGIN,
    scale: 'plain',
    spread: [0.52, 1.28],
  },
  {
    kind: 'interval',
    id: 'variance.level',
    source: 'liu',
    where: 'abstract and variance analysis: Var[log s] = sigma^2 / L',
    claim: 'Averaging over L tokens divides the variance by L: Var[log s] is σ²/L.',
    estimand:
      'Mean over responses of L (log s − E[log s | L])², over the mean of the responses’ own token variance.',
    estimator: 'Quotient of sums over all responses, on the log scale; jackknife over prompts.',
    fails: 'Covariance between the tokens of a response, or between responses to one prompt.',
    nOf: 'sequences',
    prediction: 1,
    margin: { low: 0.8, high: 1.25 },
    why: 'A quarter of the variance is an eighth of the spread: less than a clip range is ever tuned by.',
    scale: 'log',
    spread: [0.49, 0.5],
  },
  {
    kind: 'interval',
    id: 'variance.prefix-slope',
    source: 'liu',
    where: 'abstract and variance analysis: Var[log s] = sigma^2 / L',
    claim: 'Var[log s] falls like 1/L when the same responses are cut at L: slope −1.',
    estimand:
      'b in E[(log s of the first k tokens − its mean)²] = exp(a + b log k), one cohort of responses.',
    estimator:
      'As for natural lengths, over prefixes from an eighth of the longest on; jackknife over prompts.',
    fails:
      'Correlated tokens, prompt effects, or tokens whose variance changes with their position.',
    nOf: 'sequences',
    prediction: -1,
    ...SLOPE_MARGIN,
    scale: 'plain',
    spread: [0.53, 1.89],
  },
  {
    kind: 'interval',
    id: 'variance.token-slope',
    source: 'lab',
    where: 'what one sigma^2 for all lengths assumes',
    claim:
      'One σ² serves all lengths: the variance of token log-ratios does not depend on the length.',
    estimand: 'b in E[mean squared token log-ratio | L] = exp(a + b log L).',
    estimator:
      'As for the slope of Var[log s], responses weighted by their tokens; jackknife over prompts.',
    fails: 'Policies that differ more, or less, on prompts with long answers.',
    nOf: 'tokens',
    prediction: 0,
    margin: { low: -0.2, high: 0.2 },
    why: 'A fifth of the exponent of 1/L, as for the slope.',
    scale: 'plain',
    spread: [0.1, 1.11],
  },
]);

export function varianceClaims(
  { inference, sequences, tokens, cohort }: PredictedVariance,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(VARIANCE_CLAIMS, planned);
  const left =
    cohort.left > 0 ? `${cohort.left} shorter responses are not in the cohort; they carry ` : null;
  return judgedPage(
    [
      judge.interval('variance.slope', inference.slope, sequences),
      judge.interval('variance.level', inference.level, sequences),
      judge.interval('variance.prefix-slope', inference.prefixSlope, cohort.sequences, {
        note:
          inference.prefixSlope === null
            ? 'The responses have no common prefix of two tokens.'
            : left &&
              `${left}${(100 * cohort.leftShare).toPrecision(2)} % of the squared deviation of log s.`,
      }),
      judge.interval('variance.token-slope', inference.tokenSlope, tokens),
    ],
    (id) => id !== 'variance.token-slope',
  );
}
