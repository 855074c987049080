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
import {
  responseLimit,
  type Sampled,
  type SampledSequence,
  type SampleRequest,
} from './sample-request';

export type { Sampled, SampledSequence, SampleRequest } from './sample-request';

export async function sampleSequences(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<Sampled> {
  const { prompts, firstSequence, signal } = request;
  const decoder = await Decoder.create(session, weights, request);
  if (decoder === null) {
    const sampleOn = session.runtime.provider === 'webgpu' ? sampleOnGpu : sampleOnCpu;
    const sequences: SampledSequence[] = [];
    for (const { from, to } of batchesOf(session, request)) {
      const part = {
        ...request,
        prompts: prompts.slice(from, to),
        firstSequence: firstSequence + from,
      };
      sequences.push(...(await sampleOn(session, weights, part)));
    }
    return { sequences, scored: null };
  }
  decoder.add(prompts.map((prompt, i) => ({ prompt, sequence: firstSequence + i })));
  while (decoder.unfinished > 0) await decoder.advance(signal);
  return decoder.take(firstSequence, prompts.length);
}

/** Neighbours that may be sampled in one batch, by what the graph computes right and what memory allows. */
function batchesOf(session: PolicySession, request: SampleRequest): { from: number; to: number }[] {
  const { prompts } = request;
  const { decode } = session.rules;
  const batches: { from: number; to: number }[] = [];
  let longest = 0;
  prompts.forEach(({ length }, i) => {
    const last = batches.at(-1);
    const longer = Math.max(longest, length);
    const fits =
      last !== undefined &&
      decode !== 'alone' &&
      (decode === 'padded' || prompts[last.from].length === length) &&
      last.to - last.from < session.rowsFor(longer, longer + responseLimit(request, longer));
    if (fits) last.to = i + 1;
    else batches.push({ from: i, to: i + 1 });
    longest = fits ? longer : length;
  });
  return batches;
}
