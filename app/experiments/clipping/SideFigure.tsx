/** One edge of the band: share clipped, or gradient mass kept, against ε, predicted beside measured. */
import { useMemo } from 'react';
import type { ClippingResult } from '../../../src/experiments/clipping';
import type { ClipMap } from '../../../src/experiments/clipping';
import { CurveLegend, Curves, type AxisMark, type Curve } from '../../charts/Curves';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayCurves } from '../../charts/overlay';
import { countCeiling, logScale, percentScale, shareText } from '../../charts/scale';
import { significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { Choice } from '../../page/Choice';
import { epsilonText, objectiveView } from '../../page/objective-views';
import type { Quantity } from './level-line';

const SIDES = {
  low: {
    title: 'Lower edge, 1 − ε',
    what: 'A ratio below 1 − ε is clipped where A < 0.',
  },
  high: {
    title: 'Upper edge, 1 + ε',
    what: 'A ratio above 1 + ε is clipped where A > 0.',
  },
} as const;

/** Measured points are thinned to every second one: 31 on six decades. */
const EVERY = 2;
const LOG_FLOOR = 1e-5;
const AXIS = [1e-5, 1] as const;

/** The objectives that have this edge: CISPO has no lower one. */
function withEdge({ maps }: ClippingResult, side: 'low' | 'high'): ClipMap[] {
  return maps.filter(({ usual }) => usual[side] !== null);
}

/** The libraries' default epsilons on the axis; objectives that share one share the mark. */
function marksOf(maps: readonly ClipMap[], side: 'low' | 'high'): AxisMark[] {
  const at = new Map<number, ClipMap[]>();
  for (const map of maps) {
    const epsilon = map.usual[side];
    if (epsilon === null || epsilon < AXIS[0] || epsilon > AXIS[1]) continue;
    at.set(epsilon, [...(at.get(epsilon) ?? []), map]);
  }
  return [...at].map(([value, own]) => {
    const views = own.map(({ objective }) => objectiveView(objective));
    const [first, second] = views;
    const names =
      views.length > 2
        ? `${first?.name} and ${views.length - 1} more`
        : views.map(({ name }) => name).join(', ');
    return {
      value,
      label: `${names} ${epsilonText(value)}`,
      ...(first !== undefined && second === undefined ? { colour: first.colour } : {}),
    };
  });
}

function curvesOf(map: ClipMap, side: 'low' | 'high', quantity: Quantity): Curve[] {
  const { name, colour } = objectiveView(map.objective);
  const data = map[side];
  const keep = (values: Float64Array) => values.filter((_, k) => k % EVERY === 0);
  const measured = quantity === 'clipped' ? data.clipped : data.massLost.map((lost) => 1 - lost);
  return [
    ...(quantity === 'clipped' && data.predictedClipped !== null
      ? [
          {
            name: `${name}, predicted`,
            colour,
            kind: 'line' as const,
            x: map.epsilon,
            y: data.predictedClipped,
          },
        ]
      : []),
    {
      name: `${name}, measured`,
      colour,
      kind: 'points' as const,
      x: keep(map.epsilon),
      y: keep(measured),
      shape: map.unit === 'tokens' ? ('square' as const) : ('circle' as const),
    },
  ];
}

export function SideFigure({
  side,
  quantity,
  result,
  axesKey,
}: {
  axesKey: string;
  side: 'low' | 'high';
  quantity: Quantity;
  result: ClippingResult;
}) {
  const [axis, setAxis] = usePageSetting('clipping', side === 'low' ? 'lowAxis' : 'highAxis');
  const maps = useMemo(() => withEdge(result, side), [result, side]);
  const overlays = useOverlays('clipping');
  const curves = useMemo(
    () => maps.flatMap((map) => curvesOf(map, side, quantity)),
    [maps, side, quantity],
  );
  const drawn = useMemo(
    () => [
      ...overlayCurves(overlays, (own) =>
        withEdge(own, side).flatMap((map) => curvesOf(map, side, quantity)),
      ),
      ...curves,
    ],
    [overlays, curves, side, quantity],
  );
  const x = useMemo(() => logScale(AXIS, 5), []);
  const largest = Math.max(...drawn.flatMap((curve) => Array.from(curve.y)), 0.01);
  const ceiling = countCeiling(largest * 100) / 100;
  const [, high] = useStableDomain(
    // Only gradient mass can exceed 1: GMPO's lower edge adds to it.
    [0, quantity === 'clipped' || largest <= 1 ? Math.min(1, ceiling) : ceiling],
    `${axesKey} ${quantity} ${maps.map(({ objective }) => objective).join()}`,
  );
  const y = useMemo(
    () =>
      axis === 'log'
        ? logScale([LOG_FLOOR, 1], 5)
        : percentScale(quantity === 'clipped' ? high : Math.max(1, high)),
    [axis, quantity, high],
  );
  const marks = marksOf(maps, side);
  const { title, what } = SIDES[side];
  const quantityName = quantity === 'clipped' ? 'share clipped' : 'gradient mass kept';
  return (
    <Figure
      title={title}
      controls={
        <Choice<'linear' | 'log'>
          label="Vertical axis"
          value={axis}
          choices={[
            { value: 'linear', name: 'linear' },
            { value: 'log', name: 'log' },
          ]}
          onChoose={setAxis}
        />
      }
      overlays={overlays}
      table={() => ({
        columns: ['ε', ...drawn.map(({ name }) => name)],
        rows: Array.from(maps[0]?.epsilon ?? [], (epsilon, k) => [
          significant(epsilon, 3),
          ...drawn.map((curve) => {
            if (curve.kind === 'line') return shareText(curve.y[k] as number);
            return k % EVERY === 0 ? shareText(curve.y[k / EVERY] as number) : '';
          }),
        ]),
      })}
      caption={
        <>
          {what}{' '}
          {quantity === 'clipped'
            ? 'Points: measured. Lines: the normal law with μ and σ of the tokens, times the share of the data with that sign.'
            : 'Points: the gradient mass, the sum of |∂loss/∂log π|, that clipping at this edge leaves.'}{' '}
          Dotted: the library’s default ε.
        </>
      }
    >
      <CurveLegend entries={curves} />
      {maps.length === 0 ? (
        <div className="plot-empty" style={{ height: 248 }}>
          no lower edge: CISPO caps large weights only
        </div>
      ) : (
        <Curves
          label={`${title}: ${quantityName} against epsilon`}
          curves={drawn}
          x={x}
          y={y}
          xLabel={side === 'low' ? 'ε low' : 'ε high'}
          yLabel={quantityName}
          height={248}
          marks={marks}
          showX={(epsilon) => `ε = ${significant(epsilon, 3)}`}
          showY={shareText}
        />
      )}
    </Figure>
  );
}
