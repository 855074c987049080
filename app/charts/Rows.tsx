/**
 * Rows of marks on one axis: one row per objective or format, one mark per figure, predictions as strokes.
 * Contract: rows stand in the order given; a row's exact values are read out together; what is null is said in
 * words instead of drawn; what lies outside the axis is held at its end.
 */
import { useCallback, useMemo, type ReactNode } from 'react';
import { held } from './axes';
import { Drawn, type Frame } from './frame';
import { ALONG_Y, type Readable, type Reading } from './interaction';
import { Marks, type Placed } from './marks/Marks';
import { endsOf } from './marks/Whiskers';
import { innerHeight, Plot } from './Plot';
import { Rule } from './Rule';
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

/** px from the foot of the k-th run laid over. @param level that of the row */
const laneOf = (level: number, k: number) => level - (k + 1) * LANE;

export function Rows({ label, rows, x, xLabel, show, marks = [], open }: RowsProps) {
  const lanes = Math.max(0, ...rows.map(({ laid }) => laid?.length ?? 0));
  const tall = ROW + lanes * LANE;
  const height = rows.length * tall + PAD;
  // One unit up is one px up, so that marks can stand a few px beside their row.
  const inner = innerHeight(height);
  const y = useMemo(() => linearScale([0, Math.max(1, inner)], 1), [inner]);
  /** px from the foot at which a row's marks stand */
  const levelOf = useCallback((row: number) => inner - row * tall - 0.8 * ROW, [inner, tall]);
  const series = useMemo(() => seriesOf(rows, x, levelOf), [rows, x, levelOf]);
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
      {marks.map(({ value, label: name, className }) => (
        <Rule
          key={name}
          along="x"
          at={value}
          className={className ?? 'axis-mark'}
          colour="--ink-faint"
          dash={className === undefined ? '2 3' : 'none'}
          name={name}
          down={-8}
        />
      ))}
      <Drawn>
        {(frame) =>
          rows.map((row, i) => (
            <RowLines key={row.name} row={row} level={levelOf(i)} frame={frame} />
          ))
        }
      </Drawn>
      <Drawn at="top">
        {(frame) =>
          rows.map(({ name, note }, i) => (
            <text key={name} className="row-name" x={2} y={frame.height - levelOf(i) - 9}>
              {name}
              {note !== undefined && (
                <tspan className="row-note" dx={6}>
                  {note}
                </tspan>
              )}
            </text>
          ))
        }
      </Drawn>
      {[...series].map(([colour, data]) => (
        <Marks key={colour} colour={colour} data={data} along="x" shape="circle" />
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

/** All marks of a colour are one series, which is quicker to draw than each on its own. */
function seriesOf(rows: readonly Row[], x: Scale, levelOf: (row: number) => number) {
  const byColour = new Map<string, Placed[]>();
  const add = (mark: RowMark, level: number) => {
    const { value, shape, colour, interval, filled = false, r = 4 } = mark;
    if (value === null || Number.isNaN(value)) return;
    const at = held(value, x);
    const own = byColour.get(colour) ?? [];
    byColour.set(colour, own);
    own.push({
      x: at,
      y: level,
      ends: endsOf(interval, x),
      look: { shape, hollow: !filled, r },
    });
  };
  rows.forEach(({ marks, laid = [] }, i) => {
    for (const mark of marks) add(mark, levelOf(i));
    laid.forEach((lane, k) => {
      for (const mark of lane.marks) add(mark, laneOf(levelOf(i), k));
    });
  });
  return byColour;
}

interface RowLinesProps {
  row: Row;
  /** px from the foot */
  level: number;
  frame: Frame;
}

/** The line that a row's marks stand on, and those of the runs laid over: by the dash which run each is. */
function RowLines({ row, level, frame }: RowLinesProps) {
  const y = frame.height - level;
  const placesOf = (marks: readonly RowMark[]) =>
    marks.flatMap(({ value }) => (value === null ? [] : [frame.x(held(value, frame.xScale))]));
  const own = placesOf(row.marks);
  return (
    <>
      <line className="row-line" x2={frame.width} y1={y} y2={y} />
      {row.range !== undefined && own.length > 1 && (
        <line
          x1={Math.min(...own)}
          x2={Math.max(...own)}
          y1={y}
          y2={y}
          stroke={`var(${row.range.colour})`}
          strokeWidth={2}
          strokeOpacity={0.5}
          {...(row.range.dashed ? { strokeDasharray: '3 3' } : {})}
        />
      )}
      {row.laid?.map(({ id, look, marks }, k) => {
        const theirs = placesOf(marks);
        const below = frame.height - laneOf(level, k);
        return (
          theirs.length > 0 && (
            <line
              key={id}
              className="overlay-series"
              x2={Math.max(...theirs)}
              y1={below}
              y2={below}
              stroke={`var(${look.colour})`}
              strokeWidth={1.5}
              strokeDasharray={look.dash}
            />
          )
        );
      })}
    </>
  );
}
