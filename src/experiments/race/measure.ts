/**
 * Estimates over the curves of a race as they were written while training (`models/NAME/training/`):
 * recorded, not measured again here, and the ledger says so.
 *
 * Steps follow each other, so standard errors leave out blocks of BLOCK consecutive steps; both racers' steps go
 * together, because they saw the same prompts. What is a ratio is one of means over the steps: a step with next to no
 * variance must not count as much as one with a lot.
 */
import type { Measured } from '../../math/stats/anytime';
import { addToCluster, newClusterSums, type ClusterSums } from '../../math/stats/clusters';
import { jackknifeOf } from '../../math/stats/jackknife';
import { mean } from '../../math/summation';
import { logRatioOf, logVarianceAt, meanStatistic } from '../../math/stats/statistics';
import type { StepReport } from '../../training/report';
import type { ShippedSeries } from '../../training/series';

export const BLOCK = 8;

export interface MeasuredRacer {
  name: string;
  steps: number;
  /** checkpoint ids */
  start: string;
  end: string;
  /** held-out accuracy at the end minus at the start, over n prompts; null where it is not known */
  gain: Measured | null;
  /** least-squares change of the next token's entropy over the run, nats */
  entropyTrend: Measured;
  /** log of mean Var[log s] of a step over mean sigma^2 / L */
  varianceRatio: Measured;
}

export interface MeasuredRace {
  /** GSPO against GRPO; null where one of them is missing */
  pair: {
    steps: number;
    /** mean shares of clipped tokens, as verl counts both */
    clipped: { gspo: number; grpo: number };
    /** log10 of their ratio */
    clipOrders: Measured;
    /** log ratio of the spreads of the log gradient norms */
    spread: Measured;
  } | null;
  racers: MeasuredRacer[];
}

export function measureRace(shipped: readonly ShippedSeries[]): MeasuredRace {
  const gspo = shipped.find(({ name }) => name === 'gspo');
  const grpo = shipped.find(({ name }) => name === 'grpo');
  const own = [gspo, grpo].filter((one) => one !== undefined);
  return {
    pair: gspo && grpo ? measurePair(gspo, grpo) : null,
    racers: own.map(measureRacer),
  };
}

/** Sums over blocks of steps; `terms` of one step, by racer. */
function blocks(racers: readonly (readonly StepReport[])[], terms: (at: StepReport[]) => number[]) {
  const steps = Math.min(...racers.map(({ length }) => length));
  const rows = Array.from({ length: steps }, (_, t) => terms(racers.map((own) => own[t])));
  const sums = newClusterSums(Math.max(1, Math.floor(steps / BLOCK)), rows[0]?.length ?? 0);
  // A short last block joins the one before.
  rows.forEach((row, t) => {
    addToCluster(sums, Math.min(Math.floor(t / BLOCK), sums.clusters - 1), row);
  });
  return { sums, steps };
}

function measurePair(gspo: ShippedSeries, grpo: ShippedSeries): NonNullable<MeasuredRace['pair']> {
  const both = [gspo.series.steps, grpo.series.steps];
  const clip = blocks(both, ([a, b]) => [a?.clip.verl ?? 0, b?.clip.verl ?? 0]);
  const orders = logRatioOf(0, 1);
  const norm = blocks(both, (at) =>
    at.flatMap(({ gradientNorm }) => {
      const x = Math.log(Math.max(gradientNorm, 1e-12));
      return [1, x, x * x];
    }),
  );
  const [first, second] = [logVarianceAt(0), logVarianceAt(3)];
  const share = (k: number): number => clip.sums.columns[k].reduce((a, b) => a + b, 0) / clip.steps;
  return {
    steps: clip.steps,
    clipped: { gspo: share(0), grpo: share(1) },
    clipOrders: jackknifeOf(clip.sums, (totals) => orders(totals) / Math.LN10),
    spread: jackknifeOf(norm.sums, (totals) => (first(totals) - second(totals)) / 2),
  };
}

function measureRacer({ name, series, start, end }: ShippedSeries): MeasuredRacer {
  const { steps } = series;
  const single = (terms: (report: StepReport) => number[]): ClusterSums =>
    blocks([steps], ([report]) => terms(report)).sums;
  const middle = (steps.length + 1) / 2;
  const level = mean(steps.map(({ entropy }) => entropy));
  const trend = single(({ step, entropy }) => {
    const x = (step - middle) / steps.length;
    return [x * x, x * (entropy - level)];
  });
  return {
    name,
    steps: steps.length,
    start: start.id,
    end: end.id,
    gain: accuracyGain(start, end),
    entropyTrend: jackknifeOf(trend, meanStatistic),
    varianceRatio: jackknifeOf(
      single(({ weights }) => [weights.variance, weights.predictedVariance]),
      logRatioOf(0, 1),
    ),
  };
}

/** Difference of two shares of independent samples. */
function accuracyGain(
  start: ShippedSeries['start'],
  end: ShippedSeries['end'],
): MeasuredRacer['gain'] {
  const [a, b] = [start.accuracy, end.accuracy];
  const [n, m] = [start.accuracyPrompts ?? 0, end.accuracyPrompts ?? 0];
  if (a === null || b === null || n < 2 || m < 2) return null;
  return {
    estimate: b - a,
    standardError: Math.sqrt((a * (1 - a)) / (n - 1) + (b * (1 - b)) / (m - 1)),
    clusters: m,
    df: Infinity,
  };
}
