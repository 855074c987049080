/**
 * The law of s on one model in two arithmetics. Of the band: with mean mu and standard deviation sigma of d_t, log s is
 * normal with (mu, sigma^2 / L) and log rho with (L mu, L sigma^2); what lies outside the band follows.
 */
import { normalCdf } from '../../math/stats/distributions';
import { predictPair, type PredictedPair } from '../shared/pair-difference';
import { BAND_EDGES, type MeasuredClipPoint, type MeasuredNumerics } from './measure';

export interface SharePoint {
  measured: number;
  interval: [number, number] | null;
  predicted: number;
}

export interface ClipPoint extends Omit<MeasuredClipPoint, 'sequence' | 'unnormalised'> {
  sequence: SharePoint;
  unnormalised: SharePoint;
}

export type NumericsMeasure = PredictedPair & {
  /** of d_t, nats */
  mu: number;
  clip: Record<'natural' | 'prefix', ClipPoint[]>;
};

export interface PredictedNumerics extends Omit<MeasuredNumerics, 'measure'> {
  measure: NumericsMeasure | null;
}

/** Share of a normal outside the band. @param spread 0: all or nothing */
export function outsideBand(mean: number, spread: number): number {
  if (spread === 0) return mean < BAND_EDGES.low || mean > BAND_EDGES.high ? 1 : 0;
  const below = normalCdf((BAND_EDGES.low - mean) / spread);
  return below + 1 - normalCdf((BAND_EDGES.high - mean) / spread);
}

export function predictNumerics({ measure, ...rest }: MeasuredNumerics): PredictedNumerics {
  if (measure === null) return { ...rest, measure };
  const { clip, mu, ...pair } = measure;
  const { sigma } = pair;
  const at = (points: MeasuredClipPoint[]): ClipPoint[] =>
    points.map(({ sequence, unnormalised, ...point }) => ({
      ...point,
      sequence: {
        measured: sequence.estimate,
        interval: sequence.interval,
        predicted: outsideBand(mu, sigma / Math.sqrt(point.length)),
      },
      unnormalised: {
        measured: unnormalised.estimate,
        interval: unnormalised.interval,
        predicted: outsideBand(mu * point.length, sigma * Math.sqrt(point.length)),
      },
    }));
  return {
    ...rest,
    measure: {
      ...predictPair(pair),
      mu,
      clip: { natural: at(clip.natural), prefix: at(clip.prefix) },
    },
  };
}
