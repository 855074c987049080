/**
 * The law of s on another pair of policies: Var[log rho] = L sigma^2, of the length-normalised weight
 * sigma^2 / L; for normal e_t with mean weight 1 the bias per token is -sigma^2 / 2.
 */
import { predictVarianceCurve, type VarianceCurve } from '../shared/variance-curve';
import { predictWeightCurves, type WeightsCurve } from '../shared/weight-curve';
import type { MeasuredMismatch, MeasuredSampler } from './measure';

export interface MismatchMeasure extends Omit<MeasuredSampler, 'natural' | 'prefix' | 'weights'> {
  /** of a token, nats */
  predictedBias: number;
  natural: VarianceCurve;
  prefix: VarianceCurve;
  shares: { natural: WeightsCurve; prefix: WeightsCurve };
  /** tokens from which on half of the responses are wasted by rho; null: not reached */
  usableLength: number | null;
  predictedUsableLength: number;
}

export interface PredictedMismatch extends Omit<MeasuredMismatch, 'measure'> {
  /** null: the rollouts carry no sampler log-probs */
  measure: MismatchMeasure | null;
}

function predictSampler({ weights, ...measured }: MeasuredSampler): MismatchMeasure {
  const { natural, prefix, usableLength, predictedUsableLength } = predictWeightCurves(weights);
  return {
    ...measured,
    predictedBias: -(measured.sigma ** 2) / 2,
    natural: predictVarianceCurve(measured.natural),
    prefix: predictVarianceCurve(measured.prefix),
    shares: { natural, prefix },
    usableLength,
    predictedUsableLength,
  };
}

export function predictMismatch({ measure, ...rest }: MeasuredMismatch): PredictedMismatch {
  return { ...rest, measure: measure && predictSampler(measure) };
}
