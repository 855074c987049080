/** Variance of the weights, Pareto shape of their tails, and kurtosis of the log weight, by length. */
import type { WeightsCurve } from '../../../src/experiments/weights';
import { extent, logDomainOf, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import type { MarkSeries } from '../../charts/marks';
import { Figure } from '../../charts/Figure';
import { domainOf, type Scale } from '../../charts/scale';
import { Legend } from '../../charts/shapes';
import { count, counted, fixed } from '../../format/numbers';
import { estimate } from '../statistics/intervals';
import { CURVE_NAMES, lengthsOf, SEQUENCE } from '../statistics/views';
import { TooFew } from '../statistics/TooFew';
import { LEGEND } from './legend';
import {
  linesOf,
  PARETO,
  seriesOf,
  TABLE_COLUMNS,
  tableRows,
  valuesOf,
  VARIANCE,
  type WeightsFigure,
} from './series';

const HEIGHT = 300;

function useLengths(curve: WeightsCurve, axesKey: string): Scale {
  const lengths = curve.points.map(({ length }) => length);
  return useAxis('log', logDomainOf(lengths, 0.03), axesKey, 5);
}

export function Variances({ result, kind, axesKey }: WeightsFigure) {
  const curve = result[kind];
  const x = useLengths(curve, axesKey);
  const series = seriesOf(curve, VARIANCE);
  const shown = [...extent(series.flatMap(({ marks }) => marks)), ...valuesOf(curve, VARIANCE)];
  const y = useAxis('log', logDomainOf(shown), `${axesKey} variance`, 5);
  return (
    <Figure
      title="Variance of the weights themselves"
      recorded={false}
      table={() => ({ columns: TABLE_COLUMNS, rows: tableRows(curve, VARIANCE) })}
      caption={
        <>
          Var[s] and Var[ρ], {CURVE_NAMES[kind]}. A log-normal with variance v of its logarithm and
          mean m has (eᵛ − 1) e²ᵐ⁺ᵛ: about 1/L for s, exponential in L for ρ. Where the tail is
          heavy, the sample variance is too small and its interval too narrow.
        </>
      }
    >
      <Legend items={LEGEND} />
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

export function Tails({ result, kind, axesKey }: WeightsFigure) {
  const curve = result[kind];
  const x = useLengths(curve, axesKey);
  const series = seriesOf(curve, PARETO);
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
      recorded={false}
      table={() => ({ columns: TABLE_COLUMNS, rows: tableRows(curve, PARETO) })}
      caption={
        <>
          Shape k̂ of a Pareto tail fitted to the largest weights; asymptotic 95 % intervals. Above
          0.5 the variance is infinite, above 0.7 averages are not to be trusted.{' '}
          {marks.length === 0 && 'The tails are too short to be fitted so far.'}
        </>
      }
    >
      <Legend items={LEGEND} />
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

export function Kurtosis({ result, kind, axesKey }: WeightsFigure) {
  const curve = result[kind];
  const points = curve.points.filter(({ excessKurtosis }) => Number.isFinite(excessKurtosis));
  const x = useLengths(curve, axesKey);
  const y = useAxis(
    'linear',
    domainOf([...points.map(({ excessKurtosis }) => excessKurtosis), -1, 1], 0.08),
    `${axesKey} kurtosis`,
    5,
  );
  const series: MarkSeries = {
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
  return (
    <Figure
      title="Is log s normal?"
      recorded={false}
      table={() => ({
        columns: ['tokens', 'responses', 'excess kurtosis of log s'],
        rows: points.map((point) => [
          lengthsOf(point),
          count(point.sequences),
          fixed(point.excessKurtosis, 4),
        ]),
      })}
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
          series={[series]}
          rules={[{ along: 'y', at: 0, label: '', kind: 'prediction' }]}
        />
      )}
    </Figure>
  );
}
