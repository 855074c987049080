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

/** As published: GSPO's paper (arXiv:2507.18071), section 5.1. */
export const PAPER_BANDS = {
  gspo: { low: 3e-4, high: 4e-4 },
  grpo: { low: 0.2, high: 0.27 },
} as const satisfies Record<string, Band>;

/** Both ends of a band times a factor. */
export const scaledBand = ({ low, high }: Band, by: number): Band => ({
  low: low * by,
  high: high * by,
});
