/**
 * The law of s on another pair of policies (`shared/pair-difference`): Var[log rho] = L sigma^2, of the
 * length-normalised weight sigma^2 / L; for normal e_t with mean weight 1 the bias per token is -sigma^2 / 2.
 */
import { predictPair, type MeasuredPair, type PredictedPair } from '../shared/pair-difference';
import { normalCdf } from '../../math/stats/distributions';
import type { GrownCorrection, MeasuredMismatch, MeasuredSampler } from './measure';

export interface PredictedGrowth extends GrownCorrection {
  /** by length: effective sample size over n for independent normal e_t */
  predicted: number[];
}

export type MismatchMeasure = Omit<MeasuredSampler, keyof MeasuredPair | 'grown'> &
  PredictedPair & { grown: PredictedGrowth[] };

export interface PredictedMismatch extends Omit<MeasuredMismatch, 'measure'> {
  /** null: the rollouts carry no sampler log-probs */
  measure: MismatchMeasure | null;
}

export function predictMismatch({ measure, ...rest }: MeasuredMismatch): PredictedMismatch {
  if (measure === null) return { ...rest, measure };
  const { metrics, corrections, known, grown, mean, ...pair } = measure;
  const predicted = grown.map((own) => ({
    ...own,
    predicted: own.points.map(({ length }) => effectiveOf(own, length, mean, pair.sigma)),
  }));
  return {
    ...rest,
    measure: { metrics, corrections, known, mean, grown: predicted, ...predictPair(pair) },
  };
}

/** E[w^k, w <= c] of w = exp(X), X normal with this mean and variance. */
function partOf(k: number, mean: number, variance: number, c: number): number {
  const whole = Math.exp(k * mean + (k * k * variance) / 2);
  if (!(variance > 0)) return mean <= Math.log(c) ? whole : 0;
  return whole * normalCdf((Math.log(c) - mean - k * variance) / Math.sqrt(variance));
}

/** Kish's effective sample size over n of weights that are log-normal, cut off or left out above their bound. */
function effectiveOf(
  { id, high }: GrownCorrection,
  length: number,
  mean: number,
  sigma: number,
): number {
  const byToken = id === 'token-truncate' || id === 'token-mask';
  const [center, variance] =
    id === 's'
      ? [mean, sigma ** 2 / length]
      : byToken
        ? [mean, sigma ** 2]
        : [length * mean, length * sigma ** 2];
  if (high === null) return Math.exp(-variance);
  const moment = (k: number) => {
    const below = partOf(k, center, variance, high);
    if (id.endsWith('mask')) return below;
    const above =
      variance > 0
        ? 1 - normalCdf((Math.log(high) - center) / Math.sqrt(variance))
        : Number(center > Math.log(high));
    return below + high ** k * above;
  };
  return moment(1) ** 2 / moment(2);
}
