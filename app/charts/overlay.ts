/**
 * How a kept run looks when it is laid over a chart: a muted colour, an open mark and a dash of its own, the
 * same in every figure. Contract: colour is never the only sign; measured series only, predictions belong to
 * the run in view.
 */
import './overlay.css';
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
      overlay: true,
      dodge: (series.dodge ?? 0) + DODGE * (k % 2 === 0 ? 1 + k / 2 : -(1 + k) / 2),
      marks: series.marks.map((mark): Mark => ({ ...mark, hollow: true })),
      describe: (index) => {
        const { head, rows } = series.describe(index);
        return { head: `${label}: ${head}`, rows };
      },
    })),
  );
}
