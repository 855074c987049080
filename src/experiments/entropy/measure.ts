/**
 * Per token: the entropy's change, and the two terms that its first order is made of, over all tokens, over tokens that
 * pi_old was equally unsure of, and over responses of similar length. Bins follow from the prefix alone, so that the
 * one-token estimate is unbiased within each.
 */
import type { Measured } from '../../math/stats/anytime';
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { jackknifeOf } from '../../math/stats/jackknife';
import { meanStatistic } from '../../math/stats/statistics';
import { promptClusters } from '../../rollouts/clusters';
import { sequenceCount, tokenCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { logRatios, responseLengths, stage } from '../shared/input';
import { geometricLengthBins } from '../shared/length-bins';
import { PromptSums } from '../shared/proportions';
import type { CurveSettings } from '../shared/settings';
import { firstOrderBySample } from '../../math/entropy-change';

const ENTROPY_BINS = 8;

/** Means over tokens, nats. */
export interface MeasuredMeans {
  tokens: number;
  /** of H_theta - H_old */
  change: Estimate;
  /** of -(log pi_old + H_old) d_t */
  covariance: Estimate;
  /** of d_t: dH over these tokens */
  crossEntropy: Estimate;
}

export interface MeasuredEntropyBin extends MeasuredMeans {
  /** mean H_old of the bin's tokens, nats; of a length bin the mean length, tokens */
  at: number;
  low: number;
  high: number;
}

export interface MeasuredEntropy {
  sequences: number;
  tokens: number;
  /** null: the rollouts carry no entropies, or there are no tokens */
  measure: {
    all: MeasuredMeans;
    byEntropy: MeasuredEntropyBin[];
    byLength: MeasuredEntropyBin[];
    /** of responses, by their mean H_old, an equal number in each */
    byResponse: MeasuredEntropyBin[];
    /** change over covariance */
    quotient: Measured;
    /** mean of log pi_old + H_old, nats */
    surprise: Measured;
    /** mean of d_t plus half its variance, nats */
    second: Measured;
  } | null;
}

interface Columns {
  change: Float64Array;
  covariance: Float64Array;
  d: Float64Array;
}

export async function measureEntropy(
  rollouts: Rollouts,
  { bins }: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredEntropy> {
  const sequences = sequenceCount(rollouts);
  const tokens = tokenCount(rollouts);
  const { entropyOld, entropyNew, logpOld } = rollouts;
  if (!entropyOld || !entropyNew || tokens === 0) return { sequences, tokens, measure: null };
  const d = logRatios(rollouts);
  const columns: Columns = {
    d,
    change: Float64Array.from(entropyNew, (x, t) => x - entropyOld[t]),
    covariance: Float64Array.from(d, (x, t) => firstOrderBySample(logpOld[t], entropyOld[t], x)),
  };
  const intervals = new PromptIntervals(context);
  const sums = allSums(rollouts, columns, entropyOld);
  const all = meansOf(rollouts, columns, intervals, () => true);
  await stage(context, 0.3);
  const byEntropy = entropyBins(rollouts, columns, entropyOld, intervals);
  await stage(context, 0.6);
  const lengths = responseLengths(rollouts);
  const byLength = geometricLengthBins(lengths, bins).flatMap(
    ({ minLength, maxLength, members }) => {
      if (members.length === 0) return [];
      const chosen = new Uint8Array(sequences);
      for (const i of members) chosen[i] = 1;
      const means = meansOf(rollouts, columns, intervals, (_, i) => chosen[i] === 1);
      const at = Array.from(members, (i) => lengths[i]).reduce((a, b) => a + b, 0) / members.length;
      return means.tokens === 0 ? [] : [{ at, low: minLength, high: maxLength, ...means }];
    },
  );
  const byResponse = responseBins(rollouts, bins, entropyOld, (chosen) =>
    meansOf(rollouts, columns, intervals, (_, i) => chosen[i] === 1),
  );
  await stage(context, 0.9);
  return {
    sequences,
    tokens,
    measure: {
      all,
      byEntropy,
      byLength,
      byResponse,
      quotient: jackknifeOf(sums, (totals) => totals[1] / totals[2]),
      surprise: jackknifeOf(sums, (totals) => totals[3] / totals[0]),
      second: jackknifeOf(sums, (totals) => {
        const center = totals[4] / totals[0];
        return center + (totals[5] / totals[0] - center * center) / 2;
      }),
    },
  };
}

/** Per prompt: (tokens, change, covariance, log pi_old + H_old, d, d^2). */
function allSums(rollouts: Rollouts, { change, covariance, d }: Columns, entropy: FloatArray) {
  const { offsets, logpOld } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const sums = new PromptSums(cluster, 6);
  for (let i = 0; i < cluster.length; i++) {
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      sums.add(i, [1, change[t], covariance[t], logpOld[t] + entropy[t], d[t], d[t] ** 2]);
    }
  }
  return sums.sums;
}

/** @param among tokens that count: of token t of response i */
function meansOf(
  rollouts: Rollouts,
  { change, covariance, d }: Columns,
  intervals: PromptIntervals,
  among: (t: number, i: number) => boolean,
): MeasuredMeans {
  const { offsets } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const [first, second, third] = [1, 2, 3].map(() => new PromptSums(cluster, 2)) as [
    PromptSums,
    PromptSums,
    PromptSums,
  ];
  let tokens = 0;
  for (let i = 0; i < cluster.length; i++) {
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      if (!among(t, i)) continue;
      tokens++;
      first.add(i, [1, change[t]]);
      second.add(i, [1, covariance[t]]);
      third.add(i, [1, d[t]]);
    }
  }
  return {
    tokens,
    change: intervals.estimate(first.sums, meanStatistic),
    covariance: intervals.estimate(second.sums, meanStatistic),
    crossEntropy: intervals.estimate(third.sums, meanStatistic),
  };
}

/** @param meansOver of the responses marked 1 */
function responseBins(
  { offsets }: Rollouts,
  count: number,
  entropy: FloatArray,
  meansOver: (chosen: Uint8Array) => MeasuredMeans,
): MeasuredEntropyBin[] {
  const own = Array.from({ length: offsets.length - 1 }, (_, i) => {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let sum = 0;
    for (let t = from; t < to; t++) sum += entropy[t];
    return { i, at: to > from ? sum / (to - from) : NaN };
  })
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => a.at - b.at);
  return Array.from({ length: count }, (_, k) =>
    own.slice(Math.floor((k * own.length) / count), Math.floor(((k + 1) * own.length) / count)),
  ).flatMap((members) => {
    const [first, last] = [members[0], members.at(-1)];
    if (first === undefined || last === undefined) return [];
    const chosen = new Uint8Array(offsets.length - 1);
    for (const { i } of members) chosen[i] = 1;
    const at = members.reduce((sum, one) => sum + one.at, 0) / members.length;
    return [{ at, low: first.at, high: last.at, ...meansOver(chosen) }];
  });
}

/** Equal shares of the old policy's entropy per bin, as far as ties allow: most tokens have hardly any. */
function entropyBins(
  rollouts: Rollouts,
  columns: Columns,
  entropy: FloatArray,
  intervals: PromptIntervals,
): MeasuredEntropyBin[] {
  const sorted = Float64Array.from(entropy).sort();
  const whole = sorted.reduce((sum, x) => sum + x, 0);
  const edges = [sorted[0]];
  let below = 0;
  for (const x of sorted) {
    if (below >= (edges.length * whole) / ENTROPY_BINS) edges.push(x);
    below += x;
  }
  edges.length = Math.min(edges.length, ENTROPY_BINS);
  edges.push(sorted[sorted.length - 1]);
  return Array.from({ length: edges.length - 1 }, (_, k) => k).flatMap((k) => {
    const [low, high] = [edges[k], edges[k + 1]];
    const last = k === edges.length - 2;
    const inside = (t: number) =>
      entropy[t] >= low && (last ? entropy[t] <= high : entropy[t] < high);
    const means = meansOf(rollouts, columns, intervals, inside);
    if (means.tokens === 0) return [];
    const total = Float64Array.from(entropy, (x, t) => (inside(t) ? x : 0)).reduce(
      (a, b) => a + b,
      0,
    );
    return [{ at: total / means.tokens, low, high, ...means }];
  });
}
