/** A share over two axes, as tinted cells. Contract: the tint is linear in the share, 0 untinted and 1 full. */
import { memo } from 'react';
import { Drawn, type Frame } from '../frame';

interface HeatCellsProps {
  columns: number;
  rows: number;
  /** at (column, row), rows from below */
  share: (column: number, row: number) => number;
  /** changes when `share` does */
  shareKey: string;
  /** CSS custom property */
  colour: string;
}

export function HeatCells(props: HeatCellsProps) {
  return <Drawn>{(frame) => <Cells {...props} frame={frame} />}</Drawn>;
}

/** A thousand rectangles, drawn again only when their shares or sizes change. */
const Cells = memo(
  function Cells({ frame, columns, rows, share, colour }: HeatCellsProps & { frame: Frame }) {
    const width = frame.width / columns;
    const tall = frame.height / rows;
    return (
      <g style={{ fill: `var(${colour})` }} shapeRendering="crispEdges">
        {Array.from({ length: columns * rows }, (_, k) => {
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
        })}
      </g>
    );
  },
  (before, now) =>
    before.shareKey === now.shareKey &&
    before.colour === now.colour &&
    before.frame.width === now.frame.width &&
    before.frame.height === now.frame.height,
);
