/**
 * The paper's observations on a race that ships with a policy, as claims with verdicts: clip shares of GSPO
 * and GRPO, stability, entropy, the variance law step by step, and whether it learned.
 *
 * Contract: pure, over the curves as they were written while training (`models/NAME/training/`): recorded,
 * not measured again here, and the ledger says so. Steps follow each other, so intervals are studentised
 * bootstrap over blocks of BLOCK consecutive steps; both racers' steps are drawn together, because they saw
 * the same prompts.
 */
import * as v from 'valibot';
import type { Claim } from '../experiments/experiment';
import {
  addToCluster,
  ClusterBootstrap,
  newClusterSums,
  transformed,
  type ClusterSums,
  type Estimate,
  type SmoothStatistic,
} from '../math/stats/clusters';
import { mean } from '../math/stats/moments';
import { logCombination, meanStatistic } from '../math/stats/statistics';
import { FetchError, type FileSource } from '../policy/fetch';
import type { CheckpointInfo, PolicyManifest } from '../policy/manifest';
import type { StepReport } from '../training/report';
import { seriesSchema, type Series } from '../training/series';

const BLOCK = 8;
/** Half an order of magnitude either way still counts as "two orders of magnitude". */
const ORDERS_RESOLUTION = 0.5;
/** A tenth of the variance either way. */
const VARIANCE_RESOLUTION = 0.1;

const METHOD = `95 % interval by studentised bootstrap over blocks of ${BLOCK} consecutive steps.`;

/** One racer's steps and what its checkpoints say. */
export interface ShippedSeries {
  name: string;
  series: Series;
  start: CheckpointInfo;
  end: CheckpointInfo;
}

/** @throws FetchError where the file is not what the lab writes */
export async function fetchSeries(
  files: FileSource,
  policy: string,
  file: string,
): Promise<Series> {
  const path = `${policy}/${file}`;
  const text = new TextDecoder().decode(await files(path));
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new FetchError(`models/${path} is not JSON.`, { cause });
  }
  const parsed = v.safeParse(seriesSchema, found);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new FetchError(`models/${path}: ${v.getDotPath(issue) ?? 'file'}: ${issue.message}`);
}

/** The last checkpoint of each series and the start that it went on from. */
export function shippedSeries(
  manifest: PolicyManifest,
  series: readonly Series[],
): ShippedSeries[] {
  return (manifest.races ?? []).flatMap(({ series: name, start: startId }, i) => {
    const own = manifest.checkpoints.filter((checkpoint) => checkpoint.series === name);
    const start = manifest.checkpoints.find(({ id }) => id === startId);
    const end = own.reduce<CheckpointInfo | undefined>(
      (last, one) => (last === undefined || one.step > last.step ? one : last),
      undefined,
    );
    const curves = series[i];
    return start && end && curves ? [{ name, series: curves, start, end }] : [];
  });
}

/** Sums over blocks of steps; `terms` of one step, by racer. */
function blocks(racers: readonly (readonly StepReport[])[], terms: (at: StepReport[]) => number[]) {
  const steps = Math.min(...racers.map(({ length }) => length));
  const rows = Array.from({ length: steps }, (_, t) =>
    terms(racers.map((own) => own[t] as StepReport)),
  );
  const sums = newClusterSums(Math.max(1, Math.floor(steps / BLOCK)), rows[0]?.length ?? 0);
  // A short last block joins the one before.
  rows.forEach((row, t) => {
    addToCluster(sums, Math.min(Math.floor(t / BLOCK), sums.clusters - 1), row);
  });
  return { sums, steps };
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

/** log of the variance of a racer's log gradient norm, from (count, sum, sum of squares) at `at`. */
const spreadDifference: SmoothStatistic = logCombination([
  { kind: 'variance', at: 0, weight: 0.5 },
  { kind: 'variance', at: 3, weight: -0.5 },
]);

export function seriesClaims(shipped: readonly ShippedSeries[], seed: number): Claim[] {
  const bootstrap = new ClusterBootstrap({ seed });
  const gspo = shipped.find(({ name }) => name === 'gspo');
  const grpo = shipped.find(({ name }) => name === 'grpo');
  const own = [gspo, grpo].filter((one) => one !== undefined);
  const claims: Claim[] = [];
  if (gspo && grpo) claims.push(...together(gspo, grpo, bootstrap));
  for (const one of own) claims.push(...alone(one, bootstrap));
  return claims;
}

function together(gspo: ShippedSeries, grpo: ShippedSeries, bootstrap: ClusterBootstrap): Claim[] {
  const racers = [gspo.series.steps, grpo.series.steps];
  const clip = blocks(racers, ([a, b]) => [a?.clip.trl ?? 0, b?.clip.trl ?? 0]);
  const logRatio = logCombination([{ kind: 'ratio', numerator: 0, denominator: 1, weight: 1 }]);
  const orders = transformed(bootstrap.estimate(clip.sums, logRatio), (x) => x / Math.LN10);
  const norm = blocks(racers, (both) =>
    both.flatMap(({ gradientNorm }) => {
      const x = Math.log(Math.max(gradientNorm, 1e-12));
      return [1, x, x * x];
    }),
  );
  const stability = bootstrap.estimate(norm.sums, spreadDifference);
  return [
    {
      id: 'series.clip-shares',
      claim:
        'GSPO clips two orders of magnitude more than GRPO: log10 of the ratio of their clip shares.',
      prediction: 2,
      ...measuredOf(orders),
      n: clip.steps,
      nOf: 'steps',
      verdict: around(orders.interval, 2, ORDERS_RESOLUTION),
      rule:
        `Clip shares as TRL counts them, mean over the steps. ${METHOD} Holds when the interval lies ` +
        `within ${ORDERS_RESOLUTION} of the prediction; fails when it lies outside; otherwise too few.`,
    },
    {
      id: 'series.stability',
      claim:
        'GSPO trains more steadily than GRPO: log ratio of the spreads of their log gradient norms is below 0.',
      prediction: 0,
      ...measuredOf(stability),
      n: norm.steps,
      nOf: 'steps',
      verdict: oneSided(stability.interval, 'below'),
      rule: `${METHOD} Holds when the interval lies below 0; fails when above; otherwise too few.`,
    },
  ];
}

function alone({ name, series, start, end }: ShippedSeries, bootstrap: ClusterBootstrap): Claim[] {
  const label = name.toUpperCase();
  const { steps } = series;
  const single = (term: (report: StepReport) => number): ClusterSums =>
    blocks([steps], ([report]) => [1, term(report as StepReport)]).sums;
  const n = { n: steps.length, nOf: 'steps' as const };

  const change = bootstrap.estimate(
    single(({ weights }) => weights.meanLogWeight),
    meanStatistic,
  );
  const law = transformed(
    bootstrap.estimate(
      single(({ weights }) => Math.log(weights.variance / weights.predictedVariance)),
      meanStatistic,
    ),
    Math.exp,
  );
  const middle = (steps.length + 1) / 2;
  const level = mean(steps.map(({ entropy }) => entropy));
  const trend = bootstrap.estimate(
    blocks([steps], ([report]) => {
      const { step, entropy } = report as StepReport;
      const x = (step - middle) / steps.length;
      return [x * x, x * (entropy - level)];
    }).sums,
    meanStatistic,
  );
  return [
    {
      id: `series.${name}-accuracy`,
      claim: `${label} raises held-out accuracy from where it started.`,
      prediction: null,
      ...gain(start, end),
      nOf: 'prompts',
      verdict: oneSided(gain(start, end).interval, 'above'),
      rule:
        `${start.id} against ${end.id}, one response to each prompt; 95 % interval of a difference of ` +
        'shares. Holds when it lies above 0; fails when below; otherwise too few.',
    },
    {
      id: `series.${name}-entropy`,
      claim: `${label} lowers the policy’s entropy as it trains: its trend over the run is below 0.`,
      prediction: null,
      ...measuredOf(trend),
      ...n,
      verdict: oneSided(trend.interval, 'below'),
      rule:
        `Least-squares change of the next token’s entropy over the run, nats. ${METHOD} Holds when the ` +
        'interval lies below 0; fails when above; otherwise too few.',
    },
    {
      id: `series.${name}-entropy-change`,
      claim: `A step of ${label} makes its own responses less likely on average: mean log s = ΔH is below 0.`,
      prediction: null,
      ...measuredOf(change),
      ...n,
      verdict: oneSided(change.interval, 'below'),
      rule:
        `Under pi_old the expected log-ratio is minus the KL divergence. ${METHOD} Holds when the ` +
        'interval lies below 0; fails when above; otherwise too few.',
    },
    {
      id: `series.${name}-variance`,
      claim: `Var[log s] of a step of ${label} is what independent tokens give: its ratio to σ²/L is 1.`,
      prediction: 1,
      ...measuredOf(law),
      ...n,
      verdict: around(law.interval, 1, VARIANCE_RESOLUTION),
      rule:
        `Geometric mean over the steps. ${METHOD} Holds when the interval lies within ` +
        `${VARIANCE_RESOLUTION} of 1; fails when it lies outside; otherwise too few.`,
    },
  ];
}

/** Difference of two shares with Newcombe's interval (1998, method 10), from their Wilson intervals. */
function gain(start: CheckpointInfo, end: CheckpointInfo) {
  const [a, b] = [start.accuracy, end.accuracy];
  const [of, to] = [start.accuracyInterval, end.accuracyInterval];
  if (a === null || b === null || of === null || to === null) {
    return { measured: null, interval: null, n: 0 };
  }
  const down = Math.hypot(b - to[0], of[1] - a);
  const up = Math.hypot(to[1] - b, a - of[0]);
  const interval: [number, number] = [b - a - down, b - a + up];
  return { measured: b - a, interval, n: end.accuracyPrompts ?? 0 };
}
