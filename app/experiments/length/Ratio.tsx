/** Mean s against length: what is left of the perplexities' bias in their ratio. */
import type { LengthResult } from '../../../src/experiments/length';
import { extent, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { domainOf } from '../../charts/scale';
import { Legend } from '../../charts/Legend';
import { useOverlays } from '../../runs/useOverlays';
import { estimate } from '../../format/numbers';
import { CURVE_NAMES, useLengthAxis } from '../../page/statistics/views';
import { TooFew } from '../../page/statistics/Controls';
import { centerLine, RATIO, seriesOf, TABLE_COLUMNS, tableRows, type LengthFigure } from './series';

const HEIGHT = 280;

export function Ratio({ result, kind, axesKey }: LengthFigure) {
  const curve = result[kind];
  const overlays = useOverlays('length');
  const seriesIn = (own: LengthResult) => [seriesOf(own[kind], RATIO, 'mean')];
  const rowsIn = (own: LengthResult) => tableRows(own[kind], [RATIO]);
  const series = [...overlaySeries(overlays, seriesIn), ...seriesIn(result)];
  const marks = series.flatMap((own) => own.marks);
  const x = useLengthAxis(
    marks.map((mark) => mark.x),
    axesKey,
  );
  const center = centerLine(curve, 'ratio');
  const shown = [...extent(marks), ...center.map(([, y]) => y), 1];
  const y = useAxis('linear', domainOf(shown, 0.08), `${axesKey} ratio`, 4);
  const target = curve.points.at(-1)?.ratio.mean;
  return (
    <Figure
      title="Their ratio, s"
      overlays={overlays}
      table={() => overlayTable(overlays, { columns: TABLE_COLUMNS, rows: rowsIn(result) }, rowsIn)}
      caption={
        <>
          Mean s over {CURVE_NAMES[kind]}. Both perplexities are of the same tokens, so hard and
          easy ones cancel where the policies agree on them. Slope of log mean s on log L:{' '}
          {estimate(curve.ratioSlope)}, predicted 0.
        </>
      }
    >
      <Legend
        items={[
          { name: 'mean s', mark: RATIO.shape, colour: RATIO.colour },
          { name: 'exp of mean log s', line: 'rival' },
          { name: 'predicted: as over the longest', line: 'prediction' },
        ]}
      />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label="Mean sequence weight by length"
          x={x}
          y={y}
          xLabel="tokens, L"
          yLabel="s"
          height={HEIGHT}
          series={series}
          lines={[{ id: 'center', kind: 'rival', points: center }]}
          rules={[
            { along: 'y', at: 1, label: 's = 1, no change' },
            ...(target === undefined
              ? []
              : [{ along: 'y' as const, at: target, label: '', kind: 'prediction' as const }]),
          ]}
        />
      )}
    </Figure>
  );
}
