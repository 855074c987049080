/**
 * What a foreign model takes, estimated before it is loaded, so that a person reads a sentence where a tab would crash.
 * Contract: pure; bytes; estimates, not promises: they count what grows with the model (weights, caches, logits).
 */
import { FetchError } from '../fetch';
import type { Provider } from '../runtime';
import type { PreparedGraph } from './graph';

/** WebAssembly addresses 4 GiB; some is onnxruntime's own. */
const WASM_BYTES = 3.6e9;
/** Logits of a pass, where no device says less. */
const LOGIT_BYTES = 256 * 2 ** 20;
/** Tokens of a pass that scores (`score.ts`), so rows of logits at the most. */
const MOST_ROWS: Record<Provider, number> = { wasm: 2048, webgpu: 8192 };
/** Caches of the rows that are sampled at a time: those that a step reads, and those that it writes. */
const CACHE_BYTES = 512 * 2 ** 20;
/** As many rows are sampled at a time at the most. */
const MOST_AT_A_TIME = 64;

export interface DeviceLimits {
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
}

export interface MemoryPlan {
  /** at its busiest, all together */
  bytes: number;
  /** of logits that a pass may hand out */
  logitBytes: number;
  /** of caches that the rows of a step may have */
  cacheBytes: number;
  /** that a row may have, prompt and response: those of the model, or as many as its caches have room for */
  positions: number;
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString('en-US')} MB`;

/**
 * @param positions that a row may have by the model's config
 * @param limits of the GPU; null on WebAssembly
 * @param beside bytes that other models there have
 * @throws FetchError where it cannot fit
 */
export function planMemory(
  graph: Pick<
    PreparedGraph,
    'weightBytes' | 'largestBytes' | 'rowBytes' | 'vocabulary' | 'external'
  >,
  provider: Provider,
  positions: number,
  limits: DeviceLimits | null,
  beside = 0,
): MemoryPlan {
  const { weightBytes, largestBytes, vocabulary } = graph;
  const { perPosition, fixed } = graph.rowBytes;
  const fit = Math.floor((CACHE_BYTES / 2 - fixed) / Math.max(1, perPosition));
  const used = Math.max(1, Math.min(positions, fit));
  const caches = Math.min(CACHE_BYTES, 2 * MOST_AT_A_TIME * (fixed + perPosition * used));
  const logitBytes = Math.min(LOGIT_BYTES, limits?.maxBufferSize ?? Infinity);
  if (vocabulary * 4 > logitBytes) {
    throw new FetchError(
      `One row of logits (${vocabulary.toLocaleString('en-US')} tokens) takes ${megabytes(vocabulary * 4)}; ` +
        `at most ${megabytes(logitBytes)} can be handed out here.`,
    );
  }
  // In the file they stand in its bytes, in its parsed form, and packed for the products.
  const loading = graph.external.size > 0 ? 2 * weightBytes : 3 * weightBytes;
  // Logits of a pass, and a copy of the rows that are read.
  const logits = Math.min(logitBytes, MOST_ROWS[provider] * vocabulary * 4);
  const working = weightBytes + caches + 2 * logits;
  const bytes = Math.max(loading, working);
  if (provider === 'wasm' && beside + bytes > WASM_BYTES) {
    const other = beside > 0 ? `, the other model has ${megabytes(beside)},` : ',';
    throw new FetchError(
      `This model would take about ${megabytes(bytes)} at its busiest, ${megabytes(weightBytes)} of them weights` +
        `${other} and WebAssembly has ${megabytes(WASM_BYTES)} in all. Choose a graph of fewer bits, or a smaller model.`,
    );
  }
  if (limits && largestBytes > limits.maxBufferSize) {
    throw new FetchError(
      `The largest weight has ${megabytes(largestBytes)}; a buffer of this GPU holds ${megabytes(limits.maxBufferSize)}.`,
    );
  }
  return { bytes, logitBytes, cacheBytes: CACHE_BYTES, positions: used };
}
