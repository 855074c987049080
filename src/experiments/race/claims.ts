/**
 * Claims about a race that ships with a policy: what GSPO's paper and Liu say of training, on recorded curves. The rule is
 * that of `shared/claim.ts`, with blocks of consecutive steps in the place of prompts.
 */
import type { Claim } from '../experiment';
import { declare, judgeFamily } from '../shared/claim';
import { BLOCK, type MeasuredRacer } from './measure';
import type { PredictedRace } from './predict';

const STEPS = {
  kind: 'interval',
  nOf: 'steps',
  scale: 'plain',
  spread: null,
  estimator: `Jackknife over blocks of ${BLOCK} consecutive steps, both racers’ together.`,
} as const;

const racers = ['gspo', 'grpo'] as const;
type RacerName = (typeof racers)[number];
const isRacer = (name: string): name is RacerName => (racers as readonly string[]).includes(name);

const accuracy = <const Name extends RacerName>(name: Name) =>
  ({
    ...STEPS,
    id: `series.${name}-accuracy`,
    source: 'lab',
    where: 'the shipped race',
    claim: `${name.toUpperCase()} raises held-out accuracy from where it started.`,
    estimand: 'Share of right answers to held-out prompts at the end less that at the start.',
    estimator: 'Difference of two shares over the same number of prompts, one response to each.',
    fails: 'Training that does not help, or that harms.',
    nOf: 'prompts',
    prediction: null,
    margin: { low: 0, high: 1 },
    why: 'One-sided: any gain counts.',
  }) as const;

const entropy = <const Name extends RacerName>(name: Name) =>
  ({
    ...STEPS,
    id: `series.${name}-entropy`,
    source: 'lab',
    where: 'the shipped race',
    claim: `${name.toUpperCase()} lowers the policy’s entropy as it trains.`,
    estimand: 'Least-squares change of the next token’s Shannon entropy over the run, nats.',
    fails: 'A policy that grows less certain.',
    prediction: null,
    margin: { low: -100, high: 0 },
    why: 'One-sided: any fall counts.',
  }) as const;

const variance = <const Name extends RacerName>(name: Name) =>
  ({
    ...STEPS,
    id: `series.${name}-variance`,
    source: 'liu',
    where: 'abstract and variance analysis: Var[log s] = sigma^2 / L',
    claim: `Var[log s] of a step of ${name.toUpperCase()} is σ²/L.`,
    estimand: 'Mean over the steps of Var[log s] of a step over the mean of σ² mean(1/L).',
    estimator: `Ratio of means, on the log scale; jackknife over blocks of ${BLOCK} consecutive steps.`,
    fails: 'Steps that move whole responses or prompts at once.',
    prediction: 1,
    margin: { low: 0.8, high: 1.25 },
    why: 'As for the variance of one pair.',
    scale: 'log',
  }) as const;

export const RACE_CLAIMS = declare([
  {
    ...STEPS,
    id: 'series.clip-shares',
    source: 'gspo',
    where: 'section 5.2: clipping fractions differ by two orders of magnitude',
    claim:
      'GSPO clips two orders of magnitude more tokens than GRPO, each at its own band of the race (GSPO’s here is ten times the published one).',
    estimand: 'log10 of the ratio of the mean shares of clipped tokens.',
    fails: 'Bands that are not as far apart as theirs.',
    prediction: 2,
    margin: { low: 1.5, high: 2.5 },
    why: 'Half an order of magnitude either way is still nearest to two.',
  },
  {
    ...STEPS,
    id: 'series.stability',
    source: 'gspo',
    where: 'abstract: GSPO stabilizes training',
    claim: 'GSPO trains more steadily than GRPO: its gradient norms spread less.',
    estimand: 'log of the ratio of the standard deviations of the log gradient norm.',
    fails: 'Gradient norms of GSPO that spread as much as GRPO’s.',
    prediction: null,
    margin: { low: -100, high: 0 },
    why: 'One-sided: any reduction counts.',
  },
  accuracy('gspo'),
  entropy('gspo'),
  variance('gspo'),
  accuracy('grpo'),
  entropy('grpo'),
  variance('grpo'),
]);

export function raceClaims(race: PredictedRace): Claim[] {
  const blocks = Math.max(1, ...race.racers.map(({ steps }) => Math.floor(steps / BLOCK)));
  const judge = judgeFamily(RACE_CLAIMS, blocks);
  const { pair } = race;
  const together =
    pair === null
      ? []
      : [
          judge.interval('series.clip-shares', pair.clipOrders, pair.steps, {
            note: `Token for token: ${percent(pair.clipped.gspo)} and ${percent(pair.clipped.grpo)} of the tokens.`,
          }),
          judge.interval('series.stability', pair.spread, pair.steps),
        ];
  return [...together, ...race.racers.flatMap((racer) => racerClaims(racer, judge))];
}

const percent = (share: number): string => `${(100 * share).toPrecision(3)} %`;

function racerClaims(
  racer: MeasuredRacer,
  judge: ReturnType<typeof judgeFamily<typeof RACE_CLAIMS>>,
): Claim[] {
  const { name, start, end, gain, steps } = racer;
  if (!isRacer(name)) return [];
  return [
    judge.interval(`series.${name}-accuracy`, gain, gain?.clusters ?? 0, {
      note:
        gain === null
          ? 'The checkpoints do not say how accurate they are.'
          : `${start} against ${end}.`,
    }),
    judge.interval(`series.${name}-entropy`, racer.entropyTrend, steps),
    judge.interval(`series.${name}-variance`, racer.varianceRatio, steps),
  ];
}
