/** Spread, effective sample size and tail of each weight over length, and the kurtosis of the log weight. */
import type { Measured } from '../../math/stats/anytime';
import { newClusterSums } from '../../math/stats/clusters';
import { PromptIntervals, transformed, type Estimate } from '../../math/stats/intervals';
import { jackknifeOf } from '../../math/stats/jackknife';
import { logNormalParetoK, paretoByPrompts } from '../../math/stats/pareto';
import { describeResponses } from '../../math/stats/responses';
import { logEffectiveShare, logKurtosis } from '../../math/stats/statistics';
import { sequenceCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/settings';
import { prefixCurve, prefixLimit, prepare, type Prepared } from '../shared/curves';
import { stage } from '../shared/input';
import { measureWeightCurves, powerSums, type MeasuredWeightCurves } from '../shared/weight-curve';

/** What the claims judge, each on its working scale. */
export interface WeightsInference {
  /** log of the kurtosis */
  kurtosis: Measured;
  /** measured less predicted, at the longest prefix; null without a cohort */
  share: Measured | null;
  pareto: Measured | null;
  /** distinct responses in the tail */
  tail: number;
}

export interface MeasuredWeights extends MeasuredWeightCurves {
  sequences: number;
  /** excess kurtosis of sqrt(L) (log s - mean) over all responses */
  excessKurtosis: Estimate;
  inference: WeightsInference;
}

export async function measureWeights(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredWeights> {
  const data = prepare(rollouts);
  const intervals = new PromptIntervals(context);
  const curves = await measureWeightCurves(data, settings, intervals, context);
  const kurtosis = standardisedKurtosis(data);
  await stage(context, 1);
  return {
    sequences: sequenceCount(rollouts),
    ...curves,
    excessKurtosis: transformed(intervals.around(kurtosis), (log) => Math.exp(log) - 3),
    inference: { kurtosis, ...atLongestPrefix(data, settings) },
  };
}

/** Of sqrt(L) (log s - mean at that length): under the law all lengths then have one variance. */
function standardisedKurtosis(data: Prepared): Measured {
  const { centered, rollouts, cluster, prompts, lengths } = data;
  const { values } = describeResponses(centered, rollouts.offsets, cluster, prompts);
  const scaled = values.map((x, i) => x * Math.sqrt(lengths[i]));
  return jackknifeOf(powerSums(data, Uint32Array.from(lengths.keys()), scaled), logKurtosis);
}

function atLongestPrefix(
  data: Prepared,
  settings: CurveSettings,
): Pick<WeightsInference, 'share' | 'pareto' | 'tail'> {
  const limit = prefixLimit(data.lengths, settings.prefixLength);
  const last = prefixCurve(data, limit, settings.prefixPoints).points.at(-1);
  if (!last) return { share: null, pareto: null, tail: 0 };
  const { rollouts, centered, cluster, prompts } = data;
  const logRho = last.values.map((x) => (x + data.center) * limit);
  const top = logRho.reduce((max, x) => Math.max(max, x), -Infinity);
  // (n, w, w^2) and the tokens' (count, sum, sum of squares)
  const sums = newClusterSums(prompts, 6);
  const own: number[] = [];
  logRho.forEach((log, row) => {
    const i = last.members[row];
    const g = cluster[i];
    own.push(g);
    let sum = 0;
    let squares = 0;
    const start = rollouts.offsets[i];
    for (let t = start; t < start + limit; t++) {
      sum += centered[t];
      squares += centered[t] ** 2;
    }
    const w = Math.exp(log - top);
    [1, w, w * w, limit, sum, squares].forEach((term, k) => {
      const column = sums.columns[k];
      column[g] = column[g] + term;
    });
  });
  const variance = (totals: Float64Array): number => {
    const n = totals[3];
    return totals[5] / n - (totals[4] / n) ** 2;
  };
  const share = jackknifeOf(
    sums,
    (totals) => Math.exp(logEffectiveShare(totals)) - Math.exp(-limit * variance(totals)),
  );
  const tail = paretoByPrompts(logRho, own);
  const totals = sums.columns.map((column) => column.reduce((a, b) => a + b, 0));
  const law = logNormalParetoK(tail.distinct, limit * variance(Float64Array.from(totals)));
  return {
    share,
    pareto: Number.isFinite(tail.estimate - law)
      ? {
          estimate: tail.estimate - law,
          standardError: tail.standardError,
          clusters: tail.clusters,
          df: tail.df,
        }
      : null,
    tail: tail.tail,
  };
}
