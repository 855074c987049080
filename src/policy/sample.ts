/**
 * Sampling responses: what both backends share. `sample-gpu.ts` keeps everything on the device,
 * `sample-cpu.ts` works on the logits that the wasm provider returns anyway.
 *
 * Contract: a response is a function of (weights, prompt, seed, sequence index, temperature,
 * maxLength), never of what else is in the batch, but for float rounding of the forward pass.
 */
import type { PolicySession, ResidentWeights } from './session';
import { sampleOnCpu } from './sample-cpu';
import { sampleOnGpu } from './sample-gpu';
import type { SampledSequence, SampleRequest } from './sample-request';

export type { SampledSequence, SampleRequest } from './sample-request';

export function sampleSequences(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<SampledSequence[]> {
  return session.runtime.provider === 'webgpu'
    ? sampleOnGpu(session, weights, request)
    : sampleOnCpu(session, weights, request);
}
