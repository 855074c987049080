/**
 * Cached decoding on WebGPU: forward pass -> WGSL sampler -> next ids, all in one queue. The CPU knows
 * positions and masks beforehand and only asks, every CHECK_EVERY steps, whether anybody is left.
 */
import type { Tensor } from 'onnxruntime-web';
import { Sampler } from '../gpu/sampler';
import { padBatch } from './batch';
import { responseLimit, type SampledSequence, type SampleRequest } from './sample-request';
import { disposeTensors, type PolicySession, type ResidentWeights } from './session';

/** One four-byte read-back per so many tokens; later means more wasted steps at the end. */
const CHECK_EVERY = 8;

export async function sampleOnGpu(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<SampledSequence[]> {
  const { prompts } = request;
  const limits = prompts.map(({ length }) => responseLimit(request, length));
  const maxLength = Math.max(...limits);
  const { device, ort } = session.runtime;
  if (!device) throw new Error('sampleOnGpu needs a WebGPU runtime');
  const batch = padBatch(session, prompts, 'left', request.padToken);
  const n = batch.batch;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const ids = device.createBuffer({ size: Math.ceil(n / 2) * 16, usage });
  const ids32 = device.createBuffer({ size: Math.ceil(n / 4) * 16, usage });
  const nextIds = ort.Tensor.fromGpuBuffer(ids, { dataType: 'int64', dims: [n, 1] });
  let sampler: Sampler | undefined;
  let output = await session.forward(weights, batch);
  try {
    const vocabulary = output.logits.dims[2];
    sampler = await Sampler.create(device, {
      batch: n,
      vocabulary,
      maxNew: maxLength,
      temperature: request.temperature,
      seed: request.seed,
      firstSequence: request.firstSequence,
      endToken: request.endToken,
      padToken: request.padToken,
    });
    for (let step = 0; ; step++) {
      request.signal?.throwIfAborted();
      const length = output.logits.dims[1];
      sampler.step(
        output.logits.gpuBuffer,
        { int64: ids, int32: ids32 },
        { stride: length * vocabulary, offset: (length - 1) * vocabulary },
      );
      if (step + 1 >= maxLength) break;
      if ((step + 1) % CHECK_EVERY === 0 && (await sampler.unfinished()) === 0) break;
      const past = output.present;
      output.logits.dispose();
      disposeTensors(output.extras);
      output = await session.forward(weights, {
        ...decodeInputs(session, request, batch.length, step),
        inputIds: nextIds,
        past,
      });
      disposeTensors(past);
    }
    const { tokens, lengths, finished } = await sampler.read();
    return limits.map((limit, i) => {
      const drawn = lengths[i];
      const length = Math.min(drawn, limit);
      return {
        tokens: Array.from(tokens.subarray(i * maxLength, i * maxLength + length)),
        finished: finished[i] === 1 && drawn <= limit,
      };
    });
  } finally {
    output.logits.dispose();
    disposeTensors(output.present);
    disposeTensors(output.extras);
    sampler?.destroy();
    ids.destroy();
    ids32.destroy();
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
