/**
 * Rows of marks on one axis: one row per objective or format, one mark per figure, predictions as strokes.
 * Contract: rows stand in the order given; a row's exact values come on hover and on focus; what is null is
 * said in words instead of drawn.
 */
import { useState, type ReactNode } from 'react';
import type { OverlayLook } from './shapes';
import { Plot, Tooltip, type Frame } from './Plot';
import { linearScale, type Scale } from './scale';

export interface RowMark {
  name: string;
  value: number | null;
  shape: 'circle' | 'square' | 'stroke';
  colour: string;
  interval?: readonly [number, number] | null;
}

/** A row of a run laid over, below the same row of the run in view. */
export interface LaidRow {
  id: string;
  label: string;
  look: OverlayLook;
  marks: readonly RowMark[];
}

export interface Row {
  name: string;
  marks: readonly RowMark[];
  /** shown in place of marks, where there are none */
  none?: string;
  /** the same of runs laid over, each on a line of its own below */
  laid?: readonly LaidRow[];
}

interface RowsProps {
  label: string;
  rows: readonly Row[];
  x: Scale;
  xLabel: ReactNode;
  show: (value: number) => string;
  /** vertical lines */
  marks?: readonly { value: number; label: string }[];
}

const ROW = 34;
/** of a run laid over */
const LANE = 11;
const PAD = 32;

function place(frame: Frame, value: number): number {
  const at = frame.x(value);
  return Number.isFinite(at) ? Math.min(Math.max(at, 0), frame.width) : value > 0 ? frame.width : 0;
}

export function Rows({ label, rows, x, xLabel, show, marks = [] }: RowsProps) {
  const [near, setNear] = useState<number | null>(null);
  const lanes = Math.max(0, ...rows.map(({ laid }) => laid?.length ?? 0));
  const tall = ROW + lanes * LANE;
  const y = linearScale([-0.6, Math.max(rows.length, 1) - 0.4], 1);
  const level = (i: number) => rows.length - 1 - i;
  const words = (row: Row) =>
    row.marks
      .filter(({ value }) => value !== null)
      .map((mark) => `${mark.name} ${show(mark.value as number)}`)
      .join(', ');
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      yTicks={false}
      xLabel={xLabel}
      height={rows.length * tall + PAD + 8}
      left={12}
      grid="x"
      interactive
      over={(frame) => {
        const row = near === null ? undefined : rows[near];
        if (near === null || row === undefined) return null;
        const first = row.marks.find(({ value }) => value !== null);
        return (
          <Tooltip
            frame={frame}
            x={first === undefined ? 40 : place(frame, first.value as number)}
            y={frame.y(level(near))}
          >
            <div className="tooltip-head">{row.name}</div>
            {row.marks.map((mark) => (
              <div key={mark.name} className="tooltip-row">
                <span className="swatch" style={{ background: `var(${mark.colour})` }} />
                {mark.name}
                <b>
                  {mark.value === null ? 'none' : show(mark.value)}
                  {mark.interval && ` [${show(mark.interval[0])}, ${show(mark.interval[1])}]`}
                </b>
              </div>
            ))}
            {row.laid?.map((own) => (
              <div
                key={own.id}
                className="tooltip-row"
                style={{ color: `var(${own.look.colour})` }}
              >
                {own.label}
                <b>
                  {own.marks
                    .flatMap(({ value }) => (value === null ? [] : [show(value)]))
                    .join(', ') || 'none'}
                </b>
              </div>
            ))}
          </Tooltip>
        );
      }}
    >
      {(frame) => (
        <>
          {marks.map((mark) => (
            <g key={mark.label}>
              <line
                className="axis-mark"
                x1={place(frame, mark.value)}
                x2={place(frame, mark.value)}
                y2={frame.height}
              />
              <text className="axis-mark-label" x={place(frame, mark.value) + 4} y={4}>
                {mark.label}
              </text>
            </g>
          ))}
          {rows.map((row, i) => {
            const at = frame.y(level(i)) + 5 - (lanes * LANE) / 2;
            return (
              <g key={row.name}>
                <text className="row-name" x={2} y={at - 11}>
                  {row.name}
                  {row.none !== undefined && <tspan className="row-none"> {row.none}</tspan>}
                </text>
                <line className="row-line" x2={frame.width} y1={at} y2={at} />
                {row.marks.map((mark) =>
                  mark.value === null ? null : (
                    <Mark key={mark.name} frame={frame} mark={mark} at={at} value={mark.value} />
                  ),
                )}
                {row.laid?.map((own, lane) => (
                  <Lane key={own.id} frame={frame} own={own} at={at + (lane + 1) * LANE} />
                ))}
                <rect
                  className="plot-hit row-hit"
                  y={at - ROW / 2 - 5}
                  width={frame.width}
                  height={tall}
                  tabIndex={0}
                  role="img"
                  aria-label={`${row.name}: ${words(row) || (row.none ?? 'nothing')}`}
                  onPointerEnter={() => setNear(i)}
                  onPointerLeave={() => setNear(null)}
                  onFocus={() => setNear(i)}
                  onBlur={() => setNear(null)}
                />
              </g>
            );
          })}
        </>
      )}
    </Plot>
  );
}

/** One run's marks: which quantity each is, by the mark as in the row above; which run, by the dash. */
function Lane({ frame, own: { look, marks }, at }: { frame: Frame; own: LaidRow; at: number }) {
  const ends = marks.flatMap(({ value }) => (value === null ? [] : [place(frame, value)]));
  if (ends.length === 0) return null;
  return (
    <g className="lane">
      <line
        className="overlay-line overlay-series"
        style={{ color: `var(${look.colour})` }}
        strokeDasharray={look.dash}
        x2={Math.max(...ends)}
        y1={at}
        y2={at}
      />
      {marks.map((mark) =>
        mark.value === null ? null : (
          <Mark key={mark.name} frame={frame} mark={mark} at={at} value={mark.value} />
        ),
      )}
    </g>
  );
}

function Mark({
  frame,
  mark,
  at,
  value,
}: {
  frame: Frame;
  mark: RowMark;
  at: number;
  value: number;
}) {
  const px = place(frame, value);
  return (
    <g style={{ color: `var(${mark.colour})` }}>
      {mark.interval && (
        <line
          className="error-bar"
          x1={place(frame, mark.interval[0])}
          x2={place(frame, mark.interval[1])}
          y1={at}
          y2={at}
        />
      )}
      {mark.shape === 'circle' && <circle className="curve-point" cx={px} cy={at} r={4} />}
      {mark.shape === 'square' && (
        <rect className="curve-point" x={px - 3.6} y={at - 3.6} width={7.2} height={7.2} />
      )}
      {mark.shape === 'stroke' && (
        <line className="row-stroke" x1={px} x2={px} y1={at - 7} y2={at + 7} />
      )}
    </g>
  );
}
