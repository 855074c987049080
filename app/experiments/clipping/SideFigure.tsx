/** One edge of the band: share clipped, or gradient mass kept, against ε, predicted beside measured. */
import { useMemo } from 'react';
import type { ClippingResult } from '../../../src/experiments/clipping';
import type { ClipMap } from '../../../src/experiments/clipping-measure';
import { CurveLegend, Curves, type AxisMark, type Curve } from '../../charts/Curves';
import { Figure } from '../../charts/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayCurves } from '../../charts/overlay';
import { countCeiling, logScale } from '../../charts/scale';
import { significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { Choice } from '../Choice';
import { epsilonText, objectiveView } from '../objective-views';
import { percentScale, shareText } from '../percent';
import type { Quantity } from './index';

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

function curvesOf(map: ClipMap, side: 'low' | 'high', quantity: Quantity): Curve[] {
  const { name, colour } = objectiveView(map.objective);
  const data = map[side];
  const keep = (values: Float64Array) => values.filter((_, k) => k % EVERY === 0);
  const measured = quantity === 'clipped' ? data.clipped : data.massLost.map((lost) => 1 - lost);
  return [
    ...(quantity === 'clipped'
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
  const { maps } = result;
  const overlays = useOverlays('clipping');
  const curves = useMemo(
    () => maps.flatMap((map) => curvesOf(map, side, quantity)),
    [maps, side, quantity],
  );
  const drawn = useMemo(
    () => [
      ...overlayCurves(overlays, (own) => own.maps.flatMap((map) => curvesOf(map, side, quantity))),
      ...curves,
    ],
    [overlays, curves, side, quantity],
  );
  const x = useMemo(() => logScale([1e-5, 1], 5), []);
  const largest = Math.max(...drawn.flatMap((curve) => Array.from(curve.y)), 0.01);
  const [, high] = useStableDomain(
    [0, Math.min(1, countCeiling(largest * 100) / 100)],
    `${axesKey} ${quantity}`,
  );
  const y = useMemo(
    () =>
      axis === 'log'
        ? logScale([LOG_FLOOR, 1], 5)
        : percentScale(quantity === 'clipped' ? high : 1),
    [axis, quantity, high],
  );
  const marks: AxisMark[] = maps.map((map) => {
    const { name, colour } = objectiveView(map.objective);
    const epsilon = map.published[side];
    return { value: epsilon, label: `${name} ${epsilonText(epsilon)}`, colour };
  });
  const { title, what } = SIDES[side];
  const quantityName = quantity === 'clipped' ? 'share clipped' : 'gradient mass kept';
  return (
    <Figure
      title={title}
      recorded={false}
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
          Dotted: published ε.
        </>
      }
    >
      <CurveLegend entries={curves} />
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
    </Figure>
  );
}
