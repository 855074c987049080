/** What the lab found out about a foreign model when it loaded and ran it: data for a page and for kept runs. */
import type { Provider } from '../runtime';
import type { Dtype, ModelRef } from './repository';

/**
 * One way of computing the same numbers: `alone` one row without a cache, `same length` in a batch of rows of one length, `right`
 * and `left` in a batch padded on that side, `cached` token by token behind a cache, `loop` the same inside the runtime.
 */
export const FORMS = ['alone', 'same length', 'right', 'left', 'cached', 'loop'] as const;
export type Form = (typeof FORMS)[number];

/** Largest differences over the probe's tokens. */
export interface Difference {
  /** nats, of one token's log-prob */
  logp: number;
  /** of the mean over a response, so of log s */
  logS: number;
}

export interface FormFound extends Difference {
  form: Form;
  /** false: off by more than rounding explains, so it is not used */
  used: boolean;
  /** why it could not run at all; null: it ran */
  problem: string | null;
}

export interface ModelProbe {
  provider: Provider;
  /** of the fixed text */
  tokens: number;
  /** against `alone` on the same backend */
  forms: FormFound[];
  /** against WebAssembly; null where this is WebAssembly */
  wasm: (Difference & { agrees: boolean }) | null;
  /** the model's own noise: the largest of what is used and of the two backends */
  floor: Difference;
  /** how far rounding may carry a log-prob in this arithmetic, nats: beyond it something is wrong */
  margin: number;
}

/** What a person should know of a model that is loaded. */
export interface ModelReport {
  ref: ModelRef;
  dtype: Dtype;
  revision: string | null;
  licence: string | null;
  card: string | null;
  /** of every file that was read, hex, by path */
  sha256: Record<string, string>;
  /** path of the graph in its repository */
  graph: string;
  /** of the weights, as they are in memory */
  bytes: number;
  /** matrices of few bits stand there as float32, the numbers that they are multiplied as */
  unpacked: boolean;
  /** estimated, at its busiest */
  memory: number;
  /** of the logits; the tokenizer may know fewer */
  vocabulary: number;
  tokens: number;
  /** prompt and response together: as many as their caches have room for */
  positions: number;
  /** as many as the model knows */
  maxPositions: number;
  /** texts of the tokens that end a response */
  ends: string[];
  chatTemplate: boolean;
  /** key/value caches and other states; 0: every step computes everything again */
  caches: number;
  /** element types of the logits and caches in the file */
  types: string[];
  /** contributed operators and others outside of the standard, by name */
  contributed: string[];
  /** why no gradient can be taken through this graph, a sentence with the operator; null: one can */
  noGradient: string | null;
  /** where it runs */
  provider: Provider;
  /** why not on the GPU; null where it is there, or none was wanted */
  refusedGpu: string | null;
  probe: ModelProbe;
}
