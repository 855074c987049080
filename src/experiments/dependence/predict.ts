/**
 * The naive law sigma^2 / L and the corrected one (`corrected-law.ts`) beside the measured variance, and what
 * each of its parts contributes.
 */
import { inflation } from '../../math/stats/autocorrelation';
import type { Law } from './corrected-law';
import type { MeasuredDependence, MeasuredLawCurve } from './measure';

type MeasuredLawPoint = MeasuredLawCurve['points'][number];

export interface LawPoint extends Omit<MeasuredLawPoint, 'lagWeights'> {
  /** Var[log s] by each law, nats^2 */
  naive: number;
  corrected: number;
}

export interface LawCurve extends Omit<MeasuredLawCurve, 'points'> {
  points: LawPoint[];
}

/** Parts of Var[log s] over all responses, nats^2; they add up to `total`. */
export interface Decomposition {
  total: number;
  /** sigma^2 mean(1/L): what independent tokens give */
  withinToken: number;
  autocorrelation: number;
  prompt: number;
  /** what the three leave: means that move with length or position, lags beyond the window, noise */
  residual: number;
}

export interface PredictedDependence extends Omit<
  MeasuredDependence,
  'natural' | 'prefix' | 'laws' | 'meanLength' | 'total'
> {
  /** L_eff = L / (1 + 2 sum (1 - k/L) rho_k) at the mean length, tokens */
  effectiveLength: { length: number; effective: number };
  natural: LawCurve;
  prefix: LawCurve;
  decomposition: Decomposition;
}

export function predictDependence(measured: MeasuredDependence): PredictedDependence {
  const { laws, natural, prefix, meanLength, total, ...rest } = measured;
  const rho = rest.lags.slice(0, rest.window).map((point) => point.autocorrelation);
  return {
    ...rest,
    effectiveLength: {
      length: meanLength,
      effective: meanLength / inflation([1, ...rho], meanLength),
    },
    natural: predictCurve(natural, laws),
    prefix: predictCurve(prefix, laws),
    decomposition: decompose(total, laws.corrected),
  };
}

function varianceBy(law: Law, lagWeights: Float64Array): number {
  return lagWeights.reduce(
    (sum, weight, lag) => sum + weight * (law.gamma[lag] as number),
    law.tau2,
  );
}

function predictCurve(curve: MeasuredLawCurve, laws: MeasuredDependence['laws']): LawCurve {
  return {
    ...curve,
    points: curve.points.map(({ lagWeights, ...point }) => ({
      ...point,
      naive: varianceBy(laws.naive, lagWeights.naive),
      corrected: varianceBy(laws.corrected, lagWeights.corrected),
    })),
  };
}

function decompose(
  { variance: total, lagWeights }: MeasuredDependence['total'],
  law: Law,
): Decomposition {
  const withinToken = (lagWeights[0] as number) * (law.gamma[0] as number);
  const autocorrelation = varianceBy(law, lagWeights) - law.tau2 - withinToken;
  return {
    total,
    withinToken,
    autocorrelation,
    prompt: law.tau2,
    residual: total - withinToken - autocorrelation - law.tau2,
  };
}
