/**
 * How the gradient of a response grows with its length L, by what the aggregation says: a mean over sequences
 * slope 0; token mean, sum and unnormalised ratio slope 1. The two identities predict no deviation.
 */
import type { MeasuredGradient, SlopedObjective } from './measure';

export interface PredictedGradient extends MeasuredGradient {
  predictedSlopes: Record<SlopedObjective, number>;
}

export function predictGradient(measured: MeasuredGradient): PredictedGradient {
  return { ...measured, predictedSlopes: { gspo: 0, dapo: 1, rloo: 1 } };
}
