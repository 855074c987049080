/**
 * From the results of overlaid runs to what charts draw of them. Contract: measured series only; predictions
 * belong to the run in view.
 */
import type { Curve } from './Curves';
import type { Table } from './table';
import type { Mark, MarkSeries } from './ErrorBars';
import type { Cloud, LaidCloud } from './PointCloud';
import type { Row, RowMark } from './Rows';
import './overlay.css';
import type { Overlaid } from './shapes';

/** px: marks of runs laid over each other would hide one another */
const DODGE = 5;

/**
 * The series that a figure draws of each overlaid run, in the run's look.
 * @param build the figure's own way from a result to its series
 */
export function overlaySeries<Result>(
  overlays: readonly Overlaid<Result>[],
  build: (result: Result) => readonly MarkSeries[],
): MarkSeries[] {
  return overlays.flatMap(({ id, label, look, result }, k) =>
    build(result).map((series): MarkSeries => ({
      ...series,
      id: `${id} ${series.id}`,
      colour: look.colour,
      shape: look.shape,
      overlay: look.dash,
      dodge: (series.dodge ?? 0) + DODGE * (k % 2 === 0 ? 1 + k / 2 : -(1 + k) / 2),
      marks: series.marks.map((mark): Mark => ({ ...mark, hollow: true })),
      describe: (index) => {
        const { head, rows } = series.describe(index);
        return { head: `${label}: ${head}`, rows };
      },
    })),
  );
}

/** The same for curves: measurements of the overlaid runs, without their predictions. */
export function overlayCurves<Result>(
  overlays: readonly Overlaid<Result>[],
  build: (result: Result) => readonly Curve[],
): Curve[] {
  return overlays.flatMap(({ id, label, look, result }) =>
    build(result)
      .filter(({ kind }) => kind === 'points')
      .map((curve) => ({
        ...curve,
        id: `${id} ${curve.name}`,
        name: `${label}: ${curve.name}`,
        colour: look.colour,
        overlay: look,
      })),
  );
}

/**
 * Rows of the run in view with those of the runs laid over below them, by name.
 * @param measured names of the marks that are measurements; predictions belong to the run in view
 */
export function overlayRows<Result>(
  overlays: readonly Overlaid<Result>[],
  rows: readonly Row[],
  build: (result: Result) => readonly Row[],
  measured: (mark: RowMark) => boolean = () => true,
): readonly Row[] {
  if (overlays.length === 0) return rows;
  const laid = overlays.map(({ id, label, look, result }) => {
    const marks = new Map(build(result).map((row) => [row.name, row.marks.filter(measured)]));
    return { id, label, look, marks };
  });
  return rows.map((row) => ({
    ...row,
    laid: laid.map(({ id, label, look, marks }) => ({
      id,
      label,
      look,
      marks: marks.get(row.name) ?? [],
    })),
  }));
}

/** What a figure says about one of its points. */
export type CloudOf = Pick<Cloud, 'x' | 'y'> & Pick<LaidCloud, 'describe'>;

/** The points of the overlaid runs, to stand under those of the run in view. */
export function overlayClouds<Result>(
  overlays: readonly Overlaid<Result>[],
  build: (result: Result) => CloudOf | null,
): LaidCloud[] {
  return overlays.flatMap(({ id, label, look, result }) => {
    const cloud = build(result);
    return cloud === null ? [] : [{ id, label, look, ...cloud }];
  });
}

/** The table behind a figure with overlaid runs: every run's rows, the one in view first. */
export function overlayTable<Result>(
  overlays: readonly Overlaid<Result>[],
  own: Table,
  rows: (result: Result) => readonly (readonly string[])[],
): Table {
  if (overlays.length === 0) return own;
  return {
    ...own,
    columns: ['run', ...own.columns],
    rows: [
      ...own.rows.map((row) => ['in view', ...row]),
      ...overlays.flatMap(({ label, result }) => rows(result).map((row) => [label, ...row])),
    ],
  };
}
