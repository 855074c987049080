/**
 * Order statistics and plot ranges. Contract: inputs are never changed; quantiles that describe are
 * Hyndman & Fan's type 7 (the default of R and NumPy), those that predict their type 6; over the finite
 * values where that is said.
 */

/**
 * Quantile of values that are already sorted ascending, linear between order statistics (type 7).
 * @param p in [0, 1]
 * @returns NaN for an empty array
 */
export function quantileSorted(sorted: ArrayLike<number>, p: number): number {
  const n = sorted.length;
  if (n === 0) return NaN;
  const position = (n - 1) * Math.min(1, Math.max(0, p));
  const below = Math.floor(position);
  const low = sorted[below];
  const high = sorted[Math.min(below + 1, n - 1)];
  // equal neighbours first: infinity - infinity is not a number
  return low === high ? low : low + (position - below) * (high - low);
}

/**
 * Quantile that one more draw from the same distribution falls below with probability p, on average:
 * the (n + 1) p-th order statistic (type 6). Intervals need this one: type 7 lies further inside, and with
 * 299 draws a 95 % interval between its quantiles holds the next draw only 94.4 % of the time.
 * @param sorted ascending
 * @param p in [0, 1]; beyond 1 / (n + 1) of either end: the extreme value
 * @returns NaN for an empty array
 */
export function quantileOfNext(sorted: ArrayLike<number>, p: number): number {
  const n = sorted.length;
  if (n < 2) return quantileSorted(sorted, p);
  return quantileSorted(sorted, ((n + 1) * p - 1) / (n - 1));
}

/** The finite values, sorted ascending, as a new array. */
export function sortedFinite(values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isFinite(value)) out[count++] = value;
  }
  return out.subarray(0, count).sort();
}

/** Smallest of 1, 2, 5 times a power of ten that is >= x; x > 0. */
export function niceStep(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  for (const factor of [1, 2, 5, 10]) {
    // 1e-9: log10 of exact powers of ten is not always exact
    if (factor * power >= x * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

/**
 * Range for a histogram: the central 99 % of the finite values and a quarter of that on either side,
 * but not beyond the extremes, widened to round numbers.
 * A sample narrower than half of `minSpan` gets a range of `minSpan` around its middle, so that rounding
 * noise around a single value falls in the middle of one bin, whatever the number of bins.
 * @returns [low, high], low < high; [0, 1] where nothing is finite
 */
export function histogramRange(
  values: ArrayLike<number>,
  bins: number,
  minSpan: number,
): [low: number, high: number] {
  const sorted = sortedFinite(values);
  if (sorted.length === 0) return [0, 1];
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  const q0 = quantileSorted(sorted, 0.005);
  const q1 = quantileSorted(sorted, 0.995);
  if (last - first < minSpan / 2) {
    const middle = (first + last) / 2;
    // half a bin to the left where the middle would be an edge; the other half still holds `last`
    const shift = bins % 2 === 0 ? minSpan / (2 * bins) : 0;
    return [middle - minSpan / 2 - shift, middle + minSpan / 2 - shift];
  }
  const margin = Math.max(q1 - q0, minSpan) / 4;
  const low = Math.max(first, q0 - margin);
  const high = Math.min(last, q1 + margin);
  const step = niceStep((high - low) / 20);
  // 12 digits: 0.30000000000000004 is not a round number
  const round = (x: number): number => Number(x.toPrecision(12));
  return [round(Math.floor(low / step) * step), round((Math.floor(high / step) + 1) * step)];
}
