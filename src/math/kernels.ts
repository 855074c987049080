/**
 * The kernels' common face. `src/gpu` implements it in WGSL (float32), `src/math/cpu-kernels.ts` in
 * float64 TypeScript; one test suite runs over both. Contract: plain arrays in, plain arrays out;
 * sequence i owns tokens offsets[i] .. offsets[i + 1]; empty sequences are allowed only where said.
 */
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
