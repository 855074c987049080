/**
 * Rows of marks on one axis: one row per objective or format, one mark per figure, predictions as strokes.
 * Contract: rows stand in the order given; a row's exact values are read out together; what is null is said in
 * words instead of drawn; what lies outside the axis is held at its end.
 */
import { useMemo, type ReactNode } from 'react';
import { ErrorBar, ReferenceLine, Scatter } from 'recharts';
import { held } from './axes';
import { ALONG_Y, type Readable, type Reading } from './interaction';
import { useSymbol } from './marks/MarkSymbol';
import { innerHeight, Plot } from './Plot';
import { linearScale, type Scale } from './scale';
import type { MarkShape, OverlayLook } from './shapes';

export interface RowMark {
  name: string;
  value: number | null;
  shape: MarkShape;
  colour: string;
  interval?: readonly [number, number] | null;
  /** filled; open unless told */
  filled?: boolean;
  /** px */
  r?: number;
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
  /** shown beside the name: why there are no marks, or a figure */
  note?: string;
  /** of the row's own line, where it has one from its first mark to its last */
  range?: { colour: string; dashed: boolean };
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
  marks?: readonly { value: number; label: string; className?: string }[];
  /** what is behind a row */
  open?: ((row: number) => void) | undefined;
}

/** px of a row, of which the name takes the upper part */
const ROW = 36;
/** px more for each run laid over */
const LANE = 11;
const PAD = 40;

export function Rows({ label, rows, x, xLabel, show, marks = [], open }: RowsProps) {
  const lanes = Math.max(0, ...rows.map(({ laid }) => laid?.length ?? 0));
  const tall = ROW + lanes * LANE;
  const height = rows.length * tall + PAD;
  // One unit up is one px up, so that marks can stand a few px beside their row.
  const inner = innerHeight(height);
  const y = useMemo(() => linearScale([0, Math.max(1, inner)], 1), [inner]);
  /** px from the foot at which a row's marks stand */
  const levelOf = (row: number) => inner - row * tall - 0.8 * ROW;
  const readable: Readable = {
    stops: rows.map((row, i) => ({
      x: row.marks.find(({ value }) => value !== null)?.value ?? x.domain[0],
      y: levelOf(i),
    })),
    reach: ALONG_Y,
    down: 1,
    mark: (index, frame) => (
      <rect
        className="plot-near-row"
        y={inner - levelOf(index) - 0.8 * ROW + 2}
        width={frame.width}
        height={tall}
      />
    ),
    read: (index) => readingOf(rows[index], show),
    open,
  };
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      yTicks={false}
      xLabel={xLabel}
      height={height}
      left={12}
      grid="x"
      readable={readable}
    >
      {marks.map((mark) => (
        <ReferenceLine
          key={mark.label}
          className={mark.className ?? 'axis-mark'}
          x={mark.value}
          stroke="var(--ink-faint)"
          strokeDasharray={mark.className === undefined ? '2 3' : 'none'}
          label={{
            value: mark.label,
            className: 'axis-mark-label',
            fill: 'var(--ink-faint)',
            position: 'insideTopLeft',
            offset: 4,
            dy: -8,
          }}
        />
      ))}
      {rows.map((row, i) => (
        <RowOf key={row.name} row={row} level={levelOf(i)} x={x} />
      ))}
    </Plot>
  );
}

function readingOf(row: Row | undefined, show: (value: number) => string): Reading | null {
  if (row === undefined) return null;
  const own = row.marks.map(({ name, value, colour, interval }) => ({
    name,
    colour,
    value:
      value === null
        ? 'none'
        : show(value) + (interval ? ` [${show(interval[0])}, ${show(interval[1])}]` : ''),
  }));
  const laid = (row.laid ?? []).map(({ label, look, marks }) => ({
    name: label,
    colour: look.colour,
    value: marks.flatMap(({ value }) => (value === null ? [] : [show(value)])).join(', ') || 'none',
  }));
  const said = row.note === undefined || own.length > 0 ? [] : [{ name: row.note, value: '' }];
  return { head: row.name, rows: [...own, ...said, ...laid] };
}

interface RowOfProps {
  row: Row;
  /** px from the foot */
  level: number;
  x: Scale;
}

function RowOf({ row, level, x }: RowOfProps) {
  const values = row.marks.flatMap(({ value }) => (value === null ? [] : [held(value, x)]));
  return (
    <>
      <ReferenceLine
        className="row-line"
        y={level}
        stroke="var(--line)"
        label={({ viewBox }: { viewBox: { x: number; y: number } }) => (
          <text className="row-name" x={viewBox.x + 2} y={viewBox.y - 9}>
            {row.name}
            {row.note !== undefined && (
              <tspan className="row-note" dx={6}>
                {row.note}
              </tspan>
            )}
          </text>
        )}
      />
      {row.range !== undefined && values.length > 1 && (
        <ReferenceLine
          segment={[
            { x: Math.min(...values), y: level },
            { x: Math.max(...values), y: level },
          ]}
          stroke={`var(${row.range.colour})`}
          strokeWidth={2}
          strokeOpacity={0.5}
          {...(row.range.dashed ? { strokeDasharray: '3 3' } : {})}
        />
      )}
      {row.marks.map((mark) => (
        <MarkAt key={mark.name} mark={mark} level={level} x={x} />
      ))}
      {row.laid?.map((own, lane) => (
        <Lane key={own.id} own={own} level={level - (lane + 1) * LANE} x={x} />
      ))}
    </>
  );
}

/** One run's marks: which quantity each is, by the mark as in the row above; which run, by the dash. */
function Lane({ own: { look, marks }, level, x }: { own: LaidRow; level: number; x: Scale }) {
  const ends = marks.flatMap(({ value }) => (value === null ? [] : [held(value, x)]));
  if (ends.length === 0) return null;
  return (
    <>
      <ReferenceLine
        className="overlay-series"
        segment={[
          { x: x.domain[0], y: level },
          { x: Math.max(...ends), y: level },
        ]}
        stroke={`var(${look.colour})`}
        strokeWidth={1.5}
        strokeDasharray={look.dash}
      />
      {marks.map((mark) => (
        <MarkAt key={mark.name} mark={mark} level={level} x={x} />
      ))}
    </>
  );
}

function MarkAt({ mark, level, x }: { mark: RowMark; level: number; x: Scale }) {
  const { value, shape, colour, interval, filled = false, r = 4 } = mark;
  const data = useMemo(() => {
    if (value === null || Number.isNaN(value)) return [];
    const at = held(value, x);
    const error = interval ? [at - held(interval[0], x), held(interval[1], x) - at] : undefined;
    return [{ x: at, y: level, error }];
  }, [value, interval, level, x]);
  const symbol = useSymbol({ shape, colour, hollow: !filled, r });
  return (
    <Scatter
      className="plot-series"
      data={data}
      dataKey="y"
      shape={symbol}
      fill={`var(${colour})`}
      isAnimationActive={false}
      legendType="none"
    >
      {interval && (
        <ErrorBar
          dataKey="error"
          direction="x"
          width={0}
          stroke={`var(${colour})`}
          strokeWidth={1.5}
          isAnimationActive={false}
        />
      )}
    </Scatter>
  );
}
