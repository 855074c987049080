/**
 * The normal law of clipping: what share of the ratios lies outside a band, from mu, sigma and the lengths.
 * Contract: pure float64; of the data only these three enter.
 */
import { normalCdf } from '../../math/stats/distributions';
import type { Band, ClippedObjective, RatioClipLevel } from './objective';
import { responseWeight, type ClippingData } from './data';

/** Logarithms of the band's edges at this level; -Infinity below a ratio of 0. */
export function edges(level: RatioClipLevel, { low, high }: Band): [number, number] {
  if (level === 'token-log') return [-low, high];
  return [low < 1 ? Math.log1p(-low) : -Infinity, Math.log1p(high)];
}

/** Probability that a ratio is below / above the band for one response of this length. */
function tails(
  data: ClippingData,
  level: RatioClipLevel,
  length: number,
  band: Band,
): { below: number; above: number } {
  const { mu, sigma } = data;
  const [low, high] = edges(level, band);
  const center = level === 'sequence-sum' ? mu * length : mu;
  const spread =
    level === 'sequence'
      ? sigma / Math.sqrt(length)
      : level === 'sequence-sum'
        ? sigma * Math.sqrt(length)
        : sigma;
  // Without spread the law is a step.
  const cdf = (x: number) =>
    spread > 0 ? normalCdf((x - center) / spread) : x > center ? 1 : x < center ? 0 : 0.5;
  return { below: cdf(low), above: 1 - cdf(high) };
}

/** Predicted share outside the band, either side, at one length. */
export function predictOutside(
  data: ClippingData,
  level: RatioClipLevel,
  length: number,
  band: Band,
): number {
  const { below, above } = tails(data, level, length, band);
  return below + above;
}

/** Distinct lengths with how much the responses of each count, or their tokens. */
function lengthCounts(data: ClippingData, unit: ClippedObjective['unit']): Map<number, number> {
  const counts = new Map<number, number>();
  data.lengths.forEach((length, i) => {
    const own = responseWeight(data, i) * (unit === 'tokens' ? length : 1);
    counts.set(length, (counts.get(length) ?? 0) + own);
  });
  return counts;
}

interface Predicted {
  below: Float64Array;
  above: Float64Array;
}

/** [grid] normal law, averaged over the lengths that occur; null where the level is no ratio. */
export function predictSides(
  data: ClippingData,
  { level, unit, band, ceiling }: ClippedObjective,
  grid: Float64Array,
): Predicted | null {
  if (level === 'divergence') return null;
  const perToken = level === 'token' || level === 'token-log';
  // Token ratios do not depend on the length; one "length" stands for all.
  const counts = perToken ? new Map([[1, 1]]) : lengthCounts(data, unit);
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const below = new Float64Array(grid.length);
  const above = new Float64Array(grid.length);
  const capped = ceiling?.negativeOnly === false ? ceiling.ratio : Infinity;
  grid.forEach((epsilon, k) => {
    for (const [length, count] of counts) {
      const tail = tails(data, level, length, { low: epsilon, high: epsilon });
      if (band.low !== null) below[k] = (below[k] as number) + (tail.below * count) / total;
      if (1 + epsilon < capped) above[k] = (above[k] as number) + (tail.above * count) / total;
    }
  });
  return { below, above };
}
