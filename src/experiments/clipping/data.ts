/**
 * Rollouts as the experiment `clipping` works on them: log-ratios per token and per response, their mean and
 * spread. Under a mismatch correction every token counts by its weight, a response by the mean weight of its
 * tokens: shares, mu and sigma are then those of tokens as pi_old would have drawn them.
 */
import { mean, variance } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import type { FloatArray, Rollouts } from '../../rollouts/rollouts';
import { logRatios, responseLengths, sequenceMeans } from '../shared/input';
import { PromptSums } from '../shared/proportions';

export interface ClippingData {
  offsets: Uint32Array;
  /** [n] */
  lengths: Uint32Array;
  /** [n] prompt of each response */
  cluster: Uint32Array;
  advantage: Float64Array;
  /** [tokens] */
  logpOld: FloatArray;
  logpNew: FloatArray;
  /** [tokens] d_t */
  logRatio: Float64Array;
  /** [n] mean d_t */
  logWeight: Float64Array;
  /** [tokens] mismatch correction; null = 1 */
  tokenWeight: Float64Array | null;
  /** [n] mean of them over the response; null = 1 */
  sequenceWeight: Float64Array | null;
  /** of d_t over tokens */
  mu: number;
  sigma: number;
  /** share of responses with A < 0 and with A > 0, and of tokens */
  negative: { sequences: number; tokens: number };
  positive: { sequences: number; tokens: number };
  newSums(columns: number): PromptSums;
}

/** Mean and variance (n - 1) under weights; NaN where they are all 0. */
function moments(values: Float64Array, weights: Float64Array | null): [number, number] {
  if (!weights) return [mean(values), variance(values)];
  let total = 0;
  let sum = 0;
  for (let t = 0; t < values.length; t++) {
    total += weights[t];
    sum += weights[t] * values[t];
  }
  const center = sum / total;
  let squares = 0;
  for (let t = 0; t < values.length; t++) {
    squares += weights[t] * (values[t] - center) ** 2;
  }
  return [center, (squares / total) * (values.length / (values.length - 1))];
}

/** @param tokenWeight [tokens] mismatch correction; null = 1 */
export function prepareClipping(
  rollouts: Rollouts,
  tokenWeight: Float64Array | null = null,
): ClippingData {
  const logRatio = logRatios(rollouts);
  const lengths = responseLengths(rollouts);
  const { cluster } = promptClusters(rollouts);
  const n = lengths.length;
  const sequenceWeight = tokenWeight && sequenceMeans(tokenWeight, rollouts.offsets);
  const count = (sign: number) => {
    let sequences = 0;
    let tokens = 0;
    let allSequences = 0;
    let allTokens = 0;
    for (let i = 0; i < n; i++) {
      const weight = sequenceWeight ? sequenceWeight[i] : 1;
      allSequences += weight;
      allTokens += weight * lengths[i];
      if (Math.sign(rollouts.advantage[i]) !== sign) continue;
      sequences += weight;
      tokens += weight * lengths[i];
    }
    return { sequences: sequences / allSequences, tokens: tokens / allTokens };
  };
  const [mu, spread] = moments(logRatio, tokenWeight);
  return {
    offsets: rollouts.offsets,
    lengths,
    cluster,
    advantage: rollouts.advantage,
    logpOld: rollouts.logpOld,
    logpNew: rollouts.logpNew,
    logRatio,
    logWeight: sequenceMeans(logRatio, rollouts.offsets),
    tokenWeight,
    sequenceWeight,
    mu,
    sigma: Math.sqrt(spread),
    negative: count(-1),
    positive: count(1),
    newSums: (columns) => new PromptSums(cluster, columns),
  };
}

/** How much response i counts. */
export function responseWeight(data: ClippingData, i: number): number {
  return data.sequenceWeight ? data.sequenceWeight[i] : 1;
}
