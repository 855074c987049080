/**
 * The part of e_t = log pi_old - log pi_sampler that is known beforehand: a sampler that cuts off unlikely tokens (top-p)
 * and draws from what is left gains log of the kept probability on every token, so e_t is shifted by it. Contract: what
 * was kept comes from the sampler, e_t from both log-probs; `left` is their difference, which no cut explains.
 */
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { meanStatistic } from '../../math/stats/statistics';
import { variance } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import { LOG_KEPT, type FloatArray, type WithSampler } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { PromptSums } from '../shared/proportions';

/** Of a shift x per token. */
export interface Shift {
  /** mean of x, nats */
  bias: Estimate;
  /** standard deviation of x, nats */
  spread: number;
  /** mean of exp(x): of the token weights */
  meanWeight: Estimate;
  /** mean of the sum of x over a response, nats: of log rho */
  perResponse: number;
}

export interface KnownShift {
  /** share of the tokens for which more than a hundredth of the probability was cut off */
  cut: number;
  /** x = log of the kept probability */
  predicted: Shift;
  /** x = e_t */
  measured: Shift;
  /** x = e_t - log of the kept probability */
  left: Shift;
}

const HUNDREDTH = Math.log(0.99);

/** @returns null where the sampler says nothing of what it kept */
export function measureKnown(rollouts: WithSampler, context: ExperimentContext): KnownShift | null {
  const table = rollouts.tables?.[LOG_KEPT];
  if (table === undefined) return null;
  const kept = Float64Array.from(table.values);
  const { logpOld, logpSampler } = rollouts;
  const e = Float64Array.from(logpOld, (x, t) => x - logpSampler[t]);
  const shift = (x: FloatArray) => shiftOf(rollouts, x, new PromptIntervals(context));
  return {
    cut: kept.reduce((cut, x) => cut + (x < HUNDREDTH ? 1 : 0), 0) / kept.length,
    predicted: shift(kept),
    measured: shift(e),
    left: shift(e.map((x, t) => x - kept[t])),
  };
}

function shiftOf(rollouts: WithSampler, x: FloatArray, intervals: PromptIntervals): Shift {
  const { offsets } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const [sums, weights] = [new PromptSums(cluster, 2), new PromptSums(cluster, 2)];
  for (let i = 0; i < cluster.length; i++) {
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      sums.add(i, [1, x[t]]);
      weights.add(i, [1, Math.exp(x[t])]);
    }
  }
  const bias = intervals.estimate(sums.sums, meanStatistic);
  return {
    bias,
    spread: Math.sqrt(variance(x)),
    meanWeight: intervals.estimate(weights.sums, meanStatistic),
    perResponse: (bias.estimate * x.length) / Math.max(1, cluster.length),
  };
}
