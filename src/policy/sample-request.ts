/** What is asked of a sampler and what comes back, on either backend. */
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
