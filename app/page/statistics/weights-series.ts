/** From the experiment's points to marks, lines and table rows: both weights alike. */
import { plural, t } from '@lingui/core/macro';
import type {
  WeightMeasurement,
  WeightsCurve,
  WeightsPoint,
  WeightsResult,
} from '../../../src/experiments/weights';
import type { CurveLine, Mark, MarkSeries } from '../../charts/ErrorBars';
import { fixed, interval, significant } from '../../format/numbers';
import { lengthsOf, SEQUENCE, UNNORMALISED, type CurveFigure, type CurveKind } from './views';

export const WEIGHTS = [
  { id: 'sequence', symbol: 's', view: SEQUENCE },
  { id: 'unnormalised', symbol: 'ρ', view: UNNORMALISED },
] as const;
export type WeightId = (typeof WEIGHTS)[number]['id'];

export interface WeightsFigure extends CurveFigure<WeightsResult> {
  kind: CurveKind;
}

/** One figure of a measurement: the value, its interval, and what a log-normal would give. */
export interface Quantity {
  name: string;
  of(weight: WeightMeasurement): {
    value: number;
    interval: readonly [number, number] | null;
    predicted: number;
  };
}

export const SHARE: Quantity = {
  get name() {
    return t`effective share`;
  },
  of: (weight) => ({
    value: weight.effectiveShare,
    interval: weight.shareInterval,
    predicted: weight.predictedShare,
  }),
};

export const VARIANCE: Quantity = {
  get name() {
    return t`variance`;
  },
  of: (weight) => ({
    value: weight.variance,
    interval: weight.varianceInterval,
    predicted: weight.predictedVariance,
  }),
};

export const PARETO: Quantity = {
  get name() {
    return t`Pareto k̂`;
  },
  of: ({ pareto, predictedParetoK }) => ({
    value: pareto.k,
    interval: Number.isFinite(pareto.standardError)
      ? [pareto.k - 1.96 * pareto.standardError, pareto.k + 1.96 * pareto.standardError]
      : null,
    predicted: predictedParetoK,
  }),
};

/** Points at which the quantity is a number. */
export function pointsOf(
  curve: WeightsCurve,
  weight: WeightId,
  quantity: Quantity,
): WeightsPoint[] {
  return curve.points.filter((point) => Number.isFinite(quantity.of(point[weight]).value));
}

export function seriesOf(curve: WeightsCurve, quantity: Quantity): MarkSeries[] {
  return WEIGHTS.map(({ id, symbol, view }) => {
    const points = pointsOf(curve, id, quantity);
    return {
      id,
      colour: view.colour,
      shape: view.shape,
      dodge: id === 'sequence' ? -3 : 3,
      marks: points.map((point): Mark => {
        const { value, interval: ends } = quantity.of(point[id]);
        return { x: point.length, y: value, interval: ends, hollow: !point[id].reliable };
      }),
      describe: (i) => {
        const point = points[i];
        if (point === undefined) return { head: '', rows: [] };
        const { value, interval: ends, predicted } = quantity.of(point[id]);
        return {
          head: `${symbol}, ${lengthsOf(point)}, ${plural(point.sequences, { one: '# response', other: '# responses' })}`,
          rows: [
            [quantity.name, significant(value, 4)],
            [t`95 % interval`, interval(ends)],
            [t`log-normal`, significant(predicted, 4)],
            [t`tail`, point[id].reliable ? 'k̂ ≤ 0.7' : t`not to be relied on`],
          ],
        };
      },
    };
  });
}

/** What log-normal weights would give, point by point; n and mean length enter, so no smooth formula. */
export function linesOf(curve: WeightsCurve, quantity: Quantity): CurveLine[] {
  return WEIGHTS.map(({ id }) => ({
    id: `law ${id}`,
    kind: 'prediction' as const,
    points: curve.points
      .map((point): [number, number] => [point.length, quantity.of(point[id]).predicted])
      .filter(([, y]) => Number.isFinite(y)),
  }));
}

/** Both quantities' values and predictions, for an axis. */
export function valuesOf(curve: WeightsCurve, quantity: Quantity): number[] {
  return curve.points.flatMap((point) =>
    WEIGHTS.flatMap(({ id }) => {
      const { value, predicted } = quantity.of(point[id]);
      return [value, predicted].filter(Number.isFinite);
    }),
  );
}

export const tableColumns = () => [
  t`weight`,
  t`tokens`,
  t`responses`,
  t`measured`,
  t`95 % interval`,
  t`log-normal`,
  'k̂',
  t`relied on`,
];

export function tableRows(curve: WeightsCurve, quantity: Quantity): string[][] {
  return WEIGHTS.flatMap(({ id, symbol }) =>
    curve.points.map((point) => {
      const { value, interval: ends, predicted } = quantity.of(point[id]);
      const { k } = point[id].pareto;
      return [
        symbol,
        lengthsOf(point),
        String(point.sequences),
        significant(value, 5),
        interval(ends, 4),
        significant(predicted, 5),
        Number.isFinite(k) ? fixed(k, 3) : t`tail too short`,
        point[id].reliable ? t`yes` : t`no`,
      ];
    }),
  );
}
