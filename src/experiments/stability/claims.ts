/**
 * Claims about the stability of training with experts: what GSPO's paper says, on the runs of the study. Contract: the
 * rule is that of a study whose size was fixed beforehand (`fixedClaim` of `shared/claim.ts`), seeds in the place of
 * prompts.
 */
import type { Claim } from '../experiment';
import { declare, fixedClaim, judgedPage, type IntervalDeclaration } from '../shared/claim';
import { CONTRAST_IDS, type ContrastId, type StabilityMeasure } from './measure';

const SEEDS = {
  kind: 'interval',
  nOf: 'seeds',
  spread: null,
  prediction: null,
  estimator: 'Mean over the learning rates within a seed; Student’s t over the seeds.',
} as const;

export const STABILITY_CLAIMS = declare([
  {
    ...SEEDS,
    id: 'stability.spread',
    source: 'gspo',
    where: 'section 5.3: token ratios fluctuate with the experts, sequence ratios do not',
    claim: 'On a mixture of experts, GSPO’s gradient norms spread less than GRPO’s.',
    estimand:
      'Spread of a run’s gradient norms (standard deviation over mean) under GSPO over that under GRPO.',
    fails: 'Gradient norms of GSPO that spread as much as GRPO’s, or more.',
    margin: { low: 0, high: 1 },
    why: 'One-sided: any reduction counts.',
    scale: 'log',
  },
  {
    ...SEEDS,
    id: 'stability.experts',
    source: 'gspo',
    where: 'section 5.3: the experts are what unsettles GRPO',
    claim: 'That is an effect of the experts: on a dense policy GSPO’s advantage is smaller.',
    estimand: 'That ratio of spreads with experts over the same ratio without (a ratio of ratios).',
    fails: 'The same advantage, or a larger one, on a dense policy.',
    margin: { low: 0, high: 1 },
    why: 'One-sided: any difference counts.',
    scale: 'log',
  },
  {
    ...SEEDS,
    id: 'stability.accuracy',
    source: 'gspo',
    where: 'abstract: GSPO stabilizes mixture-of-experts training',
    claim: 'On a mixture of experts, GSPO ends with more accuracy than GRPO.',
    estimand: 'Change of held-out accuracy under GSPO less that under GRPO.',
    fails: 'Accuracy under GSPO that ends as low, or lower.',
    margin: { low: 0, high: 1 },
    why: 'One-sided: any difference counts.',
    scale: 'plain',
  },
  {
    ...SEEDS,
    id: 'stability.replay',
    source: 'gspo',
    where: 'section 5.3: without routing replay GRPO does not converge on a mixture of experts',
    claim: 'Routing replay helps GRPO on a mixture of experts.',
    estimand: 'Change of held-out accuracy under GRPO with replay less that without.',
    fails: 'Replay that changes nothing, or harms.',
    margin: { low: 0, high: 1 },
    why: 'One-sided: any difference counts.',
    scale: 'plain',
  },
]);

const declarationFor = (id: ContrastId): IntervalDeclaration =>
  STABILITY_CLAIMS.find((own) => own.id === `stability.${id}`) as IntervalDeclaration;

/** @returns the claims, and the page's verdict: the worst of them */
export function judgeStability({ contrasts }: StabilityMeasure): ReturnType<typeof judgedPage> {
  const claims: Claim[] = CONTRAST_IDS.map((id) =>
    fixedClaim(declarationFor(id), STABILITY_CLAIMS, contrasts[id]?.values ?? []),
  );
  return judgedPage(claims);
}
