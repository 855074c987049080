/**
 * How marks and lines look, on charts and in legends. Contract: one shape per series besides its colour, so
 * that colour is never the only sign; colours are CSS custom properties, so that both themes have theirs.
 */
export type MarkShape =
  | 'circle'
  | 'square'
  | 'triangle'
  | 'diamond'
  /** a stroke across a row: a prediction */
  | 'stroke'
  // of runs laid over
  | 'wedge'
  | 'cross'
  | 'plus'
  | 'star'
  | 'hourglass';

/** Path around (0, 0), about as large as a circle of radius r. */
export function markPath(shape: MarkShape, r: number): string {
  switch (shape) {
    case 'circle':
      return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
    case 'square':
      return `M${-0.9 * r} ${-0.9 * r}H${0.9 * r}V${0.9 * r}H${-0.9 * r}Z`;
    case 'triangle':
      return `M0 ${-1.2 * r}L${1.1 * r} ${0.8 * r}H${-1.1 * r}Z`;
    case 'diamond':
      return `M0 ${-1.3 * r}L${1.2 * r} 0L0 ${1.3 * r}L${-1.2 * r} 0Z`;
    case 'stroke':
      return `M0 ${-1.7 * r}V${1.7 * r}`;
    case 'wedge':
      return `M0 ${1.2 * r}L${1.1 * r} ${-0.8 * r}H${-1.1 * r}Z`;
    case 'cross':
      return `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}`;
    case 'plus':
      return `M${-1.2 * r} 0H${1.2 * r}M0 ${-1.2 * r}V${1.2 * r}`;
    case 'star':
      return `M${-1.2 * r} 0H${1.2 * r}M${-0.6 * r} ${-1.04 * r}L${0.6 * r} ${1.04 * r}M${0.6 * r} ${-1.04 * r}L${-0.6 * r} ${1.04 * r}`;
    case 'hourglass':
      return `M${-r} ${-r}H${r}L${-r} ${r}H${r}Z`;
    default:
      return shape satisfies never;
  }
}

/** One place for how each kind of line looks; predictions have the ink's colour unless told. */
export const LINES = {
  prediction: { colour: '--ink', strokeWidth: 1.5 },
  rival: { colour: '--ink-soft', strokeWidth: 1.5, strokeDasharray: '7 4' },
  fit: { colour: '--ink', strokeWidth: 1.25, strokeDasharray: '2 4' },
  level: { colour: '--ink', strokeWidth: 1.5 },
  trace: { colour: '--ink', strokeWidth: 1.25, strokeOpacity: 0.55 },
  line: { colour: '--ink', strokeWidth: 2 },
  thick: { colour: '--ink', strokeWidth: 3.5 },
  dashed: { colour: '--ink', strokeWidth: 2, strokeDasharray: '5 4' },
  faint: { colour: '--ink', strokeWidth: 1.25, strokeOpacity: 0.65 },
  'faint dashed': {
    colour: '--ink',
    strokeWidth: 1.25,
    strokeOpacity: 0.65,
    strokeDasharray: '5 4',
  },
  // of a second quantity of the same thing: its dash is that of the thing
  thin: { colour: '--ink', strokeWidth: 1 },
  'faint thin': { colour: '--ink', strokeWidth: 0.75, strokeOpacity: 0.65 },
} as const satisfies Record<string, object>;

export type LineKind = keyof typeof LINES;

/** The attributes of a line. @param colour CSS custom property, in place of the kind's own */
export function lineLook(kind: LineKind, colour?: string) {
  const { colour: usual, ...look } = LINES[kind];
  return { ...look, fill: 'none', stroke: `var(${colour ?? usual})` };
}

/** The attributes of a mark: filled with a rim that parts it from its neighbours, or open. */
export function markLook(colour: string, hollow: boolean) {
  return hollow
    ? { fill: 'var(--surface)', stroke: `var(${colour})`, strokeWidth: 1.6 }
    : { fill: `var(${colour})`, stroke: 'var(--surface)', strokeWidth: 1 };
}

/**
 * How a kept run looks when it is laid over a chart: a muted colour, an open mark and a dash of its own, the
 * same in every figure. Contract: colour is never the only sign.
 */
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
