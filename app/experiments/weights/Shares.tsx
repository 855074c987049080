/** Effective sample size over n, for both weights, and the length at which half of it is gone. */
import type { WeightsResult } from '../../../src/experiments/weights';
import { useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { counted, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { CURVE_NAMES, useLengthAxis, weightsLegend } from '../../page/statistics/views';
import { TooFew } from '../../page/statistics/Controls';
import {
  linesOf,
  seriesOf,
  SHARE,
  tableColumns,
  tableRows,
  type WeightsFigure,
} from '../../page/statistics/weights-series';

const HEIGHT = 380;

export function Shares({ result, kind, axesKey }: WeightsFigure) {
  const curve = result[kind];
  const overlays = useOverlays('weights');
  const seriesIn = (own: WeightsResult) => seriesOf(own[kind], SHARE);
  const rowsIn = (own: WeightsResult) => tableRows(own[kind], SHARE);
  const series = [...overlaySeries(overlays, seriesIn), ...seriesIn(result)];
  const { usableLength, predictedUsableLength, sequences } = result;
  const x = useLengthAxis(
    series.flatMap(({ marks }) => marks.map((mark) => mark.x)),
    axesKey,
  );
  const y = useAxis('linear', [0, 1.04], axesKey, 5);
  return (
    <Figure
      title="Effective sample size over n"
      className="figure-hero"
      overlays={overlays}
      table={() =>
        overlayTable(overlays, { columns: tableColumns(), rows: rowsIn(result) }, rowsIn)
      }
      caption={
        <>
          (Σ w)² ÷ (n Σ w²), {CURVE_NAMES[kind]}, {counted(sequences, 'response')}; 1 means that
          every response counts. Log-normal weights predict half at ln 2 ÷ σ² ={' '}
          {significant(predictedUsableLength, 3)} tokens for ρ;{' '}
          {usableLength === null
            ? 'no measured prefix is that long.'
            : `measured: ${significant(usableLength, 3)}.`}
        </>
      }
    >
      <Legend items={weightsLegend()} />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={sequences} />
      ) : (
        <ErrorBars
          label="Effective sample size over n of s and of the unnormalised weight, by length"
          x={x}
          y={y}
          xLabel="response tokens, L"
          yLabel="effective share"
          height={HEIGHT}
          series={series}
          lines={linesOf(curve, SHARE)}
          rules={[
            { along: 'y', at: 0.5, label: 'half of the responses wasted' },
            { along: 'x', at: predictedUsableLength, label: 'predicted ln 2 ÷ σ²' },
          ]}
        />
      )}
    </Figure>
  );
}
