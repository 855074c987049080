/** Points split by the sign of their advantage: one colour and one shape each, and their legend. */
import type { GradientPoint } from '../../../src/experiments/gradient';
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
    <ul className="legend" aria-label="Legend">
      {SIGNS.map(({ name, colour, shape }) => (
        <li key={name}>
          <svg width="12" height="12" aria-hidden="true" style={{ fill: `var(${colour})` }}>
            {shape === 'circle' && <circle cx="6" cy="6" r="3.6" />}
            {shape === 'square' && <rect x="2.6" y="2.6" width="6.8" height="6.8" />}
            {shape === 'triangle' && <path d="M6 1.8L10.4 9.6H1.6Z" />}
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}
