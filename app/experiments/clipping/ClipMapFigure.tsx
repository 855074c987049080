/** Both edges at once: the share clipped, or the gradient mass kept, over (ε low, ε high). */
import { useMemo } from 'react';
import type { ClippingResult } from '../../../src/experiments/clipping';
import type { ClipMap } from '../../../src/experiments/clipping';
import { Figure } from '../../figures/Figure';
import type { CurveLine } from '../../charts/ErrorBars';
import { HeatMap } from '../../charts/HeatMap';
import { overlayTable } from '../../charts/overlay';
import { logScale, shareText } from '../../charts/scale';
import { significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { CLIPPED_IDS } from '../../../src/math/objectives/registry';
import { bandText, libraryName, objectiveView } from '../../page/objective-views';
import type { Quantity } from './level-line';
import { levelLine } from './level-line';

const EVERY = 2;

/** Every second point of the grid, for the two sides do not overlap: their shares add up. */
function cellsOf(map: ClipMap, quantity: Quantity) {
  const keep = (values: Float64Array) => Array.from(values.filter((_, k) => k % EVERY === 0));
  const epsilon = keep(map.epsilon);
  const side = quantity === 'clipped' ? ('clipped' as const) : ('massLost' as const);
  const low = keep(map.low[side]);
  const high = keep(map.high[side]);
  const share = (column: number, row: number) => {
    const sum = (low[column] as number) + (high[row] as number);
    return quantity === 'clipped' ? sum : 1 - map.ceilingLost - sum;
  };
  // Shares fall with epsilon: the largest stands in the first cell.
  const full = quantity === 'clipped' ? Math.max(share(0, 0), 1e-12) : 1;
  return { epsilon, share, full };
}

function rowsOf(map: ClipMap, quantity: Quantity): string[][] {
  const { epsilon, share } = cellsOf(map, quantity);
  return epsilon
    .map((value, row) => [
      significant(value, 3),
      ...epsilon.map((_, column) => shareText(share(column, row))),
    ])
    .reverse();
}

/** The library's band, where the map has room for it: both edges, and on the axes. */
function ringOf({ low, high }: ClipMap['usual'], epsilon: readonly number[]) {
  const [first, last] = axisOf(epsilon);
  const inside = (x: number) => x >= first && x <= last;
  return low !== null && inside(low) && inside(high)
    ? { x: low, y: high, label: bandText({ low, high }) }
    : null;
}

/** The axis reaches half a step beyond the outer cells' centres. */
function axisOf(epsilon: readonly number[]): [number, number] {
  const first = epsilon[0] ?? 1e-5;
  const last = epsilon.at(-1) ?? 1;
  const half = (last / first) ** (0.5 / Math.max(1, epsilon.length - 1));
  return [first / half, last * half];
}

export function ClipMapFigure({
  quantity,
  result,
}: {
  quantity: Quantity;
  result: ClippingResult;
}) {
  const [wanted, setWanted] = usePageSetting('clipping', 'map');
  const map = result.maps.find(({ objective }) => objective === wanted) ?? result.maps[0];
  const cells = useMemo(() => (map === undefined ? null : cellsOf(map, quantity)), [map, quantity]);
  const scale = useMemo(() => logScale(axisOf(cells?.epsilon ?? []), 5), [cells?.epsilon]);
  const overlays = useOverlays('clipping');
  if (map === undefined || cells === null) return null;
  const { name, colour } = objectiveView(map.objective);
  const { epsilon, share, full } = cells;
  const { usual } = map;
  const ring = ringOf(usual, epsilon);
  const level = quantity === 'clipped' ? usual.clipped : usual.massKept;
  const theirMap = (own: ClippingResult) =>
    own.maps.find(({ objective }) => objective === map.objective);
  const contours: CurveLine[] =
    overlays.length === 0
      ? []
      : [
          { id: 'in view', kind: 'level', points: levelLine(map, quantity, level) },
          ...overlays.map(({ id, look, result: own }) => {
            const theirs = theirMap(own);
            const points = theirs === undefined ? [] : levelLine(theirs, quantity, level);
            return { id, kind: 'level' as const, colour: look.colour, dash: look.dash, points };
          }),
        ];
  const what = quantity === 'clipped' ? `share of ${map.unit} clipped` : 'gradient mass kept';
  const at = (i: number) => significant(epsilon[i] as number, 3);
  // A result is a new object with every batch; its shares change with the number of observations.
  const shareKey = `${map.objective} ${quantity} ${map.observations} ${result.mu} ${result.sigma}`;
  return (
    <Figure
      title="Map over both edges"
      controls={
        <select
          aria-label="Objective of the map"
          className="select-small"
          value={map.objective}
          onChange={(event) => {
            const next = CLIPPED_IDS.find((id) => id === event.target.value);
            if (next !== undefined) setWanted(next);
          }}
        >
          {result.maps.map(({ objective }) => (
            <option key={objective} value={objective}>
              {objectiveView(objective).name}
            </option>
          ))}
        </select>
      }
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['ε high \\ ε low', ...epsilon.map((_, i) => at(i))],
            rows: rowsOf(map, quantity),
          },
          (own) => {
            const theirs = theirMap(own);
            return theirs === undefined ? [] : rowsOf(theirs, quantity);
          },
        )
      }
      caption={
        <>
          {name}: {what}; a full tint is {shareText(full)}. At {libraryName(map.library)}’s default
          band, {bandText(usual)}, it clips {shareText(usual.clipped)} of the {map.unit} and keeps{' '}
          {shareText(usual.massKept)} of the gradient mass.
          {map.ceiling !== null &&
            ` Its ceiling, a ratio of ${significant(map.ceiling.ratio, 3)}${map.ceiling.negativeOnly ? ' where A < 0 (dual clip)' : ' (delta)'}, takes ${shareText(map.ceilingLost)} of it whatever ε is.`}
          {ring === null && ' That band is off the map.'}
          {overlays.length > 0 &&
            ` Lines: where each run ${quantity === 'clipped' ? 'clips' : 'keeps'} ${shareText(level)}, as the one in view does at that band; solid: the run in view.`}
        </>
      }
    >
      <HeatMap
        label={`${name}: ${what} over epsilon low and epsilon high`}
        columns={epsilon}
        rows={epsilon}
        share={(column, row) => share(column, row) / full}
        shareKey={shareKey}
        colour={colour}
        x={scale}
        y={scale}
        xLabel="ε low"
        yLabel="ε high"
        height={340}
        {...(ring === null ? {} : { ring })}
        contours={contours}
        describe={(column, row) => ({
          head: `epsilon low ${at(column)}, epsilon high ${at(row)}`,
          rows: [{ name: what, value: shareText(share(column, row)) }],
        })}
      />
    </Figure>
  );
}
