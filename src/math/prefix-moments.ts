/**
 * How the mean log-ratio of a response spreads over sequences when every response is cut after k + 1
 * tokens: the measured side of Var[log s given L]. Float64, one pass, Welford (1962) per prefix.
 */
import type { FloatArray, PrefixMoments } from './kernels';
import { CompensatedSum } from './summation';

/** [maxLength] number of sequences with at least k + 1 tokens. */
export function prefixCounts(offsets: Uint32Array, maxLength: number): Uint32Array {
  const ending = new Uint32Array(maxLength + 1);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const length = offsets[i + 1] - offsets[i];
    const last = Math.min(length, maxLength);
    ending[last] = ending[last] + 1;
  }
  const count = new Uint32Array(maxLength);
  let longer = 0;
  for (let k = maxLength - 1; k >= 0; k--) {
    longer += ending[k + 1];
    count[k] = longer;
  }
  return count;
}

/** Empty sequences count nowhere; a prefix that no sequence reaches has mean and M2 of 0. */
export function prefixMoments(
  logRatio: FloatArray,
  offsets: Uint32Array,
  maxLength: number,
): PrefixMoments {
  const count = new Uint32Array(maxLength);
  const mean = new Float64Array(maxLength);
  const m2 = new Float64Array(maxLength);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const start = offsets[i];
    const length = Math.min(offsets[i + 1] - start, maxLength);
    const sum = new CompensatedSum();
    for (let k = 0; k < length; k++) {
      sum.add(logRatio[start + k]);
      const prefixMean = sum.value / (k + 1);
      const seen = count[k] + 1;
      const delta = prefixMean - mean[k];
      const updated = mean[k] + delta / seen;
      count[k] = seen;
      mean[k] = updated;
      m2[k] = m2[k] + delta * (prefixMean - updated);
    }
  }
  return { count, mean, m2 };
}

/** Tokens of the longest sequence, 0 where there is none. */
export function longestSequence(offsets: Uint32Array): number {
  let longest = 0;
  for (let i = 0; i + 1 < offsets.length; i++) {
    longest = Math.max(longest, offsets[i + 1] - offsets[i]);
  }
  return longest;
}
