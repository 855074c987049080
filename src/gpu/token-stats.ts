/**
 * Log-prob, entropy and collision probability of one token per row of logits, on the GPU.
 *
 * Two entries: logits that are on the GPU already are read in place, only at the rows that count
 * (`tokenStatsInPlace`, `encodeTokenStats` where the results stay there too); logits from the CPU are
 * uploaded a chunk at a time (`tokenStats`). Float32, log-probs within 1e-5 where |log p| < 50.
 */
import { checkLogits, checkTargets, KernelInputError } from '../math/kernel-input';
import type { TokenStats } from '../math/kernels';
import { Arena, withArena } from './buffers';
import { computePipeline, encodePass, withSubgroups, type Dispatch, type Shader } from './pipeline';
import { rowRanges } from './row-ranges';
import { FLOAT } from './snippets';
import { readBack, submit } from './submit';
import subgroupsCode from './token-stats-subgroups.wgsl?raw';
import treeCode from './token-stats-tree.wgsl?raw';
import code from './token-stats.wgsl?raw';

const TREE: Shader = { name: 'token-stats.wgsl', code: [code, treeCode, FLOAT].join('\n') };
const SUBGROUPS = withSubgroups({
  name: 'token-stats.wgsl (subgroups)',
  code: [code, subgroupsCode, FLOAT].join('\n'),
});
const THREADS = 256;

/** Up to here one thread per row beats a workgroup per row, most of whose threads would idle. */
const SMALL_VOCABULARY = 128;

/** Bytes of logits on the GPU at a time when they come from the CPU. */
const UPLOAD_BYTES = 128 * 2 ** 20;

export interface RowTargets {
  vocabulary: number;
  /** [n] which rows of the logits; row r is elements r * vocabulary .. (r + 1) * vocabulary */
  rows: Uint32Array;
  /** [n] token ids in [0, vocabulary) */
  targets: Uint32Array;
}

export interface TokenStatsOptions {
  /** most bytes that one binding may show; the device's own limit where left out */
  bindingLimit?: number | undefined;
  /** add up by subgroups; whether the device has them where left out */
  subgroups?: boolean | undefined;
}

/** Results that stay on the GPU: float32 [3, rows], the columns log-prob, entropy, collision. */
export interface GpuTokenStats {
  buffer: GPUBuffer;
  rows: number;
  read(): Promise<TokenStats>;
  destroy(): void;
}

function unpack(words: ArrayBuffer, rows: number): TokenStats {
  return {
    logp: new Float32Array(words, 0, rows),
    entropy: new Float32Array(words, 4 * rows, rows),
    collision: new Float32Array(words, 8 * rows, rows),
  };
}

/** Rows to work off, in the order in which they lie. */
export interface TokenStatsSource {
  logits: GPUBuffer;
  vocabulary: number;
  /** [jobs] row of the logits, ascending */
  rows: Uint32Array;
  /** [jobs] */
  targets: Uint32Array;
  /** [jobs] row of the result */
  results: Uint32Array;
}

/**
 * One dispatch per binding range that the rows need.
 * @param result float32 [3, resultRows]
 */
export async function tokenStatsDispatches(
  device: GPUDevice,
  arena: Arena,
  { logits, vocabulary, rows, targets, results }: TokenStatsSource,
  result: GPUBuffer,
  resultRows: number,
  {
    bindingLimit = device.limits.maxStorageBufferBindingSize,
    subgroups = device.features.has('subgroups'),
  }: TokenStatsOptions = {},
): Promise<Dispatch[]> {
  const threadsPerRow = vocabulary <= SMALL_VOCABULARY ? 1 : THREADS;
  // A thread that has a row of its own has nobody to add up with.
  const shader = subgroups && threadsPerRow > 1 ? SUBGROUPS : TREE;
  const pipeline = await computePipeline(device, shader, 'main', {
    threads_per_row: threadsPerRow,
  });
  const starts = Float64Array.from(rows, (row) => row * vocabulary);
  return rowRanges(starts, vocabulary, bindingLimit).map(({ from, to, offset, size }) => {
    const jobs = new Uint32Array((to - from) * 3);
    for (let job = from; job < to; job++) {
      const start = starts[job] - offset / 4;
      jobs.set([start, targets[job], results[job]], (job - from) * 3);
    }
    return {
      pipeline,
      bindings: [
        { buffer: logits, offset, size },
        arena.upload(jobs),
        result,
        arena.uniform([vocabulary, to - from, resultRows]),
      ],
      workgroups: Math.ceil(((to - from) * threadsPerRow) / THREADS),
    };
  });
}

function inRowOrder({
  rows,
  targets,
}: RowTargets): Omit<TokenStatsSource, 'logits' | 'vocabulary'> {
  const results = Uint32Array.from(rows.keys());
  results.sort((i, k) => rows[i] - rows[k]);
  return {
    rows: results.map((i) => rows[i]),
    targets: results.map((i) => targets[i]),
    results,
  };
}

/**
 * Reads logits where they lie and leaves the results on the GPU. Everything is submitted when the
 * promise resolves; the caller destroys what it gets.
 * @param logits float32 [>= max(rows) + 1, vocabulary] with usage STORAGE. Rows that are not listed are
 *   never read, whatever they hold
 * @throws KernelInputError, ShaderError, GpuError
 */
export async function encodeTokenStats(
  device: GPUDevice,
  logits: GPUBuffer,
  job: RowTargets,
  options: TokenStatsOptions = {},
): Promise<GpuTokenStats> {
  const { vocabulary, rows, targets } = job;
  checkTargets(targets, vocabulary);
  if (rows.length !== targets.length) {
    throw new KernelInputError(`${rows.length} rows cannot have ${targets.length} targets.`);
  }
  const available = Math.floor(logits.size / 4 / vocabulary);
  const outside = rows.find((row) => row >= available);
  if (outside !== undefined) {
    throw new KernelInputError(`Row ${outside} is outside the ${available} rows of logits.`);
  }
  const kept = new Arena(device);
  const result = kept.storage(rows.length * 12);
  try {
    await withArena(device, async (arena) => {
      const work = await tokenStatsDispatches(
        device,
        arena,
        { logits, vocabulary, ...inRowOrder(job) },
        result,
        rows.length,
        options,
      );
      await submit(device, 'token statistics', (encoder) => encodePass(encoder, device, work));
    });
  } catch (error) {
    kept.destroy();
    throw error;
  }
  return {
    buffer: result,
    rows: rows.length,
    read: async () => unpack(await readBack(device, result, rows.length * 12), rows.length),
    destroy: () => kept.destroy(),
  };
}

/** As `encodeTokenStats`, with the results read back. */
export async function tokenStatsInPlace(
  device: GPUDevice,
  logits: GPUBuffer,
  job: RowTargets,
  options: TokenStatsOptions = {},
): Promise<TokenStats> {
  const stats = await encodeTokenStats(device, logits, job, options);
  try {
    return await stats.read();
  } finally {
    stats.destroy();
  }
}

/**
 * `Kernels.tokenStats`: logits from the CPU, as many rows at a time as fit.
 * @param logits [targets.length, vocabulary]
 */
export async function tokenStats(
  device: GPUDevice,
  logits: Float32Array,
  vocabulary: number,
  targets: Uint32Array,
  options: TokenStatsOptions = {},
): Promise<TokenStats> {
  const { bindingLimit = device.limits.maxStorageBufferBindingSize } = options;
  checkLogits(logits, vocabulary, targets);
  const total = targets.length;
  const out = unpack(new ArrayBuffer(total * 12), total);
  const bytes = Math.min(UPLOAD_BYTES, bindingLimit);
  const rowsAtOnce = Math.max(1, Math.floor(bytes / (vocabulary * 4)));
  for (let from = 0; from < total; from += rowsAtOnce) {
    const to = Math.min(total, from + rowsAtOnce);
    await withArena(device, async (arena) => {
      const buffer = arena.upload(logits.subarray(from * vocabulary, to * vocabulary));
      const job = {
        vocabulary,
        rows: Uint32Array.from({ length: to - from }, (_, row) => row),
        targets: targets.subarray(from, to),
      };
      const chunk = await tokenStatsInPlace(device, buffer, job, options);
      out.logp.set(chunk.logp, from);
      out.entropy.set(chunk.entropy, from);
      out.collision.set(chunk.collision, from);
    });
  }
  return out;
}
