/**
 * What an objective is made of, as data: a surrogate (per token: loss, slope, weight, gate), an
 * aggregation (how token losses become one number) and the library whose arithmetic is followed where
 * TRL and verl differ. Contract: plain structured-cloneable data, so that a link or a worker can carry it.
 */
import type { FloatArray } from '../kernels';

export type Library = 'trl' | 'verl';

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
}

/**
 * Where the importance ratio lives:
 * - token: r_t = exp(d_t) (PPO, GRPO)
 * - sequence: s = exp(mean d_t), differentiated through all tokens (GSPO)
 * - sequence-token: sg[s] pi_theta / sg[pi_theta] (GSPO-token): same value and gradient as GSPO
 * - sequence-sum: rho = exp(sum d_t), one loss per sequence (TRL's RLOO)
 */
export type RatioLevel = 'token' | 'sequence' | 'sequence-token' | 'sequence-sum';

export interface ClipSurrogate {
  kind: 'clip';
  level: RatioLevel;
  /** the band is 1 - low .. 1 + high */
  low: number;
  high: number;
  /** verl's dual clip: the loss of a negative advantage never exceeds -dual * A (Ye et al. 2020) */
  dual?: number;
  /** TRL's two-sided clip: the unclipped ratio is capped at delta (INTELLECT-2) */
  delta?: number;
}

export type Surrogate =
  | { kind: 'reinforce' }
  | ClipSurrogate
  /** stop-gradient weight clamp(r, min, max) in front of A log pi; bounds are ratios, not epsilons */
  | { kind: 'cispo'; min: number | null; max: number }
  /** geometric mean of token ratios, each clipped in log space to -low .. high before the mean */
  | { kind: 'gmpo'; low: number; high: number }
  /** soft gate sigmoid(tau (r - 1)) 4 / tau */
  | { kind: 'sapo'; tauPositive: number; tauNegative: number }
  /** stop-gradient gamma weight e^lambda rho^k e^(-lambda rho) of the unnormalised sequence ratio */
  | {
      kind: 'vespo';
      kPositive: number;
      lambdaPositive: number;
      kNegative: number;
      lambdaNegative: number;
    }
  /** tokens whose binary divergence from pi_old exceeds low / high are masked; weight min(r, cap) */
  | { kind: 'dppo'; divergence: 'tv' | 'kl'; low: number; high: number; cap: number }
  /** REINFORCE plus beta / 2 (log ratio)^2 */
  | { kind: 'dro'; beta: number };

export type Aggregation =
  /** sum over all tokens / number of tokens (DAPO; TRL `dapo`/`bnpo` on one device) */
  | { kind: 'token-mean' }
  /** mean over sequences of the mean over tokens (GRPO, GSPO) */
  | { kind: 'seq-mean-token-mean' }
  /** mean over sequences of the sum over tokens (LUSPO) */
  | { kind: 'seq-mean-token-sum' }
  /** mean over sequences of the sum over tokens / a constant length (Dr.GRPO); null = longest response */
  | { kind: 'seq-mean-token-sum-norm'; length: number | null };

export interface ObjectiveSettings {
  library: Library;
  surrogate: Surrogate;
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
