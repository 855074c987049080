/**
 * Estimates over the curves of a race as they were written while training (`models/NAME/training/`):
 * recorded, not measured again here, and the ledger says so.
 *
 * Steps follow each other, so intervals are studentised bootstrap over blocks of BLOCK consecutive steps;
 * both racers' steps are drawn together, because they saw the same prompts.
 */
import {
  addToCluster,
  ClusterBootstrap,
  newClusterSums,
  transformed,
  type ClusterSums,
  type Estimate,
  type SmoothStatistic,
} from '../../math/stats/clusters';
import { mean } from '../../math/stats/moments';
import { logCombination, meanStatistic } from '../../math/stats/statistics';
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
  gain: { estimate: number; interval: [number, number]; n: number } | null;
  /** least-squares change of the next token's entropy over the run, nats */
  entropyTrend: Estimate;
  /** mean log s of a step, nats */
  meanLogWeight: Estimate;
  /** Var[log s] of a step over sigma^2 / L, geometric mean */
  varianceRatio: Estimate;
}

export interface MeasuredRace {
  /** GSPO against GRPO; null where one of them is missing */
  pair: {
    steps: number;
    /** log10 of the ratio of clip shares as TRL counts them */
    clipOrders: Estimate;
    /** log ratio of the spreads of the log gradient norms */
    spread: Estimate;
  } | null;
  racers: MeasuredRacer[];
}

export function measureRace(shipped: readonly ShippedSeries[], seed: number): MeasuredRace {
  const bootstrap = new ClusterBootstrap({ seed });
  const gspo = shipped.find(({ name }) => name === 'gspo');
  const grpo = shipped.find(({ name }) => name === 'grpo');
  const own = [gspo, grpo].filter((one) => one !== undefined);
  return {
    pair: gspo && grpo ? measurePair(gspo, grpo, bootstrap) : null,
    racers: own.map((one) => measureRacer(one, bootstrap)),
  };
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

/** log of the variance of a racer's log gradient norm, from (count, sum, sum of squares) at `at`. */
const spreadDifference: SmoothStatistic = logCombination([
  { kind: 'variance', at: 0, weight: 0.5 },
  { kind: 'variance', at: 3, weight: -0.5 },
]);

function measurePair(
  gspo: ShippedSeries,
  grpo: ShippedSeries,
  bootstrap: ClusterBootstrap,
): NonNullable<MeasuredRace['pair']> {
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
  return {
    steps: clip.steps,
    clipOrders: orders,
    spread: bootstrap.estimate(norm.sums, spreadDifference),
  };
}

function measureRacer(
  { name, series, start, end }: ShippedSeries,
  bootstrap: ClusterBootstrap,
): MeasuredRacer {
  const { steps } = series;
  const single = (term: (report: StepReport) => number): ClusterSums =>
    blocks([steps], ([report]) => [1, term(report as StepReport)]).sums;

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
  return {
    name,
    steps: steps.length,
    start: start.id,
    end: end.id,
    gain: accuracyGain(start, end),
    entropyTrend: trend,
    meanLogWeight: change,
    varianceRatio: law,
  };
}

/** Difference of two shares with Newcombe's interval (1998, method 10), from their Wilson intervals. */
function accuracyGain(
  start: ShippedSeries['start'],
  end: ShippedSeries['end'],
): MeasuredRacer['gain'] {
  const [a, b] = [start.accuracy, end.accuracy];
  const [of, to] = [start.accuracyInterval, end.accuracyInterval];
  if (a === null || b === null || of === null || to === null) {
    return null;
  }
  const down = Math.hypot(b - to[0], of[1] - a);
  const up = Math.hypot(to[1] - b, a - of[0]);
  const interval: [number, number] = [b - a - down, b - a + up];
  return { estimate: b - a, interval, n: end.accuracyPrompts ?? 0 };
}
