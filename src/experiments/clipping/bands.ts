/** Clip bands as both the measurement and the law need them. */
import type { Band, RatioClipLevel } from './objective';

/** Logarithms of the band's edges at this level; -Infinity below a ratio of 0. */
export function edges(level: RatioClipLevel, { low, high }: Band): [number, number] {
  if (level === 'token-log') return [-low, high];
  return [low < 1 ? Math.log1p(-low) : -Infinity, Math.log1p(high)];
}

/** z sigma / sqrt(L) on either side */
export function adaptiveBand({ sigma }: { sigma: number }, z: number, length: number): Band {
  const epsilon = (z * sigma) / Math.sqrt(length);
  return { low: epsilon, high: epsilon };
}
