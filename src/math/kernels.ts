/**
 * The kernels' common face, and the edges and counts that both sides take as given. `src/gpu` implements it in WGSL (float32), `src/math/cpu-kernels.ts` in
 * float64 TypeScript; one test suite runs over both. Contract: plain arrays in, plain arrays out;
 * sequence i owns tokens offsets[i] .. offsets[i + 1]; empty sequences are allowed only where said.
 */
import { CompensatedSum } from './summation';

export type FloatArray = Float32Array | Float64Array;

export interface TokenStats {
  /** [rows] log softmax(logits)[target], nats */
  logp: FloatArray;
  /** [rows] Shannon entropy of softmax(logits), nats */
  entropy: FloatArray;
  /** [rows] sum_v p_v^2 */
  collision: FloatArray;
}

export interface SequenceForms {
  /** [n] form 1: (prod r_t)^(1/L), token ratios multiplied one by one, rescaled so nothing underflows */
  geometric: FloatArray;
  /** [n] form 2: PPL_old / PPL_theta, each perplexity on its own */
  perplexity: FloatArray;
  /** [n] form 3: exp(H_old - H_theta), cross-entropies on their own, then their difference */
  entropy: FloatArray;
  /** [n] PPL_old and PPL_theta */
  pplOld: FloatArray;
  pplNew: FloatArray;
  /** [n] H_old and H_theta: empirical cross-entropies, nats per token */
  crossEntropyOld: FloatArray;
  crossEntropyNew: FloatArray;
  /** [n] (1/L) sum_t (b_t - a_t), compensated: log s */
  logWeight: FloatArray;
  /** [n] the textbook quotient prod pi_theta / prod pi_old in float32, then ^(1/L): underflows, on purpose */
  naive: FloatArray;
}

export interface HistogramSpec {
  low: number;
  high: number;
  bins: number;
}

export interface Histogram {
  /** [bins]; bin k holds low + k w <= x < low + (k + 1) w; the last one includes `high` */
  counts: Uint32Array;
  underflow: number;
  overflow: number;
  /** NaN and infinities */
  notFinite: number;
}

export interface PrefixMoments {
  /** [maxLength] how many sequences have at least k + 1 tokens */
  count: Uint32Array;
  /** [maxLength] mean and M2 (sum of squared deviations) of the mean log-ratio over the first k + 1 tokens */
  mean: FloatArray;
  m2: FloatArray;
}

export interface Autocovariance {
  /** [maxLag + 1] number of pairs (t, t + k) within one sequence */
  pairs: Uint32Array;
  /** [maxLag + 1] sum over those pairs of (d_t - center)(d_{t+k} - center) */
  sums: FloatArray;
}

export interface Kernels {
  readonly backend: 'webgpu' | 'cpu';
  /**
   * Fused log-softmax, gather, entropy and collision probability, one pass over each row.
   * @param logits [rows, vocabulary], row-major; -inf allowed (probability 0)
   * @param targets [rows] ids in [0, vocabulary)
   */
  tokenStats(logits: Float32Array, vocabulary: number, targets: Uint32Array): Promise<TokenStats>;
  /** All sequences must have at least one token. */
  sequenceForms(
    logpOld: FloatArray,
    logpNew: FloatArray,
    offsets: Uint32Array,
  ): Promise<SequenceForms>;
  histogram(values: FloatArray, spec: HistogramSpec): Promise<Histogram>;
  prefixMoments(
    logRatio: FloatArray,
    offsets: Uint32Array,
    maxLength: number,
  ): Promise<PrefixMoments>;
  autocovariance(
    logRatio: FloatArray,
    offsets: Uint32Array,
    center: number,
    maxLag: number,
  ): Promise<Autocovariance>;
}

/**
 * Sums of lagged products of token log-ratios. Contract: no pair crosses from one sequence into the
 * next; sums, not means, so that batches add up.
 *
 * @returns [maxLag + 1] number of pairs (t, t + k) within one sequence
 */
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

/**
 * Histograms with nothing swept under the rug: what lies below, above, or is no number is counted too.
 * Contract: the bins and the three counters together hold every value exactly once.
 *
 * @returns [bins + 1] edges; the last one is `high` itself
 */
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
