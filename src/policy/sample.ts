/**
 * Sampling responses: what all ways of it share. `decoder.ts` decodes inside the wasm runtime with rows that are
 * always full, `sample-cpu.ts` steps from outside where a graph does not allow that, `sample-gpu.ts` keeps
 * everything on the device.
 *
 * Contract: a response is a function of (weights, prompt, seed, sequence index, temperature, maxLength), never of
 * what else is in the batch nor of the way it was sampled, but for float rounding of the forward pass.
 */
import { Decoder } from './decoder';
import type { PolicySession, ResidentWeights } from './session';
import { sampleOnCpu } from './sample-cpu';
import { sampleOnGpu } from './sample-gpu';
import type { Sampled, SampleRequest } from './sample-request';

export type { Sampled, SampledSequence, SampleRequest } from './sample-request';

export async function sampleSequences(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<Sampled> {
  if (session.runtime.provider === 'webgpu') {
    return { sequences: await sampleOnGpu(session, weights, request), scored: null };
  }
  const decoder = await Decoder.create(session, weights, request);
  if (decoder === null) {
    return { sequences: await sampleOnCpu(session, weights, request), scored: null };
  }
  const { prompts, firstSequence, signal } = request;
  decoder.add(prompts.map((prompt, i) => ({ prompt, sequence: firstSequence + i })));
  while (decoder.unfinished > 0) await decoder.advance(signal);
  return decoder.take(firstSequence, prompts.length);
}
