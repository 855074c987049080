/** Claims of `objectives`: two libraries, one loss; and what their divergences take for granted. */
import type { Claim, Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { MeasuredObjectives } from './measure';

/** verl's 1e-8 beside each length moves a loss by at most that much per token. */
const LOSS_TOLERANCE = 1e-7;

export const OBJECTIVES_CLAIMS = declare([
  {
    kind: 'identity',
    id: 'objectives.gspo-loss',
    source: 'library',
    where: 'TRL GRPOTrainer (importance_sampling_level="sequence") and verl (loss_mode="gspo")',
    claim: 'GSPO is one loss in TRL and in verl: the libraries differ only in what they count.',
    estimand: 'Deviation of verl’s loss from TRL’s over the sum of absolute token losses.',
    estimator: 'Both conventions in float64 on the same rollouts.',
    fails: 'verl caps log s at 10 and TRL does not: responses beyond it.',
    nOf: 'sequences',
    tolerance: '1e-7: verl’s 1e-8 beside each length',
  },
  {
    kind: 'interval',
    id: 'objectives.mean-ratio',
    source: 'lab',
    where: 'importance sampling: E over pi_old of pi_theta / pi_old',
    claim:
      'The token ratios average 1, as they must where pi_old drew the tokens; only then do k1, k3 and chi-square estimate a divergence.',
    estimand: 'Mean of rₜ over tokens.',
    estimator: 'Quotient of sums; jackknife over prompts.',
    fails: 'Tokens that another policy, or another temperature, has drawn.',
    nOf: 'tokens',
    prediction: 1,
    margin: { low: 0.99, high: 1.01 },
    why: 'A hundredth of the ratio: k3 of policies one step apart is smaller than that.',
    scale: 'plain',
    spread: null,
  },
]);

export function objectivesClaims(
  { loss, meanRatio, sequences, tokens }: MeasuredObjectives,
  _settings: unknown,
  planned: number,
): Verdicts {
  const judge = judgeFamily(OBJECTIVES_CLAIMS, planned);
  return judgedPage([
    lossClaim(loss, sequences, judge),
    judge.interval('objectives.mean-ratio', meanRatio, tokens, {
      note: meanRatio === null ? 'There are no responses.' : null,
    }),
  ]);
}

function lossClaim(
  { deviation: off, uncapped: rest, cap, capped }: MeasuredObjectives['loss'],
  n: number,
  judge: ReturnType<typeof judgeFamily<typeof OBJECTIVES_CLAIMS>>,
): Claim {
  const differs = n > 0 && !(off <= LOSS_TOLERANCE);
  const clamp =
    capped === 0
      ? `verl caps log s at ${cap}, TRL does not; no response here gets there.`
      : `verl caps log s at ${cap}, TRL does not; ${capped} of ${n} responses here are beyond. ` +
        (differs && rest <= LOSS_TOLERANCE
          ? `That cap is the one difference: over the others the deviation is ${rest.toExponential(1)}.`
          : `Over the others the deviation is ${rest.toExponential(1)}.`);
  return judge.identity('objectives.gspo-loss', off, LOSS_TOLERANCE, n, clamp);
}
