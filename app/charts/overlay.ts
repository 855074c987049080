/**
 * How a kept run looks when it is laid over a chart: a muted colour, an open mark and a dash of its own, the
 * same in every figure. Contract: colour is never the only sign; measured series only, predictions belong to
 * the run in view.
 */
import './overlay.css';
import type { Curve } from './Curves';
import type { Table } from './Figure';
import type { Mark, MarkSeries } from './marks';
import type { MarkShape } from './shapes';

export interface OverlayLook {
  /** CSS custom property */
  colour: string;
  shape: MarkShape;
  /** SVG dash array */
  dash: string;
}

/** What a figure is handed about one overlaid run. */
export interface Overlaid<Result> {
  id: string;
  label: string;
  look: OverlayLook;
  result: Result;
}

const SHAPES: readonly MarkShape[] = ['wedge', 'cross', 'plus', 'star', 'hourglass'];
const DASHES = ['7 3', '2 3', '9 3 2 3', '14 4', '4 2 1 2'];

export function overlayLook(slot: number): OverlayLook {
  const at = slot % SHAPES.length;
  return {
    colour: `--overlay-${at + 1}`,
    shape: SHAPES[at] as MarkShape,
    dash: DASHES[at] as string,
  };
}

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
