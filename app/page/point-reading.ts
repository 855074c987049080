/** What is said about one response of a cloud: which one, and the figures that place it. */
import type { Reading, ReadRow } from '../charts/interaction';
import { counted } from '../format/numbers';

/** @param point undefined: there is no such point any more */
export function pointReading<Point extends { sequence: number; length: number }>(
  point: Point | undefined,
  figures: (point: Point) => readonly ReadRow[],
): Reading | null {
  if (point === undefined) return null;
  return {
    head: `response #${point.sequence}, ${counted(point.length, 'token')}`,
    rows: figures(point),
  };
}
