/**
 * What `ErrorBars` draws: marks with their intervals, lines, bands and rules, in pixels of a frame.
 * Contract: what is not finite or far outside the axes becomes a place just outside the frame.
 */
import type { Frame } from './Plot';
import { type LineKind, markPath, type MarkShape } from './shapes';

export interface Mark {
  x: number;
  y: number;
  interval: readonly [number, number] | null;
  /** drawn open: there, but not to be relied on, or the second of two series */
  hollow?: boolean;
}

/** What is said about one mark, to the eye and to the ear. */
export interface MarkWords {
  head: string;
  rows: readonly (readonly [name: string, value: string])[];
}

export interface MarkSeries {
  id: string;
  /** CSS custom property */
  colour: string;
  shape: MarkShape;
  marks: readonly Mark[];
  /** px to the right, where two series share their lengths */
  dodge?: number;
  /** of a run laid over: its SVG dash array; joined by a line, and not a stop of the keyboard */
  overlay?: string;
  describe(index: number): MarkWords;
}

export interface CurveLine {
  id: string;
  kind: LineKind;
  /** CSS custom property; predictions have the ink's */
  colour?: string;
  points: readonly (readonly [number, number])[];
}

export interface CurveBand {
  id: string;
  points: readonly (readonly [x: number, low: number, high: number])[];
}

/** A value that matters, drawn across the plot. */
export interface Rule {
  /** the axis that `at` lies on */
  along: 'x' | 'y';
  at: number;
  label: string;
  kind?: 'prediction' | 'reference';
}

export interface Near {
  series: string;
  index: number;
}

/** Pixels inside or somewhat beyond the frame: SVG does not take infinities. */
const within = (px: number, size: number) =>
  Number.isNaN(px) ? 2 * size : Math.min(2 * size, Math.max(-size, px));

/** The same, held inside the frame. */
export const inside = (px: number, size: number) => Math.min(size, Math.max(0, within(px, size)));

export function linePath(points: CurveLine['points'], frame: Frame): string {
  return points
    .map(([x, y], i) => {
      const px = within(frame.x(x), frame.width).toFixed(2);
      const py = within(frame.y(y), frame.height).toFixed(2);
      return `${i === 0 ? 'M' : 'L'}${px} ${py}`;
    })
    .join('');
}

export function bandPath(points: CurveBand['points'], frame: Frame): string {
  const low = points.map(([x, y]): [number, number] => [x, y]);
  const high = points.map(([x, , y]): [number, number] => [x, y]).reverse();
  return low.length === 0 ? '' : `${linePath([...low, ...high], frame)}Z`;
}

export function RuleLine({ rule, frame }: { rule: Rule; frame: Frame }) {
  const { along, at, label, kind = 'reference' } = rule;
  const upright = along === 'x';
  const px = upright ? frame.x(at) : frame.y(at);
  if (!(px >= 0 && px <= (upright ? frame.width : frame.height))) return null;
  const ends = upright ? { x1: px, x2: px, y2: frame.height } : { y1: px, y2: px, x2: frame.width };
  const late = upright && px > frame.width / 2;
  return (
    <>
      <line className={`${kind}-line`} {...ends} />
      <text
        className="curve-rule-name"
        x={upright ? px + (late ? -5 : 5) : frame.width - 4}
        y={upright ? 11 : px - 5}
        textAnchor={!upright || late ? 'end' : 'start'}
      >
        {label}
      </text>
    </>
  );
}

interface MarksProps {
  series: MarkSeries;
  frame: Frame;
  near: number | null;
  /** the mark that the tab key reaches */
  stop: number | null;
  onFocus: (index: number) => void;
  onBlur: () => void;
}

export function Marks({ series, frame, near, stop, onFocus, onBlur }: MarksProps) {
  const { id, colour, shape, marks, describe, dodge = 0, overlay } = series;
  return (
    <g
      style={{ color: `var(${colour})` }}
      {...(overlay === undefined ? {} : { className: 'overlay-series' })}
    >
      {overlay !== undefined && (
        <path
          className="overlay-line"
          strokeDasharray={overlay}
          transform={`translate(${dodge},0)`}
          d={linePath(
            marks.map(({ x, y }) => [x, y]),
            frame,
          )}
        />
      )}
      {marks.map(({ x, y, interval, hollow }, index) => {
        const px = within(frame.x(x) + dodge, frame.width);
        const py = within(frame.y(y), frame.height);
        const { head, rows } = describe(index);
        const hollowClass = hollow === true ? 'curve-mark-hollow' : '';
        return (
          <g key={index}>
            {interval !== null && (
              <line
                className="curve-bar"
                x1={px}
                x2={px}
                y1={within(frame.y(interval[0]), frame.height)}
                y2={within(frame.y(interval[1]), frame.height)}
              />
            )}
            <path
              data-mark={`${id} ${index}`}
              className={`curve-mark ${hollowClass} ${near === index ? 'curve-mark-near' : ''}`}
              transform={`translate(${px.toFixed(2)},${py.toFixed(2)})`}
              d={markPath(shape, near === index ? 5.5 : 4)}
              role="img"
              tabIndex={index === stop ? 0 : -1}
              aria-label={`${head}: ${rows.map((row) => row.join(' ')).join(', ')}`}
              onFocus={() => onFocus(index)}
              onBlur={onBlur}
            />
          </g>
        );
      })}
    </g>
  );
}

/** The hatching that marks recorded data, one SVG pattern per colour. */
export function Hatch({ id, colour }: { id: string; colour: string }) {
  return (
    <pattern
      id={id}
      width="5"
      height="5"
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"
    >
      <rect width="5" height="5" fill={`var(${colour})`} opacity="0.1" />
      <line y2="5" stroke={`var(${colour})`} strokeWidth="2" opacity="0.75" />
    </pattern>
  );
}
