/** The Jensen gap log mean exp(x) - mean x is Var[x] / 2, exactly so for normal x. */
import type {
  MeasuredLength,
  MeasuredLengthCurve,
  MeasuredLengthPoint,
  MeasuredMean,
} from './measure';

/** exp of a per-response mean (a perplexity, or s) at one length. */
export interface ExponentiatedMean extends Omit<MeasuredMean, 'variance'> {
  /** Var[x] / 2 */
  predictedGap: number;
}

type Means = 'perplexityOld' | 'perplexityNew' | 'ratio';
export type LengthPoint = Omit<MeasuredLengthPoint, Means> & Record<Means, ExponentiatedMean>;

export interface LengthCurve extends Omit<MeasuredLengthCurve, 'points'> {
  points: LengthPoint[];
}

export interface PredictedLength extends Pick<MeasuredLength, 'sequences' | 'inference'> {
  natural: LengthCurve;
  prefix: LengthCurve;
}

const predictGap = ({ variance, ...mean }: MeasuredMean): ExponentiatedMean => ({
  ...mean,
  predictedGap: variance / 2,
});

function predictCurve(curve: MeasuredLengthCurve): LengthCurve {
  return {
    ...curve,
    points: curve.points.map((point) => ({
      ...point,
      perplexityOld: predictGap(point.perplexityOld),
      perplexityNew: predictGap(point.perplexityNew),
      ratio: predictGap(point.ratio),
    })),
  };
}

export function predictLength({ natural, prefix, ...rest }: MeasuredLength): PredictedLength {
  return { ...rest, natural: predictCurve(natural), prefix: predictCurve(prefix) };
}
