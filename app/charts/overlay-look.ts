/**
 * How a kept run looks when it is laid over a chart: a muted colour, an open mark and a dash of its own, the
 * same in every figure. Contract: colour is never the only sign.
 */
import './overlay.css';
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
