/** Marks: one shape per series besides its colour, so that colour is never the only sign. */
export type MarkShape =
  | 'circle'
  | 'square'
  | 'triangle'
  | 'diamond'
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

export type LineKind = 'prediction' | 'rival' | 'fit' | 'trace';

export type LegendItem =
  | { name: string; mark: MarkShape; colour: string; hollow?: boolean }
  | { name: string; line: LineKind; colour?: string }
  | { name: string; band: true; colour?: string };

function Glyph({ item }: { item: LegendItem }) {
  const colour = item.colour === undefined ? {} : { color: `var(${item.colour})` };
  if ('mark' in item) {
    return (
      <svg width="16" height="16" aria-hidden="true" style={colour}>
        <path className="curve-bar" d="M8 0V16" />
        <path
          className={item.hollow === true ? 'curve-mark curve-mark-hollow' : 'curve-mark'}
          transform="translate(8,8)"
          d={markPath(item.mark, 4)}
        />
      </svg>
    );
  }
  return (
    <svg width="24" height="16" aria-hidden="true" style={colour}>
      {'line' in item ? (
        <path className={`curve-line curve-${item.line}`} d="M0 8H24" />
      ) : (
        <rect className="curve-band" width="24" height="10" y="3" />
      )}
    </svg>
  );
}

export function Legend({ items }: { items: readonly LegendItem[] }) {
  return (
    <ul className="legend" aria-label="Legend">
      {items.map((item) => (
        <li key={item.name}>
          <Glyph item={item} />
          {item.name}
        </li>
      ))}
    </ul>
  );
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
