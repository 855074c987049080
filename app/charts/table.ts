/** The exact values behind a figure: what its table shows, its CSV holds, and a reading of a point says. */
import { counted } from '../format/numbers';
import type { Reading, ReadRow } from './interaction';

export interface Table {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** why there are fewer rows than points, where there are */
  note?: string;
}

/** A response that is a point of a cloud. */
interface ResponsePoint {
  sequence: number;
  length: number;
}

/** @param figures of a point, beside which response it is */
export function pointRows<Point extends ResponsePoint>(
  points: readonly Point[],
  figures: (point: Point) => readonly string[],
): (readonly string[])[] {
  return points.map((point) => [`#${point.sequence}`, String(point.length), ...figures(point)]);
}

/** The table behind a cloud of responses. */
export function pointTable<Point extends ResponsePoint>(
  columns: readonly string[],
  points: readonly Point[],
  figures: (point: Point) => readonly string[],
): Table {
  return { columns: ['response', 'tokens', ...columns], rows: pointRows(points, figures) };
}

/** What is said about a point. @param point undefined: there is no such point any more */
export function pointReading<Point extends ResponsePoint>(
  point: Point | undefined,
  figures: (point: Point) => readonly ReadRow[],
): Reading | null {
  if (point === undefined) return null;
  return {
    head: `response #${point.sequence}, ${counted(point.length, 'token')}`,
    rows: figures(point),
  };
}
