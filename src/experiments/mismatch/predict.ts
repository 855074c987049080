/**
 * The law of s on another pair of policies (`shared/pair-difference`): Var[log rho] = L sigma^2, of the
 * length-normalised weight sigma^2 / L; for normal e_t with mean weight 1 the bias per token is -sigma^2 / 2.
 */
import { predictPair, type MeasuredPair, type PredictedPair } from '../shared/pair-difference';
import type { MeasuredMismatch, MeasuredSampler } from './measure';

export type MismatchMeasure = Omit<MeasuredSampler, keyof MeasuredPair> & PredictedPair;

export interface PredictedMismatch extends Omit<MeasuredMismatch, 'measure'> {
  /** null: the rollouts carry no sampler log-probs */
  measure: MismatchMeasure | null;
}

export function predictMismatch({ measure, ...rest }: MeasuredMismatch): PredictedMismatch {
  if (measure === null) return { ...rest, measure };
  const { metrics, corrections, ...pair } = measure;
  return { ...rest, measure: { metrics, corrections, ...predictPair(pair) } };
}
