/**
 * The contract of a surrogate, and what objectives are made of: a surrogate (per token: loss, slope, weight,
 * gate), an aggregation (how token losses become one number) and the library whose arithmetic is followed where
 * TRL and verl differ. Settings are plain structured-cloneable data, so that a link or a worker can carry them.
 *
 * A surrogate is one file in `surrogates/`, a `SurrogateKind`: all that the lab knows of it. `registry.ts`
 * lists the kinds; names, menus, colours, trainability and pages follow from that list.
 */
import type { FloatArray } from '../kernels';
import type { AdvantageRule } from './advantages';

export type Library = 'trl' | 'verl';

export interface Band {
  low: number;
  high: number;
}

/** The columns of `Rollouts` that an objective reads; sequence i owns tokens offsets[i]..offsets[i + 1]. */
export interface ObjectiveBatch {
  /** [n + 1] ascending, offsets[0] = 0; empty sequences are allowed */
  offsets: Uint32Array;
  /** [tokens] a_t = log pi_old(y_t), nats */
  logpOld: FloatArray;
  /** [tokens] b_t = log pi_theta(y_t), nats */
  logpNew: FloatArray;
  /** [n] */
  advantage: Float64Array;
  /** [tokens] where advantages differ within a response (TRL's and verl's (B, T)); `advantage` is their mean */
  tokenAdvantage?: FloatArray;
}

export type Aggregation =
  /** sum over all tokens / number of tokens (DAPO; TRL `dapo`/`bnpo` on one device) */
  | { kind: 'token-mean' }
  /** sum over all tokens, divided by nothing (Tinker; verl's `token-sum`) */
  | { kind: 'token-sum' }
  /** mean over sequences of the mean over tokens (GRPO, GSPO) */
  | { kind: 'seq-mean-token-mean' }
  /** mean over sequences of the sum over tokens (LUSPO) */
  | { kind: 'seq-mean-token-sum' }
  /** mean over sequences of the sum over tokens / a constant length (Dr.GRPO); null = longest response */
  | { kind: 'seq-mean-token-sum-norm'; length: number | null };

/** An objective as one library computes it. */
export interface SettingsOf<S> {
  library: Library;
  surrogate: S;
  aggregation: Aggregation;
}

/** As TRL logs them: `clip_ratio/*`, and `cispo_clip_ratio` as highMean. Per sequence for sequence ratios. */
export interface TrlClipStatistics {
  lowMean: number | null;
  highMean: number | null;
  regionMean: number | null;
  lowMin: number | null;
  highMax: number | null;
}

/** As verl logs them: `actor/pg_clipfrac`, `actor/pg_clipfrac_lower`; always a share of tokens. */
export interface VerlClipStatistics {
  clipFraction: number | null;
  clipFractionLower: number | null;
}

/** A log-ratio that a library clamps before it exponentiates; null = open on that side. Nats. */
export interface Clamp {
  of: 'token' | 'sequence' | 'sum';
  low: number | null;
  high: number;
}

export interface Evaluation {
  /** the number that is minimised */
  loss: number;
  /** [tokens] contributions to the loss; they add up to it */
  tokenLoss: Float64Array;
  /** [tokens] d loss / d log pi_theta(y_t) */
  gradient: Float64Array;
  /** [tokens] importance weight in front of A in the gradient, before the gate */
  weight: Float64Array;
  /** [tokens] 0 = no gradient passes (clipped or masked), 1 = all of it; SAPO lies in between */
  gate: Float64Array;
  /** null where the library logs no such figure for this objective */
  trl: TrlClipStatistics | null;
  verl: VerlClipStatistics | null;
}

export class ObjectiveError extends Error {
  override name = 'ObjectiveError';
}

/** One response of a batch, tokens from..to, never empty. */
export interface ResponseView {
  batch: ObjectiveBatch;
  from: number;
  to: number;
  advantage: number;
  library: Library;
  /** [tokens of the batch] weights pi_old / pi_sampler; only a surrogate that `foldsMismatch` reads them */
  mismatch?: Float64Array | undefined;
  /** [tokens of the batch] 1 = chosen by the kind's `select`; undefined for kinds without */
  selected?: Uint8Array | undefined;
}

/** [tokens of the batch] each; filled response by response. */
export interface SurrogateBuffers {
  /** before aggregation */
  loss: Float64Array;
  /** before aggregation: derivative of the response's summed loss, what the libraries detach being constant */
  slope: Float64Array;
  weight: Float64Array;
  gate: Float64Array;
}

/**
 * An array of a differentiable loss: [B, T] over tokens or [B, 1] over responses, broadcasting. Whoever
 * evaluates it decides what it is; `src/training/losses.ts` makes it a jax-js array.
 */
export interface Term {
  add(x: Term | number): Term;
  sub(x: Term | number): Term;
  mul(x: Term | number): Term;
  div(x: Term | number): Term;
  exp(): Term;
  log(): Term;
  square(): Term;
  sigmoid(): Term;
  /** limited to low..high */
  clip(low: number, high: number): Term;
  min(x: Term | number): Term;
  max(x: Term | number): Term;
  /** over the tokens of each response: [B, 1] */
  sum(): Term;
  /** the same value, a constant to the gradient */
  stop(): Term;
  /** conditions, for `or` and `choose` */
  less(x: Term | number): Term;
  greater(x: Term | number): Term;
  lessEqual(x: Term | number): Term;
  greaterEqual(x: Term | number): Term;
  or(condition: Term): Term;
  /** where this condition holds `yes`, elsewhere `no` */
  choose(yes: Term | number, no: Term | number): Term;
}

export interface LossTerms {
  library: Library;
  /** [B, T] log pi_theta, the one thing that is differentiated; 0 where masked */
  logProb: Term;
  /** [B, T] */
  logOld: Term;
  /** [B, T] d_t as it is, unclamped; 0 where masked */
  logRatio: Term;
  /** [B, 1] */
  advantage: Term;
  /** [B, 1] tokens, at least 1 */
  length: Term;
}

/** What the clip map needs to know of an objective with an epsilon. */
export interface ClipRange {
  /** which ratio is held against the band: r, log r, s, rho; `divergence`: how far the probability moved */
  level: 'token' | 'token-log' | 'sequence' | 'sequence-sum' | 'divergence';
  /** what its library counts as clipped */
  unit: 'tokens' | 'sequences';
  /** published epsilons; GMPO's are of log r, CISPO's is the largest weight minus 1, without a lower edge */
  band: { low: number | null; high: number };
  /** ratios above it get no gradient whatever epsilon is (TRL's delta), or only where A < 0 (dual clip) */
  ceiling: { ratio: number; negativeOnly: boolean } | null;
  /**
   * beyond the band: the gradient is gone (gate), the weight stays at the edge (cap), or the token is taken
   * out of a geometric mean, which moves the weight of the whole response (geometric)
   */
  beyond: 'gate' | 'cap' | 'geometric';
  /** of level `divergence`: signed, above 0 where the token became likelier */
  distance?: (logOld: number, logNew: number) => number;
  /** log of the weight of a token where that is not its ratio */
  logWeight?: (logRatio: number) => number;
}

/** How many tokens of one response count as clipped; null: that side is not counted. */
export interface ClipCount {
  low: number | null;
  high: number;
}

export interface ObjectiveEntry<S> {
  id: string;
  /** short, as charts and menus show it */
  name: string;
  title: string;
  /** objective to maximise, LaTeX, per response unless it says otherwise */
  formula: string;
  source: { title: string; url: string };
  /** which level its ratio lives on, for plots */
  level: 'none' | 'token' | 'sequence';
  /** the settings that each library recommends for it; null: the library has no such objective */
  trl: SettingsOf<S> | null;
  verl: SettingsOf<S> | null;
  /** what differs between the libraries, one sentence for the page; empty where nothing does */
  difference: string;
  /** on light and on dark pages; each reaches 3:1 on its surface */
  colour: { light: string; dark: string };
  /** epsilons that a race in the lab starts with; left out where the objective has none */
  racing?: Band;
  /** how advantages follow from rewards in a race, where it is not TRL's rule */
  advantages?: AdvantageRule;
  /** what epsilon means where it is not the half-width of a band around a ratio that gets no gradient */
  epsilonNote?: string;
}

/** All that the lab knows of a surrogate. */
export interface SurrogateKind<S extends { kind: string }> {
  kind: S['kind'];
  /** float64, the reference: fills the buffers for the tokens of one response */
  apply(s: S, response: ResponseView, out: SurrogateBuffers): void;
  /**
   * what depends on the whole batch: the tokens that `apply` treats apart, from `ResponseView.selected`; left out
   * where a response's terms depend on that response alone. [tokens] 1 = chosen
   */
  select?(s: S, batch: ObjectiveBatch): Uint8Array;
  /**
   * the same loss as `Term`s, from which training takes its gradient: [B, T], or [B, 1] where a response shares it;
   * null: not trained here, as micro-batches do not see the whole batch
   */
  loss: ((s: S, t: LossTerms) => Term) | null;
  /** what a library clamps besides the objective's own clip range; the clamps of `apply` as data */
  clamps(s: S, library: Library): Clamp[];
  /** one ratio, shared by all tokens and differentiated through all of them */
  coupled(s: S): boolean;
  /** the loss exists once per response, so that only a mean over responses makes sense */
  perSequence(s: S): boolean;
  /** the weight is a constant to the gradient: with it frozen, the loss is linear in log pi */
  detached: boolean;
  /** what the ratio of a token depends on: itself, or all tokens of its response */
  scope(s: S): 'token' | 'response';
  /** weights against the sampler's mismatch are part of its own weight instead of multiplying losses */
  foldsMismatch: boolean;
  /** responses with advantage 0 still move the weights, or are counted as clipped */
  countsEveryone: boolean;
  /** tokens of one response that each library calls clipped; null: it logs no share */
  count: {
    trl: ((s: S, response: ResponseView) => ClipCount) | null;
    /** @param gate [tokens] as `apply` filled it */
    verl: ((s: S, response: ResponseView, gate: Float64Array) => ClipCount) | null;
  };
  /** null: it has no epsilon */
  range: ((s: S) => ClipRange) | null;
  /** why there is none, where `range` is null: completes "NAME ..." */
  withoutRange: string;
  /** nothing clipped or masked */
  ungated(s: S): S;
  /** with another epsilon; null: it has none */
  withBand: ((s: S, band: Band) => S) | null;
  /** epsilon is a band around a ratio, so that one band for all such objectives makes sense */
  bandOfRatio: boolean;
  /** for pages: what is clipped, and what the weight is */
  words(s: S): { clips: string; weight: string };
  objectives: readonly ObjectiveEntry<S>[];
}
