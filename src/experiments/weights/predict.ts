/** Log-normal weights: Var = (e^v - 1) e^(2m + v), effective sample size n e^-v; kurtosis 3 of the log weight. */
import type { Estimate } from '../../math/stats/intervals';
import { predictWeightCurves } from '../shared/weight-curve';
import type { MeasuredWeights, WeightsInference } from './measure';

export type PredictedWeights = ReturnType<typeof predictWeightCurves> & {
  sequences: number;
  mu: number;
  sigma2: number;
  excessKurtosis: Estimate;
  inference: WeightsInference;
};

export function predictWeights(measured: MeasuredWeights): PredictedWeights {
  return { ...measured, ...predictWeightCurves(measured) };
}
