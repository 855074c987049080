/** Claims of `weights`, the lab's own: the paper stops at the log domain. The rule is that of `shared/claim.ts`. */
import type { Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedWeights } from './predict';

/** Above this predicted share all weights are nearly 1, whatever their law. */
const NEARLY_ALL = 0.9;

const LAB = {
  source: 'lab',
  where: 'log-normal weights',
  kind: 'interval',
  scale: 'plain',
} as const;

export const WEIGHTS_CLAIMS = declare([
  {
    ...LAB,
    id: 'weights.kurtosis',
    claim: 'The log weight is normal once its length is taken out: excess kurtosis 0.',
    estimand: 'Excess kurtosis of √L (log s − its mean) over all responses.',
    estimator: 'Fourth over squared second moment, on the log scale; jackknife over prompts.',
    fails: 'Tokens so spiky that averaging over a response does not make them normal.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.5, high: 0.5 },
    why: 'At 0.5 a normal law is off by a tenth at the 1 % tails.',
    scale: 'kurtosis',
    spread: null,
  },
  {
    ...LAB,
    id: 'weights.unnormalised-share',
    claim: 'The effective sample size of the unnormalised weight over n is that of a log-normal.',
    estimand: '(Σ w)² / (n Σ w²) less exp(−L σ²), at the longest prefix of the cohort.',
    estimator: 'Difference, σ² from the tokens of the same responses; jackknife over prompts.',
    fails:
      'Tails that are heavier, or covariances that make the sum wider, than independent normal tokens.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.1, high: 0.1 },
    why: 'A tenth of the responses.',
    spread: null,
  },
  {
    ...LAB,
    id: 'weights.pareto',
    claim: 'The tail of the unnormalised weight is that of a log-normal (Pareto k-hat).',
    estimand:
      'k-hat of the largest weights less that of a log-normal of variance L σ², at the longest prefix.',
    estimator:
      'Zhang & Stephens (2009) over distinct responses; standard error by leaving out blocks of prompts.',
    fails: 'Tails heavier than log-normal ones.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.2, high: 0.2 },
    why: 'As far as from finite variance (k = 0.5) to useless averages (k = 0.7).',
    spread: null,
  },
]);

export function weightsClaims(
  { sequences, prefix: { points }, inference, sigma2 }: PredictedWeights,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(WEIGHTS_CLAIMS, planned);
  const last = points.at(-1);
  const at = last ? `At ${last.length} tokens.` : 'The responses have no common prefix.';
  const n = last?.sequences ?? 0;
  const predicted = last ? Math.exp(-last.length * sigma2) : NaN;
  const share =
    predicted > NEARLY_ALL
      ? judge.none(
          'weights.unnormalised-share',
          `Nothing to tell apart: at ${last?.length} tokens the weights are so near to 1 that a log-normal ` +
            `wastes ${(100 * (1 - predicted)).toPrecision(2)} % of the responses only.`,
          n,
        )
      : judge.interval('weights.unnormalised-share', inference.share, n, { note: at });
  return judgedPage([
    judge.interval('weights.kurtosis', inference.kurtosis, sequences),
    share,
    judge.interval('weights.pareto', inference.pareto, inference.tail, {
      note: inference.pareto === null ? 'k-hat wants ten distinct responses in its tail.' : at,
    }),
  ]);
}
