/**
 * How log ratios are spread, for the report's figures. Contract: made of the tally's histograms, so that parts
 * merge; aggregated, so that nothing of a single response is in it.
 */
import type { Evidence } from './evidence/evidence';
import { signedEdges, type HistogramName } from './evidence/names';

export interface Distribution {
  of: 'tokens' | 'responses' | 'sampler';
  /** how many tokens or responses */
  n: number;
  /** nats; the bins go from -limit to limit and are of one width */
  limit: number;
  /** share in each bin */
  bins: number[];
  /** share further out than the limit */
  beyond: number;
  /** edges of the clip range as log ratios; null where there is none */
  band: [number, number] | null;
}

/** The figure shows all but this share. */
const BEYOND = 0.005;
const BINS = 49;

function distribution(
  of: Distribution['of'],
  counts: Float64Array,
  band: Distribution['band'],
): Distribution[] {
  const n = counts.reduce((sum, x) => sum + x, 0);
  const middle = (counts.length - 1) / 2;
  let limit = 0;
  let inside = counts[middle];
  for (let k = 1; k <= middle && inside < (1 - BEYOND) * n; k++) {
    inside += counts[middle - k] + counts[middle + k];
    limit = signedEdges(middle + k)[1];
  }
  // Of one response, or of ratios that are all 1, there is no distribution.
  if (n < 2 || limit === 0) return [];
  const width = (2 * limit) / BINS;
  const bins = new Array<number>(BINS).fill(0);
  for (const [i, count] of counts.entries()) {
    const [from, to] = signedEdges(i);
    if (count === 0 || from < -limit * 1.000001 || to > limit * 1.000001) continue;
    const first = Math.max(0, Math.floor((from + limit) / width));
    const last = Math.min(BINS - 1, Math.floor((to + limit) / width));
    for (let bin = first; bin <= last; bin++) {
      const low = Math.max(from, bin * width - limit);
      const high = Math.min(to, (bin + 1) * width - limit);
      const part = first === last ? 1 : Math.max(0, high - low) / (to - from);
      bins[bin] = bins[bin] + (part * count) / n;
    }
  }
  return [{ of, n, limit, bins, beyond: 1 - inside / n, band }];
}

/** Old to new per token and per response where there is an update, sampler to old where there is a sampler. */
export function distributionsOf(e: Evidence): Distribution[] {
  const edges = ({ low, high }: { low: number; high: number }): [number, number] => [
    Math.log1p(-low),
    Math.log1p(high),
  ];
  const counts = (name: HistogramName) => e.histogram(name);
  return [
    ...(e.hasUpdate()
      ? [
          ...distribution('responses', counts('logS'), edges(e.bands.sequence)),
          ...distribution('tokens', counts('on.signed'), edges(e.bands.token)),
        ]
      : []),
    ...(e.hasSampler() ? distribution('sampler', counts('so.signed'), null) : []),
  ];
}
