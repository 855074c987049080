/**
 * Autocorrelation of many short series, and what it does to the variance of their means. Contract:
 * float64; a series is a response, no pair crosses from one to the next.
 */
import { newClusterSums, type ClusterSums } from './clusters';

/**
 * Lagged products per cluster: column 2k holds the number of pairs at lag k, column 2k + 1 the sum of
 * x_t x_{t+k}.
 * @param centered [tokens] values minus their mean
 * @param offsets [n + 1]
 * @param cluster [n] cluster of each series
 */
export function lagSums(
  centered: Float64Array,
  offsets: Uint32Array,
  cluster: Uint32Array,
  clusters: number,
  maxLag: number,
): ClusterSums {
  const sums = newClusterSums(clusters, 2 * (maxLag + 1));
  for (let i = 0; i + 1 < offsets.length; i++) {
    const start = offsets[i];
    const end = offsets[i + 1];
    const g = cluster[i];
    for (let lag = 0; lag <= maxLag && lag < end - start; lag++) {
      let sum = 0;
      for (let t = start; t + lag < end; t++) {
        sum += centered[t] * centered[t + lag];
      }
      const pairs = sums.columns[2 * lag];
      const products = sums.columns[2 * lag + 1];
      pairs[g] = pairs[g] + (end - start - lag);
      products[g] = products[g] + sum;
    }
  }
  return sums;
}

/**
 * How many lags to believe: the smallest M >= 5 (1 + 2 sum_{k <= M} |rho_k|), Sokal's (1997) automatic
 * window with absolute values, so that an alternating correlation counts as the long one it is.
 * @param autocorrelation [maxLag + 1], entry 0 is 1
 */
export function automaticWindow(autocorrelation: ArrayLike<number>): number {
  const maxLag = autocorrelation.length - 1;
  let time = 1;
  for (let lag = 1; lag <= maxLag; lag++) {
    time += 2 * Math.abs(autocorrelation[lag]);
    if (lag >= 5 * time) return lag;
  }
  return Math.max(0, maxLag);
}

/** 1 + 2 sum_{k < min(L, window + 1)} (1 - k/L) rho_k: the factor by which Var of a mean grows. */
export function inflation(autocorrelation: ArrayLike<number>, length: number): number {
  let factor = 1;
  for (let lag = 1; lag < autocorrelation.length && lag < length; lag++) {
    factor += 2 * (1 - lag / length) * autocorrelation[lag];
  }
  return factor;
}
