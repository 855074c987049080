/** From the experiment's points to marks and lines: two perplexities and their ratio alike. */
import type {
  ExponentiatedMean,
  LengthCurve,
  LengthPoint,
  LengthResult,
} from '../../../src/experiments/length';
import type { Mark, MarkSeries } from '../../charts/ErrorBars';
import type { MarkShape } from '../../charts/shapes';
import { counted, interval, significant } from '../../format/numbers';
import { lengthsOf, SEQUENCE, type CurveFigure, type CurveKind } from '../../page/statistics/views';

export interface LengthFigure extends CurveFigure<LengthResult> {
  kind: CurveKind;
}

export type MeanId = 'perplexityOld' | 'perplexityNew' | 'ratio';

export interface MeanView {
  id: MeanId;
  name: string;
  colour: string;
  shape: MarkShape;
}

export const OLD: MeanView = {
  id: 'perplexityOld',
  name: 'perplexity, old policy',
  colour: '--policy-old',
  shape: 'square',
};
export const NEW: MeanView = {
  id: 'perplexityNew',
  name: 'perplexity, new policy',
  colour: '--policy-new',
  shape: 'circle',
};
export const RATIO: MeanView = {
  id: 'ratio',
  name: 's',
  colour: SEQUENCE.colour,
  shape: SEQUENCE.shape,
};

type What = 'mean' | 'center' | 'gap';

const VALUES: Record<
  What,
  (own: ExponentiatedMean) => { y: number; interval: readonly [number, number] | null }
> = {
  mean: (own) => ({ y: own.mean, interval: own.meanInterval }),
  center: (own) => ({ y: own.center, interval: own.centerInterval }),
  gap: (own) => ({ y: own.gap, interval: own.gapInterval }),
};

export function pointsOf(curve: LengthCurve, id: MeanId, what: What): LengthPoint[] {
  return curve.points.filter((point) => Number.isFinite(VALUES[what](point[id]).y));
}

export function seriesOf(
  curve: LengthCurve,
  { id, name, colour, shape }: MeanView,
  what: What,
): MarkSeries {
  const points = pointsOf(curve, id, what);
  return {
    id,
    colour,
    shape,
    marks: points.map((point): Mark => ({ x: point.length, ...VALUES[what](point[id]) })),
    describe: (i) => {
      const point = points[i];
      if (point === undefined) return { head: '', rows: [] };
      const own = point[id];
      return {
        head: `${name}, ${lengthsOf(point)}, ${counted(point.sequences, 'response')}`,
        rows:
          what === 'gap'
            ? [
                ['Jensen gap', significant(own.gap, 4)],
                ['95 % interval', interval(own.gapInterval)],
                ['predicted Var ÷ 2', significant(own.predictedGap, 4)],
              ]
            : [
                ['mean', significant(own.mean, 6)],
                ['95 % interval', interval(own.meanInterval, 5)],
                ['exp of the mean log', significant(own.center, 6)],
                ['its 95 % interval', interval(own.centerInterval, 5)],
              ],
      };
    },
  };
}

/** exp of the mean log: what is left when the Jensen gap is taken out. */
export function centerLine(curve: LengthCurve, id: MeanId): [number, number][] {
  return curve.points.map((point) => [point.length, point[id].center]);
}

export const TABLE_COLUMNS = [
  'of',
  'tokens',
  'responses',
  'mean',
  '95 % interval',
  'exp of the mean log',
  'its 95 % interval',
  'gap, nats',
  'its 95 % interval',
  'Var ÷ 2',
];

export function tableRows(curve: LengthCurve, views: readonly MeanView[]): string[][] {
  return views.flatMap(({ id, name }) =>
    curve.points.map((point) => {
      const own = point[id];
      return [
        name,
        lengthsOf(point),
        String(point.sequences),
        significant(own.mean, 6),
        interval(own.meanInterval, 5),
        significant(own.center, 6),
        interval(own.centerInterval, 5),
        significant(own.gap, 4),
        interval(own.gapInterval, 3),
        significant(own.predictedGap, 4),
      ];
    }),
  );
}
