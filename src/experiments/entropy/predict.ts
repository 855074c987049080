/** To first order the entropy changes by the covariance, and the cross-entropy of pi_old's own tokens not at all. */
import type { MeasuredEntropy, MeasuredEntropyBin, MeasuredMeans } from './measure';

type Predicted<T extends MeasuredMeans> = T & {
  /** what the covariance leaves unexplained: change minus covariance, nats */
  left: number;
};

export type EntropyBin = Predicted<MeasuredEntropyBin>;

export interface EntropyMeasure extends Pick<
  NonNullable<MeasuredEntropy['measure']>,
  'quotient' | 'surprise' | 'second'
> {
  all: Predicted<MeasuredMeans>;
  byEntropy: EntropyBin[];
  byLength: EntropyBin[];
  byResponse: EntropyBin[];
}

export interface PredictedEntropy extends Omit<MeasuredEntropy, 'measure'> {
  /** null: the rollouts carry no entropies */
  measure: EntropyMeasure | null;
}

const explained = <T extends MeasuredMeans>(means: T): Predicted<T> => ({
  ...means,
  left: means.change.estimate - means.covariance.estimate,
});

export function predictEntropy({ measure, ...rest }: MeasuredEntropy): PredictedEntropy {
  if (measure === null) return { ...rest, measure };
  const { all, byEntropy, byLength, byResponse, ...inference } = measure;
  return {
    ...rest,
    measure: {
      ...inference,
      all: explained(all),
      byEntropy: byEntropy.map(explained),
      byLength: byLength.map(explained),
      byResponse: byResponse.map(explained),
    },
  };
}
