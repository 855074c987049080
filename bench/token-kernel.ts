/**
 * How far the token kernel is from the speed of memory: fused log-softmax, gather, entropy and collision
 * probability over [rows, 50,257] logits, against copying the same bytes, once by the queue
 * (copyBufferToBuffer) and once by a kernel that does nothing else.
 *
 * Contract: runs on any WebGPU device, in a page or a worker; touches no DOM; destroys what it allocates.
 * Each round submits one command buffer with enough repetitions to drown the cost of submitting, the
 * contestants take turns, and what is told are medians and quartiles over rounds. A copy moves
 * twice the bytes (read and write) that the token kernel reads, so a ratio below 1 is possible.
 */
import { withArena, type Arena } from '../src/gpu/buffers';
import { computePipeline, encodePass, type Dispatch } from '../src/gpu/pipeline';
import { submit } from '../src/gpu/submit';
import { tokenStatsDispatches } from '../src/gpu/token-stats';
import copyCode from './token-kernel-copy.wgsl?raw';

export interface TokenKernelOptions {
  vocabulary?: number;
  /** rows of logits, a multiple of 4 */
  rows?: number;
  rounds?: number;
  /** how long one round should take at least, ms */
  roundMs?: number;
}

export interface Timing {
  /** per repetition, ms: median, lower and upper quartile over rounds */
  median: number;
  lower: number;
  upper: number;
  /** repetitions per round */
  repetitions: number;
  /** bytes of logits per second at the median, in units of 1e9 */
  gigabytesPerSecond: number;
}

export interface TokenKernelBench {
  /** whether `tokenKernel` adds up by subgroups, as it does wherever the device has them */
  subgroups: boolean;
  vocabulary: number;
  rows: number;
  /** of logits */
  bytes: number;
  rounds: number;
  tokenKernel: Timing;
  /** the same kernel adding up in workgroup memory */
  treeKernel: Timing;
  bufferCopy: Timing;
  shaderCopy: Timing;
  /** time of the token kernel over time of the copy, at the medians */
  ratioToBufferCopy: number;
  ratioToShaderCopy: number;
  /** of the token kernel over the tree kernel */
  ratioToTree: number;
}

type Record = (encoder: GPUCommandEncoder) => void;

const MOST_REPETITIONS = 256;

/** Milliseconds per repetition. */
async function time(device: GPUDevice, record: Record, repetitions: number): Promise<number> {
  await device.queue.onSubmittedWorkDone();
  const start = performance.now();
  const verdict = submit(device, 'a benchmark', (encoder) => {
    for (let i = 0; i < repetitions; i++) record(encoder);
  });
  await device.queue.onSubmittedWorkDone();
  const elapsed = performance.now() - start;
  await verdict;
  return elapsed / repetitions;
}

/** How often to repeat so that a round takes about `roundMs`; warms up on the way. */
async function calibrate(device: GPUDevice, record: Record, roundMs: number): Promise<number> {
  await time(device, record, 1);
  let repetitions = 1;
  while (repetitions < MOST_REPETITIONS) {
    const each = await time(device, record, repetitions);
    if (each * repetitions >= roundMs) break;
    repetitions = Math.min(MOST_REPETITIONS, repetitions * 2);
  }
  return repetitions;
}

function quantile(sorted: readonly number[], fraction: number): number {
  const at = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  return low + (high - low) * (at - Math.floor(at));
}

/** Logits that look like a policy's: spread over some 20 nats, different in every row. */
function fakeLogits(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state * 2 ** -32 * 20 - 10;
  });
}

async function contestants(
  device: GPUDevice,
  arena: Arena,
  vocabulary: number,
  rows: number,
): Promise<[Record, Record, Record, Record]> {
  const bytes = rows * vocabulary * 4;
  const logits = arena.upload(fakeLogits(rows * vocabulary));
  const copy = arena.storage(bytes);
  const index = Uint32Array.from({ length: rows }, (_, row) => row);
  const source = {
    logits,
    vocabulary,
    rows: index,
    targets: index.map((row) => (row * 7919) % vocabulary),
    results: index,
  };
  const result = arena.storage(rows * 12);
  const kernel = await tokenStatsDispatches(device, arena, source, result, rows);
  const tree = await tokenStatsDispatches(device, arena, source, result, rows, {
    subgroups: false,
  });
  const shaderCopy: Dispatch = {
    pipeline: await computePipeline(device, { name: 'token-kernel-copy.wgsl', code: copyCode }),
    bindings: [logits, copy],
    workgroups: Math.ceil(bytes / 16 / 256),
  };
  return [
    (encoder) => encodePass(encoder, device, kernel),
    (encoder) => encodePass(encoder, device, tree),
    (encoder) => encoder.copyBufferToBuffer(logits, 0, copy, 0, bytes),
    (encoder) => encodePass(encoder, device, [shaderCopy]),
  ];
}

/** @throws GpuError, KernelInputError (more rows than one binding holds) */
export async function benchTokenKernel(
  device: GPUDevice,
  { vocabulary = 50_257, rows = 256, rounds = 15, roundMs = 50 }: TokenKernelOptions = {},
): Promise<TokenKernelBench> {
  if (rows % 4 !== 0) throw new RangeError(`Rows must be a multiple of 4, not ${rows}.`);
  const bytes = rows * vocabulary * 4;
  return withArena(device, async (arena) => {
    const records = await contestants(device, arena, vocabulary, rows);
    const runs: { record: Record; repetitions: number; times: number[] }[] = [];
    for (const record of records) {
      runs.push({ record, repetitions: await calibrate(device, record, roundMs), times: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const run of runs) run.times.push(await time(device, run.record, run.repetitions));
    }
    const [tokenKernel, treeKernel, bufferCopy, shaderCopy] = runs.map(
      ({ times, repetitions }): Timing => {
        times.sort((a, b) => a - b);
        const median = quantile(times, 0.5);
        return {
          median,
          lower: quantile(times, 0.25),
          upper: quantile(times, 0.75),
          repetitions,
          gigabytesPerSecond: bytes / median / 1e6,
        };
      },
    ) as [Timing, Timing, Timing, Timing];
    return {
      vocabulary,
      rows,
      bytes,
      rounds,
      subgroups: device.features.has('subgroups'),
      tokenKernel,
      treeKernel,
      bufferCopy,
      shaderCopy,
      ratioToTree: tokenKernel.median / treeKernel.median,
      ratioToBufferCopy: tokenKernel.median / bufferCopy.median,
      ratioToShaderCopy: tokenKernel.median / shaderCopy.median,
    };
  });
}
