/** From the experiment's points to marks, lines and table rows: the three variances alike. */
import { plural, t } from '@lingui/core/macro';
import type {
  VarianceCurve,
  VarianceMeasurement,
  VariancePoint,
} from '../../../src/experiments/shared/variance-curve';
import type { Mark, MarkSeries, MarkWords } from '../../charts/ErrorBars';
import type { MarkShape } from '../../charts/shapes';
import { count, interval, significant } from '../../format/numbers';
import { CURVE_NAMES, CURVE_SHAPES, lengthsOf } from './views';

export type Weight = 'sequence' | 'unnormalised' | 'token';

export interface WeightPoint {
  point: VariancePoint;
  value: VarianceMeasurement;
}

/** Points of the curve that have this variance, in ascending length. */
export function pointsOf(curve: VarianceCurve, weight: Weight): WeightPoint[] {
  return curve.points.flatMap((point) => {
    const value = point[weight];
    return value === null ? [] : [{ point, value }];
  });
}

export function wordsOf({ point, value }: WeightPoint, kind: VarianceCurve['kind']): MarkWords {
  return {
    head: `${lengthsOf(point)}, ${plural(point.sequences, { one: '# response', other: '# responses' })} (${CURVE_NAMES[kind]})`,
    rows: [
      [t`measured`, significant(value.measured, 4)],
      [t`95 % interval`, interval(value.interval)],
      [t`predicted`, significant(value.predicted, 4)],
      [t`measured ÷ predicted`, significant(value.ratio, 3)],
      [t`its 95 % interval`, interval(value.ratioInterval)],
    ],
  };
}

interface SeriesOptions {
  curve: VarianceCurve;
  weight: Weight;
  colour: string;
  shape?: MarkShape;
}

/** Marks of the measured variance, or of measured over predicted. */
export function seriesOf(
  { curve, weight, colour, shape }: SeriesOptions,
  what: 'measured' | 'ratio',
): MarkSeries {
  const points = pointsOf(curve, weight);
  return {
    id: curve.kind,
    colour,
    shape: shape ?? CURVE_SHAPES[curve.kind],
    marks: points.map(({ point, value }): Mark => ({
      x: point.length,
      y: what === 'measured' ? value.measured : value.ratio,
      interval: what === 'measured' ? value.interval : value.ratioInterval,
      hollow: curve.kind === 'prefix',
    })),
    describe: (i) => {
      const own = points[i];
      return own === undefined ? { head: '', rows: [] } : wordsOf(own, curve.kind);
    },
  };
}

/**
 * Predicted variance at length L, as the experiment predicts it: natural bins of the unnormalised
 * weight use the mean length, where this line has the harmonic one; the points carry the exact value.
 */
export function lawOf(curve: VarianceCurve, weight: Weight): ((L: number) => number) | null {
  const sigma2 = curve.tokenVariance?.estimate;
  if (sigma2 === undefined || !Number.isFinite(sigma2)) return null;
  return {
    sequence: (L: number) => sigma2 / L,
    unnormalised: (L: number) => sigma2 * L,
    token: () => sigma2,
  }[weight];
}

export const tableColumns = () => [
  t`tokens`,
  t`mean L`,
  t`compared`,
  t`responses`,
  t`prompts`,
  t`measured`,
  t`95 % interval`,
  t`predicted`,
  t`measured ÷ predicted`,
  t`its 95 % interval`,
];

export function tableRows(curve: VarianceCurve, weight: Weight): string[][] {
  return pointsOf(curve, weight).map(({ point, value }) => [
    lengthsOf(point),
    significant(point.length, 4),
    CURVE_NAMES[curve.kind],
    count(point.sequences),
    count(point.prompts),
    significant(value.measured, 5),
    interval(value.interval, 4),
    significant(value.predicted, 5),
    significant(value.ratio, 4),
    interval(value.ratioInterval, 3),
  ]);
}
