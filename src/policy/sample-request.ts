/** What is asked of a sampler and what comes back, on either backend. */
import type { ScoredTokens } from './score';

export interface SamplerSettings {
  /** 0 = greedy */
  temperature: number;
  /** share of the probability that the drawn tokens have, the likeliest first (`math/nucleus.ts`); left out: 1 */
  topP?: number | undefined;
  /** response tokens, the end token included */
  maxLength: number;
  /** that the policy knows, prompt included: no response goes beyond them */
  maxPositions: number;
  seed: number;
  endToken: number;
  /** other tokens that end a response, too */
  alsoEnds?: readonly number[] | undefined;
  padToken: number;
}

export interface SampleRequest extends SamplerSettings {
  /** token ids, one prompt per sequence (a group repeats its prompt) */
  prompts: readonly (readonly number[])[];
  /** counter of the first sequence's random numbers; sequence i draws as firstSequence + i */
  firstSequence: number;
  signal?: AbortSignal | undefined;
}

export interface SampledSequence {
  /** the end token included, where one was drawn */
  tokens: number[];
  /** false: cut at its limit */
  finished: boolean;
  /** [tokens] log of the probability that top-p kept, at temperature 1; only where it cuts */
  logKept?: number[];
}

export interface Sampled {
  sequences: SampledSequence[];
  /**
   * What the policy that sampled says of each token, at temperature 1 whatever it was sampled at; end to end.
   * null: the sampler does not hand it out, as on WebGPU; it takes a scoring pass.
   */
  scored: ScoredTokens | null;
}

/** Whether unlikely tokens are cut off. */
export const truncates = ({
  topP = 1,
  temperature,
}: Pick<SamplerSettings, 'topP' | 'temperature'>): boolean => topP < 1 && temperature > 0;

export function isEnd(
  { endToken, alsoEnds }: Pick<SamplerSettings, 'endToken' | 'alsoEnds'>,
  token: number,
): boolean {
  return token === endToken || alsoEnds?.includes(token) === true;
}

/** The longest response to a prompt; of the prompt alone, so that no neighbour in a batch changes a response. */
export function responseLimit(
  { maxLength, maxPositions }: Pick<SamplerSettings, 'maxLength' | 'maxPositions'>,
  promptLength: number,
): number {
  return Math.min(maxLength, maxPositions - promptLength);
}
