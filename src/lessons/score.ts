/**
 * A prediction beside a measurement. Contract: pure; what is right follows from the measured value and its interval,
 * never from the lesson alone.
 */
import type { AxisKind, MeasuredPoint, MeasuredValue } from './curves';
import type { Option } from './lesson';

export interface NumberScore {
  /** measured less predicted */
  difference: number;
  /** whether the measured value lies within the error that the student named */
  covered: boolean;
  /**
   * Distance from the measured value to the prediction, in half-widths of the interval on that side: up to 1 the
   * prediction is inside. null: no interval, or one without width.
   */
  intervals: number | null;
}

/** @param error how far off the student thinks to be at most, not negative */
export function scoreNumber(
  prediction: number,
  error: number,
  { measured, interval }: MeasuredValue,
): NumberScore {
  const difference = measured - prediction;
  const covered = Math.abs(difference) <= error;
  if (interval === null) return { difference, covered, intervals: null };
  return { difference, covered, intervals: halfWidths(prediction, measured, interval) };
}

/** Distance in half-widths of the interval on the side of the prediction; null where that side has no width. */
function halfWidths(
  prediction: number,
  measured: number,
  [low, high]: readonly [number, number],
): number | null {
  const half = prediction > measured ? high - measured : measured - low;
  return half > 0 ? Math.abs(measured - prediction) / half : null;
}

const inside = ({ from = -Infinity, to = Infinity }: Option, x: number) => x >= from && x < to;

export interface ChoiceScore {
  /** the option in whose range the measured value lies; -1: in none */
  right: number;
  /** whether the whole interval lies in that option's range */
  sure: boolean;
}

export function scoreChoice(
  options: readonly Option[],
  { measured, interval }: MeasuredValue,
): ChoiceScore {
  const ranged = (option: Option) => option.from !== undefined || option.to !== undefined;
  const right = options.findIndex((option) => ranged(option) && inside(option, measured));
  const option = options[right];
  const sure =
    option !== undefined && (interval === null || interval.every((end) => inside(option, end)));
  return { right, sure };
}

/** A curve as a student drew it: at some places, straight between them on the axes that it was drawn on. */
export interface Drawing {
  /** [n] ascending */
  x: readonly number[];
  y: readonly number[];
}

export interface Axes {
  x: AxisKind;
  y: AxisKind;
}

/** The drawing at x; null where it does not reach. */
export function drawnAt({ x: places, y: values }: Drawing, axes: Axes, x: number): number | null {
  const along = (value: number) => (axes.x === 'log' ? Math.log(value) : value);
  const up = (value: number) => (axes.y === 'log' ? Math.log(value) : value);
  const next = places.findIndex((place) => place >= x);
  if (next < 0) return null;
  const [right, high] = [places[next], values[next]];
  if (right === undefined || high === undefined) return null;
  if (right === x) return high;
  const [left, low] = [places[next - 1], values[next - 1]];
  if (left === undefined || low === undefined) return null;
  const share = (along(x) - along(left)) / (along(right) - along(left));
  const value = up(low) + share * (up(high) - up(low));
  return axes.y === 'log' ? Math.exp(value) : value;
}

export interface ScoredPoint extends MeasuredPoint {
  drawn: number;
  /** half-widths of the interval between the two; null: it has none */
  intervals: number | null;
}

export interface DrawingScore {
  /** measured points that the drawing reaches and that have an interval */
  points: ScoredPoint[];
  /** of them, those whose interval the drawing runs through */
  inside: number;
  /** of the distances in half-widths; null without points */
  median: number | null;
  farthest: ScoredPoint | null;
  /** steepness over the scored points, by least squares; only where both axes are logarithmic: powers of x */
  powers: { drawn: number; measured: number } | null;
}

export function scoreDrawing(
  drawing: Drawing,
  axes: Axes,
  measured: readonly MeasuredPoint[],
): DrawingScore {
  const points = measured.flatMap((point): ScoredPoint[] => {
    const drawn = drawnAt(drawing, axes, point.x);
    if (drawn === null || point.interval === null) return [];
    return [{ ...point, drawn, intervals: halfWidths(drawn, point.y, point.interval) }];
  });
  const known = points.filter(({ intervals }) => intervals !== null);
  const off = ({ intervals }: ScoredPoint) => intervals ?? 0;
  const sorted = known.map(off).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    sorted.length === 0
      ? null
      : ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  const farthest = known.reduce<ScoredPoint | null>(
    (most, point) => (most === null || off(point) > off(most) ? point : most),
    null,
  );
  return {
    points,
    inside: points.filter(
      ({ drawn, interval }) => interval !== null && drawn >= interval[0] && drawn <= interval[1],
    ).length,
    median,
    farthest,
    powers: powersOf(points, axes),
  };
}

function powersOf(points: readonly ScoredPoint[], axes: Axes): DrawingScore['powers'] {
  const usable = points.filter(({ x, y, drawn }) => x > 0 && y > 0 && drawn > 0);
  if (axes.x !== 'log' || axes.y !== 'log' || usable.length < 2) return null;
  const slope = (value: (point: ScoredPoint) => number) => {
    const n = usable.length;
    const xs = usable.map(({ x }) => Math.log(x));
    const ys = usable.map((point) => Math.log(value(point)));
    const [mx, my] = [xs, ys].map((own) => own.reduce((a, b) => a + b, 0) / n) as [number, number];
    const over = xs.reduce((sum, x, i) => sum + (x - mx) * ((ys[i] ?? my) - my), 0);
    return over / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
  };
  return { drawn: slope(({ drawn }) => drawn), measured: slope(({ y }) => y) };
}
