/**
 * Claims of `dependence`: each part of Var[log s | L] by its own name, and whether the law of the parts predicts prompts
 * that it was not fitted on. The rule is that of `shared/claim.ts`.
 */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedDependence } from './predict';

const LAB = { source: 'lab', where: 'what sigma^2 / L assumes, part by part' } as const;

export const DEPENDENCE_CLAIMS = declare([
  {
    kind: 'interval',
    id: 'dependence.covariance',
    ...LAB,
    claim: 'Tokens of one response are uncorrelated: their covariances add nothing to Var[log s].',
    estimand:
      'What covariances between tokens of one response add to the mean of L Var[log s | L], in units of the token variance.',
    estimator:
      'Level of the variance less 1 and less what different responses to one prompt share; jackknife over prompts.',
    fails:
      'Neighbouring log-ratios that move together (positive) or against each other (negative).',
    nOf: 'tokens',
    prediction: 0,
    margin: { low: -0.2, high: 0.2 },
    why: 'A fifth of the variance is a tenth of the spread: L_eff within a fifth of L.',
    scale: 'plain',
    spread: [0.58, 0.57],
  },
  {
    kind: 'interval',
    id: 'dependence.prompt',
    ...LAB,
    claim: 'Responses to one prompt are independent: their log weights share no prompt effect.',
    estimand: 'Intraclass correlation of √L (log s − E[log s | L]) among responses to one prompt.',
    estimator:
      'Products of different responses over squares, by Fisher’s transform; jackknife over prompts.',
    fails:
      'Prompts on which the new policy likes all responses more, or less, than the old one does.',
    nOf: 'prompts',
    prediction: 0,
    margin: { low: -0.1, high: 0.1 },
    why: 'A tenth of the variance that no longer response averages away.',
    scale: 'intraclass',
    spread: [1.6, 1.64],
  },
  {
    kind: 'interval',
    id: 'dependence.mean-by-length',
    ...LAB,
    claim: 'The mean of log s does not depend on the length.',
    estimand: 'Correlation of log s with log L, responses weighted by their tokens.',
    estimator: 'Weighted Pearson correlation, by Fisher’s z; jackknife over prompts.',
    fails: 'Drift: longer responses whose tokens have become less, or more, likely on average.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.2, high: 0.2 },
    why: 'Its square is the share of the variance of log s that the length explains: 4 %.',
    scale: 'correlation',
    spread: [0.42, 0.43],
  },
  {
    kind: 'interval',
    id: 'dependence.position',
    ...LAB,
    claim: 'The variance of a token log-ratio does not depend on its position.',
    estimand: 'b in E[(d_t − E[log s | L])² | t] = exp(a + b log t).',
    estimator: 'Estimating equations of a gamma family over all tokens; jackknife over prompts.',
    fails: 'First tokens that are less certain than late ones, and so move more.',
    nOf: 'tokens',
    prediction: 0,
    margin: { low: -0.2, high: 0.2 },
    why: 'A fifth of the exponent of 1/L, as for the slope of Var[log s].',
    scale: 'plain',
    spread: [0.07, 0.76],
  },
  {
    kind: 'interval',
    id: 'dependence.law',
    ...LAB,
    where: 'the law of the parts',
    claim:
      'Fitted on some prompts, the law of the parts predicts Var[log s] on prompts that it never saw.',
    estimand: 'Sum of L (log s − E[log s | L])² over sum of L v(L), v fitted on other prompts.',
    estimator:
      'Five-fold cross-fitting over prompts, every response judged once; jackknife, fit and all.',
    fails:
      'A part that the law lacks: variance that belongs to the response, covariance beyond the window.',
    nOf: 'sequences',
    prediction: 1,
    margin: { low: 0.8, high: 1.25 },
    why: 'As for σ²/L itself.',
    scale: 'log',
    spread: [0.49, 0.96],
  },
  {
    kind: 'interval',
    id: 'dependence.law-tilt',
    ...LAB,
    where: 'the law of the parts',
    claim:
      'On prompts that it never saw, the law of the parts follows the length as Var[log s] does.',
    estimand: 'Slope of log(measured / predicted) on log L, predicted from other prompts.',
    estimator:
      'Estimating equations of a gamma family, five-fold cross-fitting; jackknife, fit and all.',
    fails: 'Long responses that differ from short ones in more than their positions.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.2, high: 0.2 },
    why: 'As for the slope of Var[log s].',
    scale: 'plain',
    spread: [0.54, 1.5],
  },
]);

const NO_PAIRS =
  'No prompt has two responses, so what a prompt does cannot be told from what its tokens do.';

export function dependenceClaims(
  { inference, sequences, tokens, prompts, promptSize }: PredictedDependence,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(DEPENDENCE_CLAIMS, planned);
  const pairs = promptSize === null ? null : inference;
  return judgedPage(
    [
      judge.interval('dependence.covariance', pairs?.covariance ?? null, tokens, {
        note: pairs ? null : NO_PAIRS,
      }),
      judge.interval('dependence.prompt', pairs?.prompt ?? null, prompts, {
        note: pairs ? null : NO_PAIRS,
        size: promptSize ?? 2,
      }),
      judge.interval('dependence.mean-by-length', inference.mean, sequences),
      judge.interval('dependence.position', inference.position, tokens),
      judge.interval('dependence.law', inference.law, sequences),
      judge.interval('dependence.law-tilt', inference.lawTilt, sequences),
    ],
    (id) => !id.startsWith('dependence.law'),
  );
}
