/**
 * The naive law sigma^2 / L and the law of the parts (`math/stats/length-law.ts`) beside the measured variance, and what
 * each part contributes.
 */
import { inflation } from '../../math/stats/autocorrelation';
import type { LawParts, LengthLaw } from '../../math/stats/length-law';
import type { LawCheck, MeasuredDependence, MeasuredLawCurve } from './measure';

type MeasuredLawPoint = MeasuredLawCurve['points'][number];

export interface LawPoint extends Omit<MeasuredLawPoint, 'lengths'> {
  /** Var[log s] by each law, nats^2 */
  naive: number;
  corrected: number;
}

export interface LawCurve extends Omit<MeasuredLawCurve, 'points'> {
  points: LawPoint[];
}

export type Decomposition = LawParts;

export interface PredictedDependence extends Omit<
  MeasuredDependence,
  'natural' | 'prefix' | 'law' | 'meanLength' | 'checks'
> {
  /** L_eff = L / (1 + 2 sum (1 - k/L) rho_k) at the mean length, tokens */
  effectiveLength: { length: number; effective: number };
  natural: LawCurve;
  prefix: LawCurve;
  /** each law on prompts that it was not fitted on */
  naive: LawCheck;
  corrected: LawCheck;
  decomposition: Decomposition;
}

export function predictDependence(measured: MeasuredDependence): PredictedDependence {
  const { law, natural, prefix, meanLength, checks, ...rest } = measured;
  const rho = rest.lags.slice(0, rest.window).map((point) => point.autocorrelation);
  return {
    ...rest,
    ...checks,
    effectiveLength: {
      length: meanLength,
      effective: meanLength / inflation([1, ...rho], meanLength),
    },
    natural: predictCurve(natural, law),
    prefix: predictCurve(prefix, law),
    decomposition: law.parts,
  };
}

function predictCurve(curve: MeasuredLawCurve, law: LengthLaw): LawCurve {
  return {
    ...curve,
    points: curve.points.map(({ lengths, ...point }) => {
      const known = new Map<number, ReturnType<LengthLaw['predict']>>();
      let naive = 0;
      let corrected = 0;
      for (const length of lengths) {
        let own = known.get(length);
        if (own === undefined) known.set(length, (own = law.predict(length)));
        naive += own.naive / lengths.length;
        corrected += own.decomposed / lengths.length;
      }
      return { ...point, naive, corrected };
    }),
  };
}
