/**
 * How far pairs of checkpoints are apart, on given responses. Runs in Node on the wasm provider,
 * through the same scoring code as the lab.
 */
import { cpuKernels } from '../../src/math/cpu-kernels';
import type { PolicyHost } from '../../src/policy/host';
import { scoreSequences } from '../../src/policy/score';
import type { ResidentWeights } from '../../src/policy/session';
import type { Samples } from '../../src/training/heldout';

/** Token log-probs of given responses under given weights. */
export async function logProbs(
  host: PolicyHost,
  weights: ResidentWeights,
  { prompts, responses }: Pick<Samples, 'prompts' | 'responses'>,
): Promise<ArrayLike<number>> {
  const sequences = responses.map(({ tokens }, i) => ({
    prompt: prompts[i],
    response: tokens,
  }));
  const { padToken } = host.files;
  return (await scoreSequences(host.session, weights, cpuKernels, sequences, padToken)).logp;
}

/** Mean and standard deviation of new - old. */
export function logRatioSpread(old: ArrayLike<number>, next: ArrayLike<number>): [number, number] {
  const n = old.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += next[i] - old[i];
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (next[i] - old[i] - mean) ** 2;
  return [mean, Math.sqrt(squares / (n - 1))];
}
