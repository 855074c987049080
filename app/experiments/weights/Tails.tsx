/** Variance of the weights, Pareto shape of their tails, and kurtosis of the log weight, by length. */
import type { WeightsCurve, WeightsPoint, WeightsResult } from '../../../src/experiments/weights';
import { extent, logDomainOf, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import type { MarkSeries } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { domainOf, type Scale } from '../../charts/scale';
import { Legend } from '../../charts/Legend';
import { count, counted, estimate, fixed } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import {
  CURVE_NAMES,
  lengthsOf,
  SEQUENCE,
  useLengthAxis,
  weightsLegend,
} from '../../page/statistics/views';
import { TooFew } from '../../page/statistics/Controls';
import {
  linesOf,
  PARETO,
  seriesOf,
  tableColumns,
  tableRows,
  valuesOf,
  VARIANCE,
  type Quantity,
  type WeightsFigure,
} from '../../page/statistics/weights-series';

const HEIGHT = 300;

function useLengths(series: readonly MarkSeries[], axesKey: string): Scale {
  const lengths = series.flatMap(({ marks }) => marks.map((mark) => mark.x));
  return useLengthAxis(lengths, axesKey, 5);
}

/** Series and rows of a quantity, in the run in view and in those laid over it. */
function useLaidOver({ result, kind }: WeightsFigure, quantity: Quantity) {
  const overlays = useOverlays('weights');
  const seriesIn = (own: WeightsResult) => seriesOf(own[kind], quantity);
  const rowsIn = (own: WeightsResult) => tableRows(own[kind], quantity);
  return {
    overlays,
    series: [...overlaySeries(overlays, seriesIn), ...seriesIn(result)],
    table: () => overlayTable(overlays, { columns: tableColumns(), rows: rowsIn(result) }, rowsIn),
  };
}

export function Variances(figure: WeightsFigure) {
  const { result, kind, axesKey } = figure;
  const curve = result[kind];
  const { overlays, series, table } = useLaidOver(figure, VARIANCE);
  const x = useLengths(series, axesKey);
  const shown = [...extent(series.flatMap(({ marks }) => marks)), ...valuesOf(curve, VARIANCE)];
  const y = useAxis('log', logDomainOf(shown), `${axesKey} variance`, 5);
  return (
    <Figure
      title="Variance of the weights themselves"
      overlays={overlays}
      table={table}
      caption={
        <>
          Var[s] and Var[ρ], {CURVE_NAMES[kind]}. A log-normal with variance v of its logarithm and
          mean m has (eᵛ − 1) e²ᵐ⁺ᵛ: about 1/L for s, exponential in L for ρ. Where the tail is
          heavy, the sample variance is too small and its interval too narrow.
        </>
      }
    >
      <Legend items={weightsLegend()} />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label="Variance of s and of the unnormalised weight by length, with log-normal predictions"
          x={x}
          y={y}
          xLabel="response tokens, L"
          yLabel="variance"
          height={HEIGHT}
          series={series}
          lines={linesOf(curve, VARIANCE)}
        />
      )}
    </Figure>
  );
}

export function Tails(figure: WeightsFigure) {
  const { result, kind, axesKey } = figure;
  const curve = result[kind];
  const { overlays, series, table } = useLaidOver(figure, PARETO);
  const x = useLengths(series, axesKey);
  const marks = series.flatMap((one) => one.marks);
  const y = useAxis(
    'linear',
    domainOf([...marks.map((mark) => mark.y), ...valuesOf(curve, PARETO), -0.4, 0.9], 0.08),
    `${axesKey} tail`,
    5,
  );
  return (
    <Figure
      title="Heaviness of the tails"
      overlays={overlays}
      table={table}
      caption={
        <>
          Shape k̂ of a Pareto tail fitted to the largest weights; asymptotic 95 % intervals. Above
          0.5 the variance is infinite, above 0.7 averages are not to be trusted.{' '}
          {marks.length === 0 && 'The tails are too short to be fitted so far.'}
        </>
      }
    >
      <Legend items={weightsLegend()} />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label="Pareto shape of the largest weights by length, with log-normal predictions"
          x={x}
          y={y}
          xLabel="response tokens, L"
          yLabel="k̂"
          height={HEIGHT}
          series={series}
          lines={linesOf(curve, PARETO)}
          rules={[{ along: 'y', at: 0.7, label: '0.7: not to be trusted' }]}
        />
      )}
    </Figure>
  );
}

const kurtosesOf = ({ points }: WeightsCurve) =>
  points.filter(({ excessKurtosis }) => Number.isFinite(excessKurtosis));

function kurtosisMarks(points: readonly WeightsPoint[]): MarkSeries {
  return {
    id: 'kurtosis',
    colour: SEQUENCE.colour,
    shape: SEQUENCE.shape,
    marks: points.map(({ length, excessKurtosis }) => ({
      x: length,
      y: excessKurtosis,
      interval: null,
    })),
    describe: (i) => {
      const point = points[i];
      return point === undefined
        ? { head: '', rows: [] }
        : {
            head: `${lengthsOf(point)}, ${counted(point.sequences, 'response')}`,
            rows: [['excess kurtosis', fixed(point.excessKurtosis, 3)]],
          };
    },
  };
}

const kurtosisRows = (points: readonly WeightsPoint[]) =>
  points.map((point) => [lengthsOf(point), count(point.sequences), fixed(point.excessKurtosis, 4)]);

export function Kurtosis({ result, kind, axesKey }: WeightsFigure) {
  const overlays = useOverlays('weights');
  const points = kurtosesOf(result[kind]);
  const series = [
    ...overlaySeries(overlays, (own) => [kurtosisMarks(kurtosesOf(own[kind]))]),
    kurtosisMarks(points),
  ];
  const x = useLengths(series, axesKey);
  const y = useAxis(
    'linear',
    domainOf([...series.flatMap(({ marks }) => marks.map((mark) => mark.y)), -1, 1], 0.08),
    `${axesKey} kurtosis`,
    5,
  );
  return (
    <Figure
      title="Is log s normal?"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['tokens', 'responses', 'excess kurtosis of log s'],
            rows: kurtosisRows(points),
          },
          (own) => kurtosisRows(kurtosesOf(own[kind])),
        )
      }
      caption={
        <>
          Excess kurtosis of log s at each length (no interval per point); 0 for a normal. Over all
          responses, their lengths taken out: {estimate(result.excessKurtosis)}. Averaging makes log
          s more normal the longer the response, if tokens are independent.
        </>
      }
    >
      <Legend
        items={[
          { name: 'measured', mark: SEQUENCE.shape, colour: SEQUENCE.colour },
          { name: 'normal: 0', line: 'prediction' },
        ]}
      />
      {points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label="Excess kurtosis of log s by length"
          x={x}
          y={y}
          xLabel="response tokens, L"
          yLabel="excess kurtosis"
          height={HEIGHT}
          series={series}
          rules={[{ along: 'y', at: 0, label: '', kind: 'prediction' }]}
        />
      )}
    </Figure>
  );
}
