/**
 * Cached decoding on WebGPU: forward pass -> WGSL sampler -> next ids, all in one queue. The CPU knows
 * positions and masks beforehand and only asks, every CHECK_EVERY steps, whether anybody is left.
 *
 * There are two ways to make a step: with caches that grow (any graph), and with fixed shapes that the GPU repeats
 * (`static-decoder.ts`, where the session has them).
 */
import type { Tensor } from 'onnxruntime-web';
import { Sampler } from '../gpu/sampler';
import { lastRows, padBatch, type PaddedBatch } from './batch';
import { isEnd, responseLimit, type SampledSequence, type SampleRequest } from './sample-request';
import {
  disposeTensors,
  type ForwardOutputs,
  type PolicySession,
  type ResidentWeights,
} from './session';
import type { StaticDecoder } from './static-decoder';

/** One four-byte read-back per so many tokens; later means more wasted steps at the end. */
const CHECK_EVERY = 8;

/** Forward passes of one batch. Logits belong to the steps; the next pass may overwrite or dispose them. */
interface Steps {
  /** int64 [batch]: where the sampler leaves the tokens that the next pass is fed */
  ids: GPUBuffer;
  /** over the prompts */
  first(): Promise<Tensor>;
  /** over the tokens that step `step` has chosen */
  next(step: number): Promise<Tensor>;
  dispose(): void;
}

/** What a replay cannot do is done again with caches that grow, by this session from now on. */
export async function sampleOnGpu(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<SampledSequence[]> {
  if (!session.fixedShapes) return sampleOnce(session, weights, request);
  try {
    return await sampleOnce(session, weights, request);
  } catch (error) {
    request.signal?.throwIfAborted();
    console.warn('Decoding in steps of fixed shapes failed; it goes on without.', error);
    session.fixedShapes = false;
    return sampleOnce(session, weights, request);
  }
}

async function sampleOnce(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<SampledSequence[]> {
  const { prompts } = request;
  const limits = prompts.map(({ length }) => responseLimit(request, length));
  const maxLength = Math.max(...limits);
  const { device } = session.runtime;
  if (!device) throw new Error('sampleOnGpu needs a WebGPU runtime');
  const batch = padBatch(session, prompts, 'left', request.padToken);
  const n = batch.batch;
  const decoder = await session.staticDecoder(
    { batch: n, positions: batch.length + maxLength },
    request.maxPositions,
  );
  const job = { session, weights, request, batch };
  const steps = decoder ? new FixedSteps(job, decoder) : new GrowingSteps(job, device);
  const ids32 = device.createBuffer({ size: Math.ceil(n / 4) * 16, usage: idsUsage() });
  let sampler: Sampler | undefined;
  try {
    let logits = await steps.first();
    const vocabulary = logits.dims[2];
    sampler = await Sampler.create(device, {
      batch: n,
      vocabulary,
      maxNew: maxLength,
      temperature: request.temperature,
      topP: request.topP,
      seed: request.seed,
      firstSequence: request.firstSequence,
      endToken: request.endToken,
      padToken: request.padToken,
    });
    for (let step = 0; ; step++) {
      request.signal?.throwIfAborted();
      // Of some graphs only the last rows come.
      const length = logits.dims[0] === n ? logits.dims[1] : 1;
      sampler.step(
        logits.gpuBuffer,
        { int64: steps.ids, int32: ids32 },
        { stride: length * vocabulary, offset: (length - 1) * vocabulary },
      );
      if (step + 1 >= maxLength) break;
      if ((step + 1) % CHECK_EVERY === 0 && (await sampler.unfinished()) === 0) break;
      logits = await steps.next(step);
    }
    const { tokens, lengths, finished, logKept } = await sampler.read();
    return limits.map((limit, i) => {
      const drawn = Array.from(tokens.subarray(i * maxLength, i * maxLength + lengths[i]));
      // The kernel knows one token that ends; what it drew behind another is no part of the response.
      const end = drawn.findIndex((token) => isEnd(request, token)) + 1;
      const length = Math.min(end > 0 ? end : drawn.length, limit);
      const ended = end > 0 || finished[i] === 1;
      const from = i * maxLength;
      return {
        tokens: drawn.slice(0, length),
        finished: ended && (end || drawn.length) <= limit,
        ...(logKept ? { logKept: Array.from(logKept.subarray(from, from + length)) } : {}),
      };
    });
  } finally {
    steps.dispose();
    sampler?.destroy();
    ids32.destroy();
  }
}

/** Not a constant: Node has no GPUBufferUsage. */
const idsUsage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

interface Job {
  session: PolicySession;
  weights: ResidentWeights;
  request: SampleRequest;
  batch: PaddedBatch;
}

function disposeOutputs({ logits, present, extras }: ForwardOutputs): void {
  logits.dispose();
  disposeTensors(present);
  disposeTensors(extras);
}

/** Every pass makes caches that are one position longer. */
class GrowingSteps implements Steps {
  readonly ids: GPUBuffer;
  private readonly nextIds: Tensor;
  private output: ForwardOutputs | undefined;

  constructor(
    private readonly job: Job,
    device: GPUDevice,
  ) {
    const { session, batch } = job;
    this.ids = device.createBuffer({ size: Math.ceil(batch.batch / 2) * 16, usage: idsUsage() });
    const dims = [batch.batch, 1];
    this.nextIds = session.runtime.ort.Tensor.fromGpuBuffer(this.ids, { dataType: 'int64', dims });
  }

  async first(): Promise<Tensor> {
    const { session, weights, batch } = this.job;
    this.output = await session.forward(weights, { ...batch, rows: lastRows(batch) });
    return this.output.logits;
  }

  async next(step: number): Promise<Tensor> {
    const { session, weights, request, batch } = this.job;
    const before = this.output;
    if (!before) throw new Error('The prompts come first.');
    before.logits.dispose();
    disposeTensors(before.extras);
    this.output = await session.forward(weights, {
      ...decodeInputs(session, request, batch.length, step),
      inputIds: this.nextIds,
      past: before.present,
    });
    disposeTensors(before.present);
    return this.output.logits;
  }

  dispose(): void {
    if (this.output) disposeOutputs(this.output);
    this.ids.destroy();
  }
}

/** The prompts' caches move into the decoder's, which are as long as they will be. */
class FixedSteps implements Steps {
  readonly ids: GPUBuffer;
  private prefill: ForwardOutputs | undefined;

  constructor(
    private readonly job: Job,
    private readonly decoder: StaticDecoder,
  ) {
    this.ids = decoder.tokens;
  }

  async first(): Promise<Tensor> {
    const { session, weights, batch } = this.job;
    this.prefill = await session.forward(weights, { ...batch, rows: lastRows(batch) });
    return this.prefill.logits;
  }

  async next(): Promise<Tensor> {
    const { decoder, prefill } = this;
    if (prefill) {
      const { weights, request, batch } = this.job;
      const lengths = request.prompts.map(({ length }) => length);
      await decoder.begin(weights, prefill.present, lengths, batch.length);
      disposeOutputs(prefill);
      this.prefill = undefined;
    }
    await decoder.step();
    return decoder.logits;
  }

  dispose(): void {
    if (this.prefill) disposeOutputs(this.prefill);
  }
}

function decodeInputs(
  session: PolicySession,
  { prompts, maxPositions }: SampleRequest,
  width: number,
  step: number,
): { attentionMask: Tensor; positionIds: Tensor } {
  const n = prompts.length;
  const total = width + step + 1;
  const mask = new Int32Array(n * total).fill(1);
  prompts.forEach(({ length }, row) => mask.fill(0, row * total, row * total + width - length));
  return {
    attentionMask: session.integers(mask, [n, total]),
    positionIds: session.integers(
      prompts.map(({ length }) => Math.min(length + step, maxPositions - 1)),
      [n, 1],
    ),
  };
}
