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

/** Points of a run whose rows stand in the table behind a cloud. */
const POINT_ROWS = 500;

/** @param figures of a point, beside which response it is */
export function pointRows<Point extends ResponsePoint>(
  points: readonly Point[],
  figures: (point: Point) => readonly string[],
): (readonly string[])[] {
  return points
    .slice(0, POINT_ROWS)
    .map((point) => [`#${point.sequence}`, String(point.length), ...figures(point)]);
}

/** The table behind a cloud of responses; it says where it has fewer rows than the cloud has points. */
export function pointTable<Point extends ResponsePoint>(
  columns: readonly string[],
  points: readonly Point[],
  figures: (point: Point) => readonly string[],
): Table {
  const rows = pointRows(points, figures);
  const few = rows.length < points.length;
  return {
    columns: ['response', 'tokens', ...columns],
    rows,
    ...(few ? { note: `The first ${rows.length} of ${points.length} points.` } : {}),
  };
}
