/** How many responses leave GSPO's band by arithmetic alone, by length: of s and of rho. */
import type { ClipPoint, NumericsMeasure } from '../../../src/experiments/numerics';
import { GSPO_BAND } from '../../../src/math/objectives/registry';
import { useAxis } from '../../charts/axes';
import { ErrorBars, type MarkSeries } from '../../charts/ErrorBars';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { Figure } from '../../figures/Figure';
import { count, fixed, interval, percent } from '../../format/numbers';
import type { PairFigure } from '../../page/statistics/BiasFigure';
import { TooFew } from '../../page/statistics/Controls';
import { CURVE_NAMES, SEQUENCE, UNNORMALISED, useLengthAxis } from '../../page/statistics/views';

const HEIGHT = 300;
const WEIGHTS = [
  { weight: 'sequence', view: SEQUENCE },
  { weight: 'unnormalised', view: UNNORMALISED },
] as const;
const COLUMNS = ['weight', 'tokens', 'responses', 'outside', '95 % interval', 'predicted'];

function seriesOf(points: readonly ClipPoint[]): MarkSeries[] {
  return WEIGHTS.map(({ weight, view }) => ({
    id: weight,
    colour: view.colour,
    shape: view.shape,
    marks: points.map((point) => ({
      x: point.length,
      y: point[weight].measured,
      interval: point[weight].interval,
    })),
    describe: (i) => {
      const point = points[i];
      return point === undefined
        ? { head: '', rows: [] }
        : {
            head: `${view.name}, ${fixed(point.length, 0)} tokens`,
            rows: [
              ['outside the band', percent(point[weight].measured, 1)],
              ['95 % interval', interval(point[weight].interval)],
              ['normal law', percent(point[weight].predicted, 1)],
            ],
          };
    },
  }));
}

function rowsOf(points: readonly ClipPoint[]): string[][] {
  return WEIGHTS.flatMap(({ weight, view }) =>
    points.map((point) => [
      view.name,
      fixed(point.length, 1),
      count(point.sequences),
      percent(point[weight].measured, 2),
      interval(point[weight].interval, 3),
      percent(point[weight].predicted, 2),
    ]),
  );
}

export function ClipFigure({
  measure,
  sequences,
  kind,
  axesKey,
  overlays,
}: PairFigure<NumericsMeasure>) {
  const points = measure.clip[kind];
  const all = [points, ...overlays.map(({ result }) => result.clip[kind])].flat();
  const x = useLengthAxis(
    all.map(({ length }) => length),
    axesKey,
    5,
  );
  const y = useAxis('linear', [0, 1.04], `${axesKey} clip`, 5);
  return (
    <Figure
      title="Outside GSPO’s band"
      overlays={overlays}
      table={() =>
        overlayTable(overlays, { columns: COLUMNS, rows: rowsOf(points) }, (own) =>
          rowsOf(own.clip[kind]),
        )
      }
      caption={
        <>
          Share of responses whose weight is outside 1 − {GSPO_BAND.low} … 1 + {GSPO_BAND.high},
          over {CURVE_NAMES[kind]}, though nothing was trained. s averages the noise away and keeps
          the bias; lines are the normal law of μ and σ of the tokens.
        </>
      }
    >
      <Legend
        items={[
          ...WEIGHTS.map(({ view }) => ({
            name: view.symbol,
            mark: view.shape,
            colour: view.colour,
          })),
          { name: 'normal law', line: 'prediction' as const },
        ]}
      />
      {points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={sequences} />
      ) : (
        <ErrorBars
          label="Share of responses outside GSPO’s band by length"
          x={x}
          y={y}
          xLabel="response tokens, L"
          yLabel="share outside"
          height={HEIGHT}
          series={[
            ...overlaySeries(overlays, (own) => seriesOf(own.clip[kind])),
            ...seriesOf(points),
          ]}
          lines={WEIGHTS.map(({ weight }) => ({
            id: `law ${weight}`,
            kind: 'prediction' as const,
            points: points.map((point) => [point.length, point[weight].predicted] as const),
          }))}
        />
      )}
    </Figure>
  );
}
