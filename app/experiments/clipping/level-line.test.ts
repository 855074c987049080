import { describe, expect, it } from 'vitest';
import type { ClipMap, ClipSide } from '../../../src/experiments/clipping';
import { levelLine } from './level-line';

const epsilon = Float64Array.from({ length: 31 }, (_, i) => 10 ** (-4 + i / 10));
/** Share outside one edge falls linearly in log epsilon, from `most` at 1e-4 to 0 at 0.1. */
const shares = (most: number) => epsilon.map((e) => (most * (-1 - Math.log10(e))) / 3);
const side = (most: number): ClipSide =>
  ({ clipped: shares(most), massLost: shares(most / 2) }) as Partial<ClipSide> as ClipSide;
const map = {
  epsilon,
  low: side(0.3),
  high: side(0.6),
  ceilingLost: 0,
} as Partial<ClipMap> as ClipMap;

describe('the line of one level on the clip map', () => {
  it('is where both sides together clip that share', () => {
    const line = levelLine(map, 'clipped', 0.5);
    expect(line.length).toBeGreaterThan(10);
    for (const [low, high] of line) {
      const share = (0.3 * (-1 - Math.log10(low))) / 3 + (0.6 * (-1 - Math.log10(high))) / 3;
      expect(share).toBeCloseTo(0.5, 9);
    }
  });

  it('counts the gradient mass that is kept as what is not lost', () => {
    const line = levelLine(map, 'kept', 0.75);
    const clipped = levelLine(map, 'clipped', 0.5);
    expect(line.map(([x]) => x)).toEqual(clipped.map(([x]) => x));
    line.forEach(([, y], i) => expect(y).toBeCloseTo(clipped[i]?.[1] ?? NaN, 12));
  });

  it('leaves out what a ceiling takes whatever epsilon is', () => {
    const with5 = levelLine({ ...map, ceilingLost: 0.05 }, 'kept', 0.7);
    expect(with5).toEqual(levelLine(map, 'kept', 0.75));
  });

  it('is nowhere where nothing clips that much', () => {
    expect(levelLine(map, 'clipped', 0.95)).toEqual([]);
  });
});
