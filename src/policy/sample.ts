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

export interface SampleRequest {
  /** token ids, one prompt per sequence (a group repeats its prompt) */
  prompts: readonly (readonly number[])[];
  /** counter of the first sequence's random numbers; sequence i draws as firstSequence + i */
  firstSequence: number;
  /** 0 = greedy */
  temperature: number;
  /** response tokens, the end token included */
  maxLength: number;
  seed: number;
  endToken: number;
  padToken: number;
  signal?: AbortSignal;
}

export interface SampledSequence {
  /** the end token included, where one was drawn */
  tokens: number[];
  /** false: cut at maxLength */
  finished: boolean;
}

export function sampleSequences(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<SampledSequence[]> {
  return session.runtime.provider === 'webgpu'
    ? sampleOnGpu(session, weights, request)
    : sampleOnCpu(session, weights, request);
}
