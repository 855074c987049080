/**
 * Sums of lagged products of token log-ratios. Contract: no pair crosses from one sequence into the
 * next; sums, not means, so that batches add up.
 */
import type { Autocovariance, FloatArray } from './kernels';
import { CompensatedSum } from './summation';

/** [maxLag + 1] number of pairs (t, t + k) within one sequence. */
export function lagPairs(offsets: Uint32Array, maxLag: number): Uint32Array {
  const pairs = new Uint32Array(maxLag + 1);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const length = offsets[i + 1] - offsets[i];
    for (let k = 0; k <= maxLag && k < length; k++) pairs[k] = pairs[k] + length - k;
  }
  return pairs;
}

export function autocovariance(
  logRatio: FloatArray,
  offsets: Uint32Array,
  center: number,
  maxLag: number,
): Autocovariance {
  const sums = Float64Array.from({ length: maxLag + 1 }, (_, lag) => {
    const sum = new CompensatedSum();
    for (let i = 0; i + 1 < offsets.length; i++) {
      const end = offsets[i + 1];
      for (let t = offsets[i]; t + lag < end; t++) {
        sum.add((logRatio[t] - center) * (logRatio[t + lag] - center));
      }
    }
    return sum.value;
  });
  return { pairs: lagPairs(offsets, maxLag), sums };
}
