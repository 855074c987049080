/** Points split by the sign of their advantage: one colour and one shape each. */
import type { GradientPoint } from '../../../src/experiments/gradient';
import type { Cloud } from '../../charts/PointCloud';

export const SIGNS = [
  { sign: 1, name: 'A > 0', colour: '--series-luspo', shape: 'circle' },
  { sign: -1, name: 'A < 0', colour: '--series-dapo', shape: 'square' },
  { sign: 0, name: 'A = 0', colour: '--ink-faint', shape: 'triangle' },
] as const;

export interface SignedCloud {
  cloud: Cloud;
  points: GradientPoint[];
}

/** Clouds of the signs that occur. */
export function bySign(
  points: readonly GradientPoint[],
  x: (point: GradientPoint) => number,
  y: (point: GradientPoint) => number,
): SignedCloud[] {
  return SIGNS.flatMap(({ sign, colour, shape }) => {
    const own = points.filter((point) => Math.sign(point.advantage) === sign);
    if (own.length === 0) return [];
    return [{ cloud: { colour, shape, x: own.map(x), y: own.map(y) }, points: own }];
  });
}
