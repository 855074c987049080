/**
 * The papers' observations on a race that ships with a policy, as claims with verdicts: clip shares of GSPO
 * and GRPO, stability, entropy, the variance law step by step, and whether it learned. A claim about a side
 * holds when the whole interval lies on it, one about a number when the interval lies within a margin of it.
 */
import type { Estimate } from '../../math/stats/clusters';
import type { Claim } from '../experiment';
import { BLOCK, type MeasuredRacer } from './measure';
import type { PredictedRace } from './predict';

/** Half an order of magnitude either way still counts as "two orders of magnitude". */
const ORDERS_RESOLUTION = 0.5;
/** A tenth of the variance either way. */
const VARIANCE_RESOLUTION = 0.1;

const METHOD = `95 % interval by studentised bootstrap over blocks of ${BLOCK} consecutive steps.`;

export function raceClaims(race: PredictedRace): Claim[] {
  return [...pairClaims(race), ...race.racers.flatMap((racer) => racerClaims(racer, race))];
}

type Verdict = Claim['verdict'];

/** By the interval alone: which side of the prediction it lies on. */
function oneSided(interval: Estimate['interval'], holds: 'below' | 'above', at = 0): Verdict {
  if (!interval) return 'too few';
  const [low, high] = interval;
  if (low <= at && high >= at) return 'too few';
  return high < at === (holds === 'below') ? 'holds' : 'fails';
}

function around(interval: Estimate['interval'], prediction: number, within: number): Verdict {
  if (!interval) return 'too few';
  const [low, high] = interval;
  if (high < prediction - within || low > prediction + within) return 'fails';
  return low >= prediction - within && high <= prediction + within ? 'holds' : 'too few';
}

const measuredOf = ({ estimate, interval }: Estimate) => ({
  measured: Number.isFinite(estimate) ? estimate : null,
  interval,
});

function pairClaims({ pair, clipOrders, spread }: PredictedRace): Claim[] {
  if (pair === null) return [];
  return [
    {
      id: 'series.clip-shares',
      claim:
        'GSPO clips two orders of magnitude more than GRPO: log10 of the ratio of their clip shares.',
      prediction: clipOrders,
      ...measuredOf(pair.clipOrders),
      n: pair.steps,
      nOf: 'steps',
      verdict: around(pair.clipOrders.interval, clipOrders, ORDERS_RESOLUTION),
      rule:
        `Clip shares as TRL counts them, mean over the steps. ${METHOD} Holds when the interval lies ` +
        `within ${ORDERS_RESOLUTION} of the prediction; fails when it lies outside; otherwise too few.`,
    },
    {
      id: 'series.stability',
      claim:
        'GSPO trains more steadily than GRPO: log ratio of the spreads of their log gradient norms is below 0.',
      prediction: spread,
      ...measuredOf(pair.spread),
      n: pair.steps,
      nOf: 'steps',
      verdict: oneSided(pair.spread.interval, 'below'),
      rule: `${METHOD} Holds when the interval lies below 0; fails when above; otherwise too few.`,
    },
  ];
}

function racerClaims(racer: MeasuredRacer, { varianceRatio }: PredictedRace): Claim[] {
  const { name, start, end, gain, entropyTrend, meanLogWeight } = racer;
  const label = name.toUpperCase();
  const n = { n: racer.steps, nOf: 'steps' as const };
  return [
    {
      id: `series.${name}-accuracy`,
      claim: `${label} raises held-out accuracy from where it started.`,
      prediction: null,
      measured: gain?.estimate ?? null,
      interval: gain?.interval ?? null,
      n: gain?.n ?? 0,
      nOf: 'prompts',
      verdict: oneSided(gain?.interval ?? null, 'above'),
      rule:
        `${start} against ${end}, one response to each prompt; 95 % interval of a difference of ` +
        'shares. Holds when it lies above 0; fails when below; otherwise too few.',
    },
    {
      id: `series.${name}-entropy`,
      claim: `${label} lowers the policy’s entropy as it trains: its trend over the run is below 0.`,
      prediction: null,
      ...measuredOf(entropyTrend),
      ...n,
      verdict: oneSided(entropyTrend.interval, 'below'),
      rule:
        `Least-squares change of the next token’s entropy over the run, nats. ${METHOD} Holds when the ` +
        'interval lies below 0; fails when above; otherwise too few.',
    },
    {
      id: `series.${name}-entropy-change`,
      claim: `A step of ${label} makes its own responses less likely on average: mean log s = ΔH is below 0.`,
      prediction: null,
      ...measuredOf(meanLogWeight),
      ...n,
      verdict: oneSided(meanLogWeight.interval, 'below'),
      rule:
        `Under pi_old the expected log-ratio is minus the KL divergence. ${METHOD} Holds when the ` +
        'interval lies below 0; fails when above; otherwise too few.',
    },
    {
      id: `series.${name}-variance`,
      claim: `Var[log s] of a step of ${label} is what independent tokens give: its ratio to σ²/L is 1.`,
      prediction: varianceRatio,
      ...measuredOf(racer.varianceRatio),
      ...n,
      verdict: around(racer.varianceRatio.interval, varianceRatio, VARIANCE_RESOLUTION),
      rule:
        `Geometric mean over the steps. ${METHOD} Holds when the interval lies within ` +
        `${VARIANCE_RESOLUTION} of 1; fails when it lies outside; otherwise too few.`,
    },
  ];
}
