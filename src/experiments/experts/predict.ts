/** Were flips harmless, flipped tokens would vary as others of their margin do, and bring as much as there are of them. */
import type { MeasuredExperts, MeasuredMarginBin } from './measure';

export type MarginBin = MeasuredMarginBin;

export interface ExpertsMeasure extends NonNullable<MeasuredExperts['measure']> {
  /** share of Var[log s] that flipped tokens would bring if they were as others */
  predictedShare: number;
}

export interface PredictedExperts extends Omit<MeasuredExperts, 'measure'> {
  measure: ExpertsMeasure | null;
}

export function predictExperts({ measure, ...rest }: MeasuredExperts): PredictedExperts {
  if (measure === null) return { ...rest, measure };
  return { ...rest, measure: { ...measure, predictedShare: measure.flipped.estimate } };
}
