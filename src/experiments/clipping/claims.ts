/** Claims of `clipping`. The rule is that of `shared/claim.ts`. */
import type { Claim, Verdicts } from '../experiment';
import { declare, judgedPage, judgeFamily } from '../shared/claim';
import type { PredictedClipping } from './predict';
import type { ClippingSettings } from './settings';

const PLAIN = { kind: 'interval', scale: 'plain', spread: null } as const;

const NORMAL = {
  ...PLAIN,
  source: 'lab',
  where: 'the normal law of clipping',
  estimand:
    'Share outside the published band over the share that a normal law with the tokens’ mu and sigma has there.',
  estimator: 'Quotient, on the log scale; one jackknife over prompts for both.',
  prediction: 1,
  scale: 'log',
} as const;

export const CLIPPING_CLAIMS = declare([
  {
    ...NORMAL,
    id: 'clipping.gspo-outside',
    claim:
      'The share of sequence weights outside GSPO’s 3e-4/4e-4 is that of a normal law with the mu and sigma of the tokens.',
    fails: 'Responses whose weights spread more, or less, than σ²/L says.',
    nOf: 'sequences',
    margin: { low: 0.8, high: 1.25 },
    why: 'A quarter of the clip share.',
  },
  {
    ...NORMAL,
    id: 'clipping.grpo-outside',
    claim:
      'The share of token ratios outside GRPO’s 0.2/0.27 is that of a normal law with the mu and sigma of the tokens.',
    fails: 'Token log-ratios with tails: few move far, most hardly at all.',
    nOf: 'tokens',
    margin: { low: 0.5, high: 2 },
    why: 'A factor of two: tails are asked for their order of magnitude only.',
  },
  {
    ...PLAIN,
    id: 'clipping.two-orders',
    source: 'gspo',
    where: 'section 5.2: clipping fractions differ by two orders of magnitude',
    claim: 'GSPO clips two orders of magnitude more tokens than GRPO, each at its published band.',
    estimand:
      'log10 of GSPO’s over GRPO’s share of clipped tokens, token for token, 3e-4/4e-4 and 0.2/0.27.',
    estimator: 'Quotient of sums, on the log scale; jackknife over prompts.',
    fails: 'Policies so near that GSPO’s band clips little, or so far that GRPO’s clips much.',
    nOf: 'tokens',
    prediction: 2,
    margin: { low: 1.5, high: 2.5 },
    why: 'Half an order of magnitude either way is still nearest to two.',
  },
  {
    ...PLAIN,
    id: 'clipping.ranges',
    source: 'gspo',
    where: 'section 5.2: adjusting the clipping ranges does not alter the disparity in magnitude',
    claim: 'Adjusting both clip ranges by a factor of two does not alter the disparity.',
    estimand:
      'Largest less smallest log10 of GSPO’s over GRPO’s share of clipped tokens, both bands halved to doubled.',
    estimator: 'From one set of rollouts, the four corners of the map; jackknife over prompts.',
    fails:
      'Shares that follow the ranges: bands within the bulk of the ratios, or far out in a thin tail.',
    nOf: 'tokens',
    prediction: null,
    margin: { low: -1, high: 0.5 },
    why: 'Half an order of magnitude, as for the disparity itself.',
  },
  {
    ...PLAIN,
    id: 'clipping.adaptive',
    source: 'lab',
    where: 'a band of z σ/√L, after Liu’s variance law',
    claim:
      'Adaptive clipping at z σ/√L puts the same share outside for long and for short responses.',
    estimand:
      'Share outside among the longest third of the responses less that among the shortest.',
    estimator: 'Difference of shares; jackknife over prompts.',
    fails: 'Var[log s] that does not fall like 1/L.',
    nOf: 'sequences',
    prediction: 0,
    margin: { low: -0.05, high: 0.05 },
    why: 'As much again as the 5 % that z = 1.96 puts outside.',
  },
]);

const NO_CLIP = 'One of the two clips nothing here, so there is no quotient.';

export function clippingClaims(
  predicted: PredictedClipping,
  { z }: ClippingSettings,
  planned: number,
): Verdicts {
  const judge = judgeFamily(CLIPPING_CLAIMS, planned);
  const { inference, excess, outside, sequences, tokens, orders } = predicted;
  const against = (id: 'gspo' | 'grpo', n: number): Claim =>
    judge.interval(`clipping.${id}-outside`, excess[id], n, {
      note:
        excess[id] === null
          ? `No ratio lies outside the band; the law predicts ${percent(outside[id].predicted)}.`
          : `${percent(outside[id].measured)} measured, ${percent(outside[id].predicted)} predicted.`,
    });
  return judgedPage([
    against('gspo', sequences),
    against('grpo', tokens),
    judge.interval('clipping.two-orders', inference.orders, tokens, {
      note:
        inference.orders === null
          ? NO_CLIP
          : `${percent(orders.gspo)} against ${percent(orders.grpo)} of the tokens.`,
    }),
    judge.interval('clipping.ranges', inference.ranges, tokens, {
      note: inference.ranges === null ? NO_CLIP : null,
    }),
    judge.interval('clipping.adaptive', predicted.adaptiveDifference, sequences, {
      note: `z = ${z}.`,
    }),
  ]);
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
