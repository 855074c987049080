/** Liu (2025): with independent tokens Var[log s | L] = sigma^2 / L, with the sigma^2 of the same tokens. */
import { predictVarianceCurve, type VarianceCurve } from '../shared/variance-curve';
import type { MeasuredVariance } from './measure';

export interface PredictedVariance extends Omit<MeasuredVariance, 'natural' | 'prefix'> {
  natural: VarianceCurve;
  prefix: VarianceCurve;
}

export function predictVariance(measured: MeasuredVariance): PredictedVariance {
  return {
    ...measured,
    natural: predictVarianceCurve(measured.natural),
    prefix: predictVarianceCurve(measured.prefix),
  };
}
