/** Claims of `precision`, the lab's own. The rule is that of `shared/claim.ts`. */
import type { Claim, Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import { noneSeen } from '../shared/proportions';
import { ALPHA } from '../../math/stats/anytime';
import { shareOfPage } from '../../math/stats/verdict';
import { MIN_PROMPTS } from '../../math/stats/jackknife';
import type { PrecisionRow, PredictedPrecision } from './predict';

const ENOUGH = 0.005;

const LAB = { kind: 'interval', source: 'lab', nOf: 'sequences', scale: 'plain' } as const;

export const PRECISION_CLAIMS = declare([
  {
    ...LAB,
    id: 'precision.bf16',
    where: 'a rounding error that is uniform over the spacing of the format',
    claim:
      'Rounding log-probs to bfloat16 puts the share of responses on the wrong side of the band that a uniform rounding error predicts.',
    estimand: 'Share of responses whose clip decision changes, less the predicted one.',
    estimator: 'Mean difference over responses; jackknife over prompts.',
    fails: 'Rounding errors that do not average: log-probs that repeat within a response.',
    prediction: 0,
    margin: { low: -0.02, high: 0.02 },
    why: 'Two responses in a hundred.',
    spread: null,
  },
  {
    ...LAB,
    id: 'precision.six-decimals',
    where: 'files that write six decimals',
    claim: 'Six decimals of the log-probs leave the clip decision as it is.',
    estimand: 'Share of responses whose clip decision changes.',
    estimator: 'Share over responses; jackknife over prompts, or what prompts without any say.',
    fails: 'Weights that lie within 1e-6 of an edge of the band.',
    prediction: null,
    margin: { low: -1, high: ENOUGH },
    why: 'Half a response in a hundred is below what a step’s clip share varies by.',
    spread: null,
  },
]);

export function precisionClaims(
  { rows, sequences }: PredictedPrecision,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(PRECISION_CLAIMS, planned);
  return judgedPage(
    rows.flatMap((row) => {
      if (row.format === 'bf16') return [judge.interval('precision.bf16', row.excess, sequences)];
      return row.format === 6 ? [sixDecimals(row, sequences, judge)] : [];
    }),
  );
}

function sixDecimals(
  { wrong, wrongSide }: PrecisionRow,
  n: number,
  judge: ReturnType<typeof judgeFamily<typeof PRECISION_CLAIMS>>,
): Claim {
  const claim = judge.interval('precision.six-decimals', wrong, n);
  if (wrongSide.measured !== 0 || wrong.clusters < MIN_PROMPTS) return claim;
  // none changed, so there is no spread: the rule of three, at every look
  const high = noneSeen(wrong.clusters, shareOfPage(PRECISION_CLAIMS.length, ALPHA));
  return {
    ...claim,
    interval: [0, high],
    verdict: high <= ENOUGH ? 'holds' : 'undecided',
    note: `No decision changed for any of ${wrong.clusters} prompts.`,
  };
}
