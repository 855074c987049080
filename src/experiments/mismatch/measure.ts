/**
 * Trainer against sampler: e_t = log pi_old - log pi_sampler per token, where it is biased, what each
 * correction does, and the curves of `variance` and `weights` for the pair (sampler, trainer).
 */
import {
  CORRECTION_IDS,
  CORRECTIONS,
  correctionEffect,
  correctionWeights,
  type ActiveCorrectionId,
  type CorrectionEffect,
} from '../../math/diagnostics/corrections';
import { offPolicyMetrics, type OffPolicyMetrics } from '../../math/diagnostics/perplexity';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { recommended } from '../../math/objectives/registry';
import type { Library } from '../../math/objectives/types';
import type { Measured } from '../../math/stats/anytime';
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { jackknifeOf } from '../../math/stats/jackknife';
import { quantileSorted } from '../../math/stats/quantiles';
import { meanStatistic } from '../../math/stats/statistics';
import { variance as sampleVariance } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import {
  sequenceCount,
  tokenCount,
  withSampler,
  type Rollouts,
  type WithSampler,
} from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/settings';
import { prepare } from '../shared/curves';
import { checkRollouts, logRatios, stage } from '../shared/input';
import { PromptSums } from '../shared/proportions';
import { measureVarianceCurves, type MeasuredVarianceCurve } from '../shared/variance-curve';
import { measureWeightCurves, type MeasuredWeightCurves } from '../shared/weight-curve';

const SURENESS_BINS = 8;

/** Tokens that the sampler was about equally sure of. */
export interface SurenessBin {
  /** mean log pi_sampler of the bin's tokens, nats */
  logp: number;
  low: number;
  high: number;
  tokens: number;
  /** mean of e_t, nats */
  bias: number;
  interval: [number, number] | null;
  /** standard deviation of e_t, nats */
  spread: number;
}

export interface CorrectionRow extends CorrectionEffect {
  id: ActiveCorrectionId;
  title: string;
  /** settings that switch it on */
  trl: string | null;
  verl: string | null;
  low: number | null;
  high: number;
  /** at each library's recommended settings, uncorrected and corrected */
  losses: { objective: 'grpo' | 'gspo'; library: Library; plain: number; corrected: number }[];
}

export interface MeasuredSampler {
  /** of e_t over tokens, nats */
  sigma: number;
  bias: Estimate;
  meanRatio: Estimate;
  /** mean of e_t plus half its variance, nats: 0 for normal noise around a mean weight of 1 */
  biasExcess: Measured;
  /** of Var[mean e_t] on log L */
  slope: Measured;
  /** verl's metrics of pi_old against the sampler */
  metrics: OffPolicyMetrics;
  bySureness: SurenessBin[];
  natural: MeasuredVarianceCurve;
  prefix: MeasuredVarianceCurve;
  weights: MeasuredWeightCurves;
  corrections: CorrectionRow[];
}

export interface MeasuredMismatch {
  sequences: number;
  tokens: number;
  /** null: the rollouts carry no sampler log-probs */
  measure: MeasuredSampler | null;
}

export async function measureMismatch(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredMismatch> {
  const known = withSampler(rollouts);
  const measure =
    known === null || sequenceCount(known) === 0
      ? null
      : await measureSampler(known, settings, context);
  return { sequences: sequenceCount(rollouts), tokens: tokenCount(rollouts), measure };
}

async function measureSampler(
  rollouts: WithSampler,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredSampler> {
  /** the pair (sampler, trainer) as any experiment takes a pair */
  const between: Rollouts = {
    ...rollouts,
    logpOld: rollouts.logpSampler,
    logpNew: rollouts.logpOld,
  };
  const part = (from: number, to: number): ExperimentContext => ({
    ...context,
    progress: (fraction) => context.progress?.(from + (to - from) * fraction),
  });
  checkRollouts(between);
  const data = prepare(between);
  const intervals = new PromptIntervals(context);
  const curves = await measureVarianceCurves(data, settings, intervals, part(0, 0.4));
  const weights = await measureWeightCurves(data, settings, intervals, part(0.4, 0.8));
  const e = logRatios(between);
  const overTokens = (of: (t: number) => number) =>
    intervals.estimate(tokenSums(rollouts, of), meanStatistic);
  const bias = overTokens((t) => e[t]);
  const meanRatio = overTokens((t) => Math.exp(e[t]));
  await stage(context, 0.85);
  const bySureness = surenessBins(rollouts, e, intervals);
  await stage(context, 0.9);
  return {
    sigma: Math.sqrt(sampleVariance(e)),
    bias,
    meanRatio,
    biasExcess: jackknifeOf(tokenSquares(rollouts, e), (totals) => {
      const n = totals[0];
      const center = totals[1] / n;
      return center + (totals[2] / n - center * center) / 2;
    }),
    slope: curves.inference.slope,
    metrics: offPolicyMetrics(rollouts.logpSampler, rollouts.logpOld, rollouts.offsets),
    bySureness,
    natural: curves.natural,
    prefix: curves.prefix,
    weights,
    corrections: CORRECTION_IDS.flatMap((id) =>
      id === 'none' || CORRECTIONS[id].rejects ? [] : [rowOf(rollouts, id)],
    ),
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

/** Per prompt: (tokens, sum of e_t, sum of squares). */
function tokenSquares(rollouts: Rollouts, e: Float64Array) {
  const { offsets } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const sums = new PromptSums(cluster, 3);
  for (let i = 0; i < cluster.length; i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let sum = 0;
    let squares = 0;
    for (let t = from; t < to; t++) {
      sum += e[t];
      squares += e[t] ** 2;
    }
    sums.add(i, [to - from, sum, squares]);
  }
  return sums.sums;
}

/** Equal numbers of tokens per bin, as far as ties allow. */
function surenessBins(
  rollouts: WithSampler,
  e: Float64Array,
  intervals: PromptIntervals,
): SurenessBin[] {
  const logp = rollouts.logpSampler;
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
    for (let t = 0; t < e.length; t++) {
      if (!inside(t)) continue;
      tokens++;
      total += logp[t];
      sum += e[t];
      squares += e[t] ** 2;
    }
    if (tokens === 0) return [];
    const bias = sum / tokens;
    const estimate = intervals.estimate(
      tokenSums(rollouts, (t) => e[t], inside),
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

const LOSSES = [
  ['grpo', 'trl'],
  ['grpo', 'verl'],
  ['gspo', 'trl'],
  ['gspo', 'verl'],
] as const;

function rowOf(rollouts: WithSampler, id: ActiveCorrectionId): CorrectionRow {
  const own = correctionWeights(rollouts, id);
  const { title, trl, verl, low, high } = CORRECTIONS[id];
  return {
    id,
    title,
    trl,
    verl,
    low,
    high,
    ...correctionEffect(own),
    losses: LOSSES.flatMap(([objective, library]) => {
      const settings = recommended(objective, library);
      if (settings === null) return [];
      return [
        {
          objective,
          library,
          plain: evaluateObjective(rollouts, settings).loss,
          corrected: evaluateObjective(rollouts, settings, own).loss,
        },
      ];
    }),
  };
}
