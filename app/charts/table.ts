/** The exact values behind a figure: what its table shows and its CSV holds. */
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
