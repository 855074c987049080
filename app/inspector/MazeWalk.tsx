/**
 * A response to a maze as the walk that it is: walls, start, goal, the cells walked through, and where the walk stands
 * at the token that is read. Contract: the picture is of legal moves alone; what came after the first illegal one is
 * said in words.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import type { SequenceDetail } from '../../src/engine/lab/protocol';
import './maze.css';

/** px of a cell */
const CELL = 28;

interface Props {
  walk: NonNullable<SequenceDetail['walk']>;
  /** token that is read: moves and cells take turns */
  at: number;
}

export default function MazeWalk({ walk, at }: Props) {
  const { maze, names, cells, moves, arrived } = walk;
  const { rows, columns, open, start, goal } = maze;
  const made = Math.min(cells.length - 1, Math.floor((at + 1) / 2));
  const x = (cell: number) => (cell % columns) * CELL + CELL / 2;
  const y = (cell: number) => Math.floor(cell / columns) * CELL + CELL / 2;
  // Ways there and back lie side by side.
  const point = (cell: number, step: number) => {
    const aside = ((step % 5) - 2) * 1.6;
    return `${x(cell) + aside},${y(cell) + aside}`;
  };
  const path = cells.map(point);
  const here = cells[made] ?? start;
  const legal = cells.length - 1;
  const words = arrived
    ? t`reaches the goal in ${legal} moves`
    : legal < moves
      ? t`${legal} legal moves, then one that leads nowhere`
      : t`${legal} legal moves, and not at the goal where it ends`;
  return (
    <figure className="maze">
      <svg
        viewBox={`0 0 ${columns * CELL} ${rows * CELL}`}
        width={columns * CELL}
        role="img"
        aria-label={t`Maze of ${rows} by ${columns} cells, from ${names[start] ?? ''} to ${names[goal] ?? ''}: ${words}; at this token in cell ${names[here] ?? ''}`}
      >
        {open.map((free, cell) => (
          <rect
            key={cell}
            className={free ? 'maze-open' : 'maze-wall'}
            x={(cell % columns) * CELL}
            y={Math.floor(cell / columns) * CELL}
            width={CELL}
            height={CELL}
          />
        ))}
        {open.map(
          (free, cell) =>
            free && (
              <text key={cell} className="maze-name" x={x(cell) - CELL / 2 + 3} y={y(cell) - 4}>
                {names[cell]}
              </text>
            ),
        )}
        <rect
          className="maze-goal"
          x={x(goal) - CELL / 2 + 3}
          y={y(goal) - CELL / 2 + 3}
          width={CELL - 6}
          height={CELL - 6}
        />
        <polyline className="maze-ahead" points={path.join(' ')} />
        <polyline className="maze-path" points={path.slice(0, made + 1).join(' ')} />
        <circle className="maze-start" cx={x(start)} cy={y(start)} r={5} />
        <circle className="maze-here" cx={x(here)} cy={y(here)} r={7} />
      </svg>
      <figcaption className="small muted">
        <Trans>
          The response {words}. Ring: where it stands at the token that is read; square: the goal.
        </Trans>
      </figcaption>
    </figure>
  );
}
