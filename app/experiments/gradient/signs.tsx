/** Points split by the sign of their advantage: one colour and one shape each, and their legend. */
import type { GradientPoint } from '../../../src/experiments/gradient';
import { Legend } from '../../charts/Legend';
import type { Cloud } from '../../charts/PointCloud';

export const SIGNS = [
  { sign: 1, name: 'A > 0', colour: '--series-luspo', shape: 'circle' },
  { sign: -1, name: 'A < 0', colour: '--series-dapo', shape: 'square' },
  { sign: 0, name: 'A = 0', colour: '--ink-faint', shape: 'triangle' },
] as const;

export interface SignedCloud<Point> {
  cloud: Cloud;
  points: Point[];
}

/** Clouds of the signs that occur. */
export function bySign<Point extends GradientPoint>(
  points: readonly Point[],
  x: (point: Point) => number,
  y: (point: Point) => number,
): SignedCloud<Point>[] {
  return SIGNS.flatMap(({ sign, colour, shape }) => {
    const own = points.filter(({ advantage }) => Math.sign(advantage) === sign);
    if (own.length === 0) return [];
    return [{ cloud: { colour, shape, x: own.map(x), y: own.map(y) }, points: own }];
  });
}

export function SignLegend() {
  return (
    <Legend
      items={SIGNS.map(({ name, colour, shape }) => ({
        name,
        colour,
        mark: shape,
        interval: false,
      }))}
    />
  );
}
