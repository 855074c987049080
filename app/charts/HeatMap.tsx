/**
 * A share over two axes, as tinted cells. Contract: the tint is linear in `share`, 0 untinted and 1 full;
 * the pointer or the arrow keys read a cell's exact share; marked cells carry a ring.
 */
import { memo, useState, type ReactNode } from 'react';
import { Plot, Tooltip, type Frame } from './Plot';
import { nearest } from './Curves';
import type { Scale } from './scale';

/** Where a run reaches one level. */
export interface Contour {
  id: string;
  /** CSS custom property */
  colour: string;
  /** SVG dash array; of the run in view none */
  dash?: string;
  /** ascending in x */
  points: readonly (readonly [x: number, y: number])[];
}

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
  contours?: readonly Contour[];
  describe: (column: number, row: number) => ReactNode;
  /** the same in words */
  say: (column: number, row: number) => string;
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
  say,
}: HeatMapProps) {
  const [near, setNear] = useState<{ column: number; row: number } | null>(null);
  const move = (dx: number, dy: number) =>
    setNear((now) => {
      const inside = (i: number, n: number) => Math.min(n - 1, Math.max(0, i));
      const from = now ?? { column: columns.length >> 1, row: rows.length >> 1 };
      return {
        column: inside(from.column + dx, columns.length),
        row: inside(from.row + dy, rows.length),
      };
    });
  const cellX = near === null ? undefined : columns[near.column];
  const cellY = near === null ? undefined : rows[near.row];
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      xLabel={xLabel}
      yLabel={yLabel}
      height={height}
      grid="none"
      interactive
      over={(frame) =>
        near === null || cellX === undefined || cellY === undefined ? null : (
          <Tooltip frame={frame} x={frame.x(cellX)} y={frame.y(cellY)}>
            {describe(near.column, near.row)}
          </Tooltip>
        )
      }
    >
      {(frame) => {
        const width = frame.width / columns.length;
        const tall = frame.height / rows.length;
        return (
          <>
            <g style={{ fill: `var(${colour})` }} shapeRendering="crispEdges">
              <Cells
                frame={frame}
                columns={columns.length}
                rows={rows.length}
                share={share}
                cellKey={`${shareKey} ${frame.width}x${frame.height}`}
              />
            </g>
            {contours.map(({ id, colour: own, dash, points }) => (
              <path
                key={id}
                className="overlay-line"
                style={{ color: `var(${own})` }}
                strokeDasharray={dash}
                d={points
                  .map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${frame.x(px)} ${frame.y(py)}`)
                  .join('')}
              />
            ))}
            {ring && (
              <g>
                <circle className="heat-ring" cx={frame.x(ring.x)} cy={frame.y(ring.y)} r={6} />
                <text
                  className="axis-mark-label heat-ring-label"
                  x={frame.x(ring.x) + (ring.x > x.invert(0.6) ? -10 : 10)}
                  y={frame.y(ring.y) + 4}
                  textAnchor={ring.x > x.invert(0.6) ? 'end' : 'start'}
                >
                  {ring.label}
                </text>
              </g>
            )}
            {near !== null && (
              <rect
                className="heat-cursor"
                x={near.column * width}
                y={(rows.length - 1 - near.row) * tall}
                width={width}
                height={tall}
              />
            )}
            <rect
              className="plot-hit"
              width={frame.width}
              height={frame.height}
              tabIndex={0}
              role="slider"
              aria-label={`${label}. Arrow keys read cells`}
              aria-valuemin={0}
              aria-valuemax={1}
              aria-valuenow={near === null ? 0 : share(near.column, near.row)}
              aria-valuetext={near === null ? 'no cell picked' : say(near.column, near.row)}
              onPointerMove={(event) => {
                const box = event.currentTarget.getBoundingClientRect();
                const along = (event.clientX - box.left) / Math.max(1, box.width);
                const up = 1 - (event.clientY - box.top) / Math.max(1, box.height);
                setNear({
                  column: nearest(columns, x.invert(along), x),
                  row: nearest(rows, y.invert(up), y),
                });
              }}
              onPointerLeave={() => setNear(null)}
              onBlur={() => setNear(null)}
              onKeyDown={(event) => {
                if (event.key === 'ArrowRight') move(1, 0);
                else if (event.key === 'ArrowLeft') move(-1, 0);
                else if (event.key === 'ArrowUp') move(0, 1);
                else if (event.key === 'ArrowDown') move(0, -1);
                else if (event.key === 'Escape') setNear(null);
                else return;
                event.preventDefault();
              }}
            />
          </>
        );
      }}
    </Plot>
  );
}

interface CellsProps {
  frame: Frame;
  columns: number;
  rows: number;
  share: (column: number, row: number) => number;
  cellKey: string;
}

/** A thousand rectangles, drawn again only when their shares or sizes change. */
const Cells = memo(
  function Cells({ frame, columns, rows, share }: CellsProps) {
    const width = frame.width / columns;
    const tall = frame.height / rows;
    return Array.from({ length: columns * rows }, (_, k) => {
      const column = k % columns;
      const row = Math.floor(k / columns);
      return (
        <rect
          key={k}
          x={column * width}
          y={(rows - 1 - row) * tall}
          width={width}
          height={tall}
          fillOpacity={Math.min(1, Math.max(0, share(column, row)))}
        />
      );
    });
  },
  (before, now) => before.cellKey === now.cellKey,
);
