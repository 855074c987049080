/**
 * Curves over one axis: predictions are lines, measurements are points with error bars, published values
 * are marks on the axis. Contract: the pointer or the arrow keys pick one position on the axis, and the
 * read-out has every curve's exact value there; nothing is interpolated.
 */
import { useState, type ReactNode } from 'react';
import { type OverlayLook, markPath } from './shapes';
import { Plot, Tooltip, type Frame } from './Plot';
import type { Scale } from './scale';
import { labelRows, labelSpan } from './axes';

export interface Curve {
  /** where names may come twice, as those of runs laid over; else the name */
  id?: string;
  name: string;
  /** CSS custom property that holds a colour */
  colour: string;
  kind: 'line' | 'dashed' | 'points';
  /** [n] ascending */
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** [n] around y */
  interval?: readonly (readonly [number, number] | null)[];
  shape?: 'circle' | 'square';
  /** of a run laid over: open marks of its own, joined by its dashes */
  overlay?: OverlayLook;
  /** stands behind the others */
  faint?: boolean;
}

export interface AxisMark {
  value: number;
  label: string;
  colour?: string;
}

interface CurvesProps {
  label: string;
  curves: readonly Curve[];
  x: Scale;
  y: Scale;
  xLabel: ReactNode;
  yLabel: string;
  height: number;
  left?: number;
  marks?: readonly AxisMark[];
  /** horizontal reference */
  level?: number;
  showX: (x: number) => string;
  showY: (y: number) => string;
  /** several plots with one crosshair: the position picked in any of them, and how to pick one */
  cursor?: Cursor;
}

export interface Cursor {
  /** value on the x axis; null: none */
  at: number | null;
  pick(at: number | null): void;
}

/** Index of the entry nearest to `value` on the scale. */
export function nearest(values: ArrayLike<number>, value: number, scale: Scale): number {
  let best = 0;
  let least = Infinity;
  for (let i = 0; i < values.length; i++) {
    const distance = Math.abs(scale.at(values[i] as number) - scale.at(value));
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

/** Pixels, held inside the plotting area so that a log axis can show a zero at its foot. */
function place(frame: Frame, y: number): number {
  const at = frame.y(y);
  return Number.isFinite(at) ? Math.min(Math.max(at, 0), frame.height) : frame.height;
}

function path(frame: Frame, { x, y }: Curve): string {
  let d = '';
  for (let i = 0; i < x.length; i++) {
    const value = y[i] as number;
    if (Number.isNaN(value)) continue;
    d += `${d === '' ? 'M' : 'L'}${frame.x(x[i] as number).toFixed(1)} ${place(frame, value).toFixed(1)}`;
  }
  return d;
}

export function Curves({
  label,
  curves,
  x,
  y,
  xLabel,
  yLabel,
  height,
  left = 52,
  marks = [],
  level,
  showX,
  showY,
  cursor,
}: CurvesProps) {
  const [own, setOwn] = useState<number | null>(null);
  const positions = [...new Set(curves.flatMap((curve) => Array.from(curve.x)))].sort(
    (a, b) => a - b,
  );
  const picked = cursor === undefined ? own : cursor.at;
  const near = picked === null || positions.length === 0 ? null : nearest(positions, picked, x);
  const at = near === null ? undefined : positions[near];
  const setNear = (index: number | null) =>
    (cursor?.pick ?? setOwn)(index === null ? null : (positions[index] ?? null));
  const rows =
    at === undefined
      ? []
      : curves.flatMap((curve) => {
          if (curve.x.length === 0) return [];
          const i = nearest(curve.x, at, x);
          // Only what lies at this very position.
          if (Math.abs(x.at(curve.x[i] as number) - x.at(at)) > 0.004) return [];
          const interval = curve.interval?.[i] ?? null;
          const text =
            showY(curve.y[i] as number) +
            (interval === null ? '' : ` [${showY(interval[0])}, ${showY(interval[1])}]`);
          return [{ id: curve.id ?? curve.name, name: curve.name, colour: curve.colour, text }];
        });
  const step = (by: number) =>
    setNear(
      Math.min(positions.length - 1, Math.max(0, (near ?? Math.floor(positions.length / 2)) + by)),
    );
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      xLabel={xLabel}
      yLabel={yLabel}
      height={height}
      left={left}
      interactive
      over={(frame) =>
        at === undefined ? null : (
          <Tooltip frame={frame} x={frame.x(at)} y={12}>
            <div className="tooltip-head">{showX(at)}</div>
            {rows.map((row) => (
              <div key={row.id} className="tooltip-row">
                <span className="swatch" style={{ background: `var(${row.colour})` }} />
                {row.name} <b>{row.text}</b>
              </div>
            ))}
          </Tooltip>
        )
      }
    >
      {(frame) => (
        <>
          {level !== undefined && (
            <line
              className="reference-line"
              x2={frame.width}
              y1={place(frame, level)}
              y2={place(frame, level)}
            />
          )}
          <AxisMarks marks={marks} frame={frame} />
          {curves.map((curve) => (
            <g key={curve.id ?? curve.name} style={{ color: `var(${curve.colour})` }}>
              {curve.kind !== 'points' ? (
                <path
                  className={`curve curve-${curve.kind} ${curve.faint ? 'curve-faint' : ''}`}
                  d={path(frame, curve)}
                />
              ) : (
                <Points frame={frame} curve={curve} />
              )}
            </g>
          ))}
          {at !== undefined && (
            <line
              className="cursor-line"
              x1={frame.x(at)}
              x2={frame.x(at)}
              y2={frame.height}
              pointerEvents="none"
            />
          )}
          <rect
            className="plot-hit"
            width={frame.width}
            height={frame.height}
            tabIndex={0}
            role="slider"
            aria-label={`${label}. Arrow keys read values`}
            aria-valuemin={0}
            aria-valuemax={Math.max(0, positions.length - 1)}
            aria-valuenow={near ?? 0}
            aria-valuetext={
              at === undefined
                ? 'no position picked'
                : `${showX(at)}: ${rows.map(({ name, text }) => `${name} ${text}`).join(', ')}`
            }
            onPointerMove={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              const share = (event.clientX - box.left) / Math.max(1, box.width);
              setNear(nearest(positions, x.invert(share), x));
            }}
            onPointerLeave={() => setNear(null)}
            onBlur={() => setNear(null)}
            onKeyDown={(event) => {
              if (event.key === 'ArrowRight') step(1);
              else if (event.key === 'ArrowLeft') step(-1);
              else if (event.key === 'Escape') setNear(null);
              else return;
              event.preventDefault();
            }}
          />
        </>
      )}
    </Plot>
  );
}

function AxisMarks({ marks, frame }: { marks: readonly AxisMark[]; frame: Frame }) {
  const spans = marks.map(({ value, label }) => labelSpan(frame.x(value), label, frame.width));
  const rows = labelRows(spans);
  return marks.map(({ value, label, colour = '--ink-faint' }, i) => {
    const { from = 0, to = 0, end = false } = spans[i] ?? {};
    return (
      <g key={label} style={{ color: `var(${colour})` }}>
        <line className="axis-mark" x1={frame.x(value)} x2={frame.x(value)} y2={frame.height} />
        <text
          className="axis-mark-label"
          x={end ? to : from}
          y={10 + 13 * (rows[i] ?? 0)}
          textAnchor={end ? 'end' : 'start'}
        >
          {label}
        </text>
      </g>
    );
  });
}

function Points({ frame, curve }: { frame: Frame; curve: Curve }) {
  const { overlay } = curve;
  const marks = Array.from(curve.x, (value, i) => {
    const y = curve.y[i] as number;
    if (Number.isNaN(y)) return null;
    const px = frame.x(value);
    const py = place(frame, y);
    const interval = curve.interval?.[i] ?? null;
    return (
      <g key={i}>
        {interval !== null && (
          <line
            className="error-bar"
            x1={px}
            x2={px}
            y1={place(frame, interval[0])}
            y2={place(frame, interval[1])}
          />
        )}
        {overlay !== undefined ? (
          <path
            className="overlay-mark"
            transform={`translate(${px.toFixed(1)},${py.toFixed(1)})`}
            d={markPath(overlay.shape, 3.4)}
          />
        ) : curve.shape === 'square' ? (
          <rect className="curve-point" x={px - 2.8} y={py - 2.8} width={5.6} height={5.6} />
        ) : (
          <circle className="curve-point" cx={px} cy={py} r={3} />
        )}
      </g>
    );
  });
  if (overlay === undefined) return marks;
  return (
    <g className="overlay-series">
      <path className="overlay-line" strokeDasharray={overlay.dash} d={path(frame, curve)} />
      {marks}
    </g>
  );
}

/** Lines and points with their names, above a plot. */
export function CurveLegend({
  entries,
}: {
  entries: readonly Pick<Curve, 'name' | 'colour' | 'kind' | 'shape'>[];
}) {
  return (
    <ul className="legend" aria-label="Legend">
      {entries.map(({ name, colour, kind, shape }) => (
        <li key={name} style={{ color: `var(${colour})` }}>
          <svg width="20" height="12" aria-hidden="true">
            {kind === 'points' ? (
              shape === 'square' ? (
                <rect className="curve-point" x="7" y="3" width="6" height="6" />
              ) : (
                <circle className="curve-point" cx="10" cy="6" r="3.2" />
              )
            ) : (
              <path className={`curve curve-${kind}`} d="M1 6H19" />
            )}
          </svg>
          <span className="legend-name">{name}</span>
        </li>
      ))}
    </ul>
  );
}
