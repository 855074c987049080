/**
 * Experiment `equivalence`: the three forms of the sequence weight are one number.
 *
 * Liu (2025), the perplexity-entropy equivalence: (prod r_t)^(1/L) = PPL_old / PPL_theta
 * = exp(H_old - H_theta). Each form takes its own route through the kernels; each is compared with
 * exp(mean d_t) in float64 from the same float32 log-probs.
 *
 * Verdict: `holds` when the largest relative deviation of every form stays within `tolerance`
 * (float32 kernels: 1e-5, the bound that the kernels are tested to; float64: 1e-12), `fails` when one
 * does not, `too few` below MIN_SEQUENCES.
 */
import type { Histogram, HistogramSpec } from '../math/kernels';
import type { Claim } from './experiment';

export const MIN_SEQUENCES = 20;
export const FORMS = ['geometric', 'perplexity', 'entropy'] as const;
export type Form = (typeof FORMS)[number];

export interface EquivalenceSettings {
  bins: number;
}

export interface Deviation {
  form: Form;
  max: number;
  /** of the relative deviation |form / reference - 1| */
  quantiles: { p50: number; p90: number; p99: number };
  worstSequence: number;
}

/** Where the naive quotient of float32 probability products stops being a number, by length. */
export interface UnderflowBin {
  minLength: number;
  maxLength: number;
  sequences: number;
  /** sequences whose naive product underflowed or is off by more than 1 % */
  lost: number;
}

/** A sample of sequences for the scatter plots (all of them up to a limit). */
export interface EquivalencePoint {
  sequence: number;
  geometric: number;
  perplexity: number;
  entropy: number;
  length: number;
  /** mean Shannon entropy change over the response, H(pi_old) - H(pi_theta), nats; null if unknown */
  shannonChange: number | null;
  /** empirical cross-entropy change dH, nats per token */
  crossEntropyChange: number;
}

export interface EquivalenceResult {
  sequences: number;
  tokens: number;
  kernels: 'webgpu' | 'cpu';
  spec: HistogramSpec;
  histograms: Record<Form, Histogram>;
  deviations: Deviation[];
  tolerance: number;
  underflow: UnderflowBin[];
  points: EquivalencePoint[];
  /** correlation of the Shannon-entropy change with dH over sequences; null if unknown */
  shannonCorrelation: number | null;
  /** means over sequences, for the formulas with live numbers */
  summary: {
    meanLogWeight: number;
    sdLogWeight: number;
    meanS: number;
    meanPplOld: number;
    meanPplNew: number;
    meanCrossEntropyOld: number;
    meanCrossEntropyNew: number;
  };
  claims: Claim[];
}
