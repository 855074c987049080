/**
 * How two log-probs of the same tokens differ, for pairs that should not: another engine, another arithmetic.
 * d_t = log pi_new - log pi_old: its bias and spread, where they sit, and the curves of `variance` and `weights` for
 * the pair, with what the law makes of them: for normal d_t around a mean weight of 1 the bias is -sigma^2 / 2.
 */
import type { Measured } from '../../math/stats/anytime';
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { jackknifeOf } from '../../math/stats/jackknife';
import { quantileSorted } from '../../math/stats/quantiles';
import { meanStatistic } from '../../math/stats/statistics';
import { variance as sampleVariance } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import type { Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { prepare } from './curves';
import { checkRollouts, logRatios, stage } from './input';
import { PromptSums } from './proportions';
import type { CurveSettings } from './settings';
import {
  measureVarianceCurves,
  predictVarianceCurve,
  type MeasuredVarianceCurve,
  type VarianceCurve,
} from './variance-curve';
import {
  measureWeightCurves,
  predictWeightCurves,
  type MeasuredWeightCurves,
  type WeightsCurve,
} from './weight-curve';

const SURENESS_BINS = 8;

/** Tokens that the old one of the pair was about equally sure of. */
export interface SurenessBin {
  /** mean log pi_old of the bin's tokens, nats */
  logp: number;
  low: number;
  high: number;
  tokens: number;
  /** mean of d_t, nats */
  bias: number;
  interval: [number, number] | null;
  /** standard deviation of d_t, nats */
  spread: number;
}

export interface MeasuredPair {
  /** of d_t over tokens, nats */
  sigma: number;
  bias: Estimate;
  meanRatio: Estimate;
  /** mean of d_t plus half its variance, nats: 0 for normal noise around a mean weight of 1 */
  biasExcess: Measured;
  /** of Var[mean d_t] on log L */
  slope: Measured;
  bySureness: SurenessBin[];
  natural: MeasuredVarianceCurve;
  prefix: MeasuredVarianceCurve;
  weights: MeasuredWeightCurves;
}

export interface PredictedPair extends Omit<MeasuredPair, 'natural' | 'prefix' | 'weights'> {
  /** of a token, nats */
  predictedBias: number;
  natural: VarianceCurve;
  prefix: VarianceCurve;
  shares: { natural: WeightsCurve; prefix: WeightsCurve };
  /** tokens from which on half of the responses are wasted by rho; null: not reached */
  usableLength: number | null;
  predictedUsableLength: number;
}

/** @throws ExperimentInputError where a log-ratio is not finite */
export async function measurePair(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredPair> {
  const part = (from: number, to: number): ExperimentContext => ({
    ...context,
    progress: (fraction) => context.progress?.(from + (to - from) * fraction),
  });
  checkRollouts(rollouts);
  const data = prepare(rollouts);
  const intervals = new PromptIntervals(context);
  const curves = await measureVarianceCurves(data, settings, intervals, part(0, 0.4));
  const weights = await measureWeightCurves(data, settings, intervals, part(0.4, 0.8));
  const d = logRatios(rollouts);
  const overTokens = (of: (t: number) => number) =>
    intervals.estimate(tokenSums(rollouts, of), meanStatistic);
  const bias = overTokens((t) => d[t]);
  const meanRatio = overTokens((t) => Math.exp(d[t]));
  await stage(context, 0.85);
  const bySureness = surenessBins(rollouts, d, intervals);
  await stage(context, 0.9);
  return {
    sigma: Math.sqrt(sampleVariance(d)),
    bias,
    meanRatio,
    biasExcess: jackknifeOf(tokenSquares(rollouts, d), (totals) => {
      const n = totals[0];
      const center = totals[1] / n;
      return center + (totals[2] / n - center * center) / 2;
    }),
    slope: curves.inference.slope,
    bySureness,
    natural: curves.natural,
    prefix: curves.prefix,
    weights,
  };
}

export function predictPair({ weights, ...measured }: MeasuredPair): PredictedPair {
  const { natural, prefix, usableLength, predictedUsableLength } = predictWeightCurves(weights);
  return {
    ...measured,
    predictedBias: -(measured.sigma ** 2) / 2,
    natural: predictVarianceCurve(measured.natural),
    prefix: predictVarianceCurve(measured.prefix),
    shares: { natural, prefix },
    usableLength,
    predictedUsableLength,
  };
}

/** Per prompt: (tokens, sum of `of` over them), over the tokens that `among` lets pass. */
function tokenSums(
  rollouts: Rollouts,
  of: (t: number) => number,
  among: (t: number) => boolean = () => true,
) {
  const { offsets } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const sums = new PromptSums(cluster, 2);
  for (let i = 0; i < cluster.length; i++) {
    let count = 0;
    let sum = 0;
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      if (!among(t)) continue;
      count++;
      sum += of(t);
    }
    sums.add(i, [count, sum]);
  }
  return sums.sums;
}

/** Per prompt: (tokens, sum of d_t, sum of squares). */
function tokenSquares(rollouts: Rollouts, d: Float64Array) {
  const { offsets } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const sums = new PromptSums(cluster, 3);
  for (let i = 0; i < cluster.length; i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let sum = 0;
    let squares = 0;
    for (let t = from; t < to; t++) {
      sum += d[t];
      squares += d[t] ** 2;
    }
    sums.add(i, [to - from, sum, squares]);
  }
  return sums.sums;
}

/** Equal numbers of tokens per bin, as far as ties allow. */
function surenessBins(
  rollouts: Rollouts,
  d: Float64Array,
  intervals: PromptIntervals,
): SurenessBin[] {
  const logp = rollouts.logpOld;
  const sorted = Float64Array.from(logp).sort();
  const edges = Array.from({ length: SURENESS_BINS + 1 }, (_, k) =>
    quantileSorted(sorted, k / SURENESS_BINS),
  );
  return Array.from({ length: SURENESS_BINS }, (_, k) => k).flatMap((k) => {
    const [low, high] = [edges[k], edges[k + 1]];
    const inside = (t: number) => {
      const x = logp[t];
      return x >= low && (k === SURENESS_BINS - 1 ? x <= high : x < high);
    };
    let tokens = 0;
    let total = 0;
    let sum = 0;
    let squares = 0;
    for (let t = 0; t < d.length; t++) {
      if (!inside(t)) continue;
      tokens++;
      total += logp[t];
      sum += d[t];
      squares += d[t] ** 2;
    }
    if (tokens === 0) return [];
    const bias = sum / tokens;
    const estimate = intervals.estimate(
      tokenSums(rollouts, (t) => d[t], inside),
      meanStatistic,
    );
    return [
      {
        logp: total / tokens,
        low,
        high,
        tokens,
        bias,
        interval: estimate.interval,
        spread: Math.sqrt(Math.max(0, squares / tokens - bias * bias)),
      },
    ];
  });
}
