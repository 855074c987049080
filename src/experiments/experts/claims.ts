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
  {
    kind: 'interval',
    id: 'experts.replay.token',
    source: 'gspo',
    where: 'section 5.3: routing replay restores the stability of token ratios',
    claim: 'On the old policy’s routes token ratios are quieter: by a tenth of Var[dₜ] at least.',
    estimand: 'Var[dₜ] with routing replay over Var[dₜ] without.',
    estimator: 'Quotient of sums over the same tokens, on the log scale; jackknife over prompts.',
    fails: 'Flips that matter little, or weights that moved where routes did not.',
    nOf: 'tokens',
    prediction: null,
    margin: { low: 0, high: 0.9 },
    why: 'A tenth: less would not be worth a second pass over every token.',
    scale: 'log',
    spread: null,
  },
  {
    kind: 'interval',
    id: 'experts.replay.sequence',
    source: 'gspo',
    where: 'section 5.3: GSPO resolves the instability without routing replay',
    claim:
      'The sequence weight does without routing replay: it leaves Var[log s] as it is, within a fifth.',
    estimand: 'Var[log s] with routing replay over Var[log s] without.',
    estimator:
      'Quotient of sums over the same responses, on the log scale; jackknife over prompts.',
    fails: 'Flips that bring a good part of the variance of whole responses.',
    nOf: 'sequences',
    prediction: 1,
    margin: { low: 0.8, high: 1.25 },
    why: 'As for the level of the law: a fifth of the variance is a tenth of the spread.',
    scale: 'log',
    spread: null,
  },
  {
    kind: 'interval',
    id: 'experts.averaging',
    source: 'lab',
    where: 'Var[log s] = σ²/L with and without replay',
    claim:
      'Averaging hides flips no more than other noise: replay leaves as much of Var[log s] as of Var[dₜ].',
    estimand: 'What replay leaves of Var[log s], over what it leaves of Var[dₜ].',
    estimator: 'Quotient of both quotients, on the log scale; jackknife over prompts.',
    fails: 'Changes by flips that cancel within a response, or that its tokens share.',
    nOf: 'sequences',
    prediction: 1,
    margin: { low: 0.8, high: 1.25 },
    why: 'As for the level of the law.',
    scale: 'log',
    spread: null,
  },
  {
    kind: 'interval',
    id: 'experts.replay.gradient',
    source: 'gspo',
    where: 'section 5.3: GSPO needs no routing replay',
    claim: 'Routing replay moves less of GSPO’s gradient than of GRPO’s.',
    estimand:
      'Sum over tokens of the change of the gradient by replay over the sum of the gradient, of GSPO over that of GRPO.',
    estimator: 'Quotient of quotients of sums, on the log scale; jackknife over prompts.',
    fails: 'Responses that cross GSPO’s narrow band by a flip, where no token crosses GRPO’s.',
    nOf: 'sequences',
    prediction: null,
    margin: { low: 0, high: 1 },
    why: 'One-sided: any reduction counts.',
    scale: 'log',
    spread: null,
  },
]);

const UNSCORED = 'The rollouts were not scored on the old policy’s routes.';
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
  const replay = use?.replay ?? null;
  const unscored = note ?? (replay === null ? UNSCORED : null);
  return judgedPage([
    judge.interval('experts.inflation', use?.inflation ?? null, tokens, { note }),
    judge.interval('experts.share', use?.excess ?? null, sequences, { note }),
    judge.interval('experts.replay.token', replay?.left.token ?? null, tokens, { note: unscored }),
    judge.interval('experts.replay.sequence', replay?.left.sequence ?? null, sequences, {
      note: unscored,
    }),
    judge.interval('experts.averaging', replay?.apart ?? null, sequences, { note: unscored }),
    judge.interval('experts.replay.gradient', replay?.gspoAgainstGrpo ?? null, sequences, {
      note: unscored,
    }),
  ]);
}
