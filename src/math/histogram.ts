/**
 * Histograms with nothing swept under the rug: what lies below, above, or is no number is counted too.
 * Contract: the bins and the three counters together hold every value exactly once.
 */
import type { FloatArray, Histogram, HistogramSpec } from './kernels';

/** [bins + 1] edges; the last one is `high` itself. */
export function histogramEdges({ low, high, bins }: HistogramSpec): Float64Array {
  const width = (high - low) / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, k) => low + k * width);
  edges[bins] = high;
  return edges;
}

export function histogram(values: FloatArray, spec: HistogramSpec): Histogram {
  const { low, high, bins } = spec;
  const edges = histogramEdges(spec);
  const scale = bins / (high - low);
  const counts = new Uint32Array(bins);
  let underflow = 0;
  let overflow = 0;
  let notFinite = 0;
  for (const x of values) {
    if (!Number.isFinite(x)) notFinite++;
    else if (x < low) underflow++;
    else if (x > high) overflow++;
    else {
      // The quotient may round across an edge; the edges decide.
      let k = Math.min(bins - 1, Math.floor((x - low) * scale));
      while (k > 0 && x < edges[k]) k--;
      while (k < bins - 1 && x >= edges[k + 1]) k++;
      counts[k] = counts[k] + 1;
    }
  }
  return { counts, underflow, overflow, notFinite };
}
