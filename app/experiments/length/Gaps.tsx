/** The Jensen gap of perplexities and of s against length, predicted at half the variance, like 1/L. */
import type { LengthResult } from '../../../src/experiments/length';
import { extent, logDomainOf, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import type { MarkSeries } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { useOverlays } from '../../runs/useOverlays';
import { useLengthAxis } from '../../page/statistics/views';
import { estimate } from '../../format/numbers';
import { TooFew } from '../../page/statistics/Controls';
import { OLD, RATIO, seriesOf, TABLE_COLUMNS, tableRows, type LengthFigure } from './series';

const HEIGHT = 290;
const VIEWS = [OLD, { ...RATIO, shape: 'diamond' as const }];

export function Gaps({ result, kind, axesKey }: LengthFigure) {
  const curve = result[kind];
  const overlays = useOverlays('length');
  const seriesIn = (own: LengthResult) =>
    VIEWS.map((view) => positive(seriesOf(own[kind], view, 'gap')));
  const rowsIn = (own: LengthResult) => tableRows(own[kind], VIEWS);
  const series = [...overlaySeries(overlays, seriesIn), ...seriesIn(result)];
  const predictions = VIEWS.map(({ id }) =>
    curve.points.map((point): [number, number] => [point.length, point[id].predictedGap]),
  );
  const x = useLengthAxis(
    [
      ...curve.points.map(({ length }) => length),
      ...series.flatMap(({ marks }) => marks.map((mark) => mark.x)),
    ],
    axesKey,
    5,
  );
  const shown = [
    ...extent(series.flatMap(({ marks }) => marks)),
    ...predictions.flat().map(([, y]) => y),
  ];
  const y = useAxis('log', logDomainOf(shown), `${axesKey} gap`, 5);
  return (
    <Figure
      title="The bias from noise"
      overlays={overlays}
      table={() => overlayTable(overlays, { columns: TABLE_COLUMNS, rows: rowsIn(result) }, rowsIn)}
      caption={
        <>
          Jensen gap: log of the mean less the mean of the log, nats; predicted at half the variance
          of the log. Slope for the old policy’s perplexity: {estimate(curve.gapSlope)}, predicted
          −1. That of s is far smaller: most of the noise is shared.
        </>
      }
    >
      <Legend
        items={[
          ...VIEWS.map((view) => ({ name: view.name, mark: view.shape, colour: view.colour })),
          { name: 'predicted, Var ÷ 2', line: 'prediction' },
        ]}
      />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label="Jensen gap of perplexity and of s by length"
          x={x}
          y={y}
          xLabel="tokens, L"
          yLabel="gap, nats"
          height={HEIGHT}
          series={series}
          lines={predictions.map((points, i) => ({
            id: `predicted ${i}`,
            kind: 'prediction' as const,
            points,
          }))}
        />
      )}
    </Figure>
  );
}

/** A log axis has no place for a gap of zero (one response of one token). */
function positive(series: MarkSeries): MarkSeries {
  const kept = series.marks.flatMap((mark, i) => (mark.y > 0 ? [{ mark, i }] : []));
  return {
    ...series,
    marks: kept.map(({ mark }) => mark),
    describe: (k) => series.describe(kept[k]?.i ?? -1),
  };
}
