/**
 * Whether a device runs a policy as WebAssembly does: a few short responses, sampled and scored on both, with the
 * weights of the policy's own file. Contract: 4 rows and at most 10 forward passes; returns what is off and by
 * how much, nothing where both agree.
 */
import { compare, disagrees, type Comparison } from '../gpu/check';
import { Random, STREAM } from '../math/philox';
import { variance } from '../math/summation';
import type { PolicyFiles } from './fetch';
import { sampleSequences } from './sample';
import type { SampleRequest } from './sample-request';
import { scoreSequences, type ScoringKernels } from './score';
import type { PolicySession, ResidentWeights } from './session';

/** One policy on one backend. */
export interface PolicySide {
  session: PolicySession;
  weights: ResidentWeights;
  kernels: ScoringKernels;
}

/**
 * Log-probs on two float32 devices, which round matrix products differently: 3.7e-5 nats at most over 64 long
 * responses on a real GPU (README). What is broken is off by far more.
 */
const ROUNDING = 2e-4;

const PROMPT_LENGTHS = [3, 9, 5, 6];
const RESPONSE_LENGTH = 4;

/** What sampling needs to know of a policy. */
export type Known = Pick<PolicyFiles, 'tokenizer' | 'maxPositions' | 'endToken' | 'padToken'>;

/** Prompts of these lengths from tokens that neither end nor pad. */
export function randomPrompts(
  { tokenizer, endToken, padToken }: Pick<Known, 'tokenizer' | 'endToken' | 'padToken'>,
  lengths: readonly number[],
): number[][] {
  const usable = [...tokenizer.vocabulary.keys()].filter(
    (id) => id !== endToken && id !== padToken,
  );
  const random = new Random(1, STREAM.display);
  return lengths.map((length) =>
    Array.from({ length }, () => usable[random.integer(usable.length)]),
  );
}

export function requestFor(
  files: Known,
  prompts: number[][],
  maxLength: number,
  signal?: AbortSignal,
): SampleRequest {
  const { maxPositions, endToken, padToken } = files;
  const draw = { temperature: 1, seed: 1, firstSequence: 0 };
  return { prompts, maxLength, maxPositions, endToken, padToken, signal, ...draw };
}

/**
 * @returns every comparison, whether it agrees or not
 * @throws what the device throws where it cannot do it at all; AbortError
 */
export async function comparePolicy(
  device: PolicySide,
  reference: PolicySide,
  files: Known,
  signal?: AbortSignal,
): Promise<Comparison[]> {
  const request = requestFor(files, randomPrompts(files, PROMPT_LENGTHS), RESPONSE_LENGTH, signal);
  const sample = async ({ session, weights }: PolicySide) =>
    (await sampleSequences(session, weights, request)).sequences;
  const [got, want] = [await sample(device), await sample(reference)];
  const different = want.filter(({ tokens }, i) => tokens.join() !== got[i]?.tokens.join()).length;
  const responses = want.map(({ tokens }, i) => ({ prompt: request.prompts[i], response: tokens }));
  const score = ({ session, weights, kernels }: PolicySide) =>
    scoreSequences(session, weights, kernels, responses, files.padToken, signal);
  const [scored, right] = [await score(device), await score(reference)];
  return [
    compare(`responses of ${want.length} sampled`, [different], [0], 0),
    compare('scored log-probs', scored.logp, right.logp, ROUNDING),
    compare('scored entropies', scored.entropy, right.entropy, ROUNDING),
    compare('scored collision probabilities', scored.collision, right.collision, ROUNDING),
  ];
}

/** Of e_t = log-prob on the engine that trains - log-prob on the engine that sampled, nats. */
export interface EngineMismatch {
  responses: number;
  tokens: number;
  bias: number;
  spread: number;
  largest: number;
  /** standard deviation of the sum over a response: of log rho */
  sumSpread: number;
}

/**
 * The same weights as sampler on one device and as trainer on another.
 * @param sampler draws `responses` answers to random prompts, of at most `length` tokens
 * @throws AbortError
 */
export async function engineMismatch(
  sampler: PolicySide,
  trainer: PolicySide,
  files: Known,
  { responses, length }: { responses: number; length: number },
  signal?: AbortSignal,
): Promise<EngineMismatch> {
  const lengths = Array.from({ length: responses }, (_, i) => 3 + (i % 7));
  const request = requestFor(files, randomPrompts(files, lengths), length, signal);
  const { sequences } = await sampleSequences(sampler.session, sampler.weights, request);
  const drawn = sequences.map(({ tokens }, i) => ({
    prompt: request.prompts[i],
    response: tokens,
  }));
  const score = async ({ session, weights, kernels }: PolicySide) =>
    (await scoreSequences(session, weights, kernels, drawn, files.padToken, signal)).logp;
  const [own, other] = [await score(sampler), await score(trainer)];
  const e = Float64Array.from(own, (x, t) => other[t] - x);
  let at = 0;
  const sums = Float64Array.from(drawn, ({ response }) => {
    const part = e.subarray(at, (at += response.length));
    return part.reduce((sum, x) => sum + x, 0);
  });
  return {
    responses,
    tokens: e.length,
    bias: e.reduce((sum, x) => sum + x, 0) / e.length,
    spread: Math.sqrt(variance(e)),
    largest: e.reduce((most, x) => Math.max(most, Math.abs(x)), 0),
    sumSpread: Math.sqrt(variance(sums)),
  };
}

/** What is off, and by how much; nothing where both agree. */
export async function checkPolicy(
  ...sides: Parameters<typeof comparePolicy>
): Promise<Comparison[]> {
  return (await comparePolicy(...sides)).filter(disagrees);
}
