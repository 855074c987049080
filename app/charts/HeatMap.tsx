/**
 * A share over two axes, as tinted cells. Contract: pointer, touch and keys read a cell's exact share; the ring
 * marks what is usual, and contours where runs reach one level.
 */
import { useMemo, type ReactNode } from 'react';
import { ReferenceDot } from 'recharts';
import { DrawnLine, type CurveLine } from './ErrorBars';
import { ANYWHERE, type Readable, type Reading } from './interaction';
import { HeatCells } from './marks/HeatCells';
import { Plot } from './Plot';
import type { Scale } from './scale';

interface HeatMapProps {
  label: string;
  /** [columns], [rows] cell centres, ascending, in equal steps of their scales */
  columns: readonly number[];
  rows: readonly number[];
  /** share at (column, row) */
  share: (column: number, row: number) => number;
  /** changes when `share` does */
  shareKey: string;
  colour: string;
  x: Scale;
  y: Scale;
  xLabel: ReactNode;
  yLabel: string;
  height: number;
  ring?: { x: number; y: number; label: string };
  /** where runs reach one level */
  contours?: readonly CurveLine[];
  describe: (column: number, row: number) => Reading;
}

export function HeatMap({
  label,
  columns,
  rows,
  share,
  shareKey,
  colour,
  x,
  y,
  xLabel,
  yLabel,
  height,
  ring,
  contours = [],
  describe,
}: HeatMapProps) {
  const stops = useMemo(
    () => rows.flatMap((py) => columns.map((px) => ({ x: px, y: py }))),
    [columns, rows],
  );
  const readable: Readable = {
    stops,
    reach: ANYWHERE,
    down: -columns.length,
    read: (index) => describe(index % columns.length, Math.floor(index / columns.length)),
    mark: (index, frame) => {
      const width = frame.width / columns.length;
      const tall = frame.height / rows.length;
      return (
        <rect
          className="heat-cursor"
          x={(index % columns.length) * width}
          y={(rows.length - 1 - Math.floor(index / columns.length)) * tall}
          width={width}
          height={tall}
        />
      );
    },
  };
  const late = ring !== undefined && x.at(ring.x) > 0.6;
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      xLabel={xLabel}
      yLabel={yLabel}
      height={height}
      grid="none"
      readable={readable}
    >
      <HeatCells
        columns={columns.length}
        rows={rows.length}
        share={share}
        shareKey={shareKey}
        colour={colour}
      />
      {contours.map((contour) => (
        <DrawnLine key={contour.id} line={contour} />
      ))}
      {ring && (
        <ReferenceDot
          fill="none"
          stroke="var(--ink)"
          strokeWidth={2}
          x={ring.x}
          y={ring.y}
          r={6}
          label={{
            value: ring.label,
            className: 'axis-mark-label heat-ring-label',
            fill: 'var(--ink)',
            position: late ? 'left' : 'right',
            offset: 6,
          }}
        />
      )}
    </Plot>
  );
}
