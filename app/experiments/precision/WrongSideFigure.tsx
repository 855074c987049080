/** Share of responses whose clip decision changes when log-probs lose digits. */
import { useMemo } from 'react';
import type { PrecisionResult } from '../../../src/experiments/precision';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { Rows, type Row } from '../../charts/Rows';
import { counted } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { epsilonText } from '../../page/objective-views';
import { percentScale, shareText } from '../../charts/scale';

function tableOf({ rows }: PrecisionResult): string[][] {
  return rows.map(({ label, wrongSide: { measured, interval, predicted } }) => [
    label,
    shareText(measured),
    interval === null ? '' : `${shareText(interval[0])} – ${shareText(interval[1])}`,
    shareText(predicted),
  ]);
}

function rowsOf({ rows }: PrecisionResult): Row[] {
  return rows.map(({ label, wrongSide: { measured, interval, predicted } }) => ({
    name: label,
    marks: [
      { name: 'predicted', value: predicted, shape: 'stroke', colour: '--ink' },
      { name: 'measured', value: measured, interval, shape: 'circle', colour: '--series-gspo' },
    ],
  }));
}

export function WrongSideFigure({ result, axesKey }: { result: PrecisionResult; axesKey: string }) {
  const { rows, band, outside, sequences } = result;
  const overlays = useOverlays('precision');
  const everyRow = [rows, ...overlays.map((own) => own.result.rows)].flat();
  const largest = Math.max(
    0.01,
    ...everyRow.flatMap(({ wrongSide }) => [
      wrongSide.measured,
      wrongSide.predicted,
      ...(wrongSide.interval ?? []),
    ]),
  );
  const [, high] = useStableDomain([0, Math.min(1, largest * 1.08)], axesKey);
  const x = useMemo(() => percentScale(high), [high]);
  return (
    <Figure
      title="Wrong side of the band"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          { columns: ['format', 'measured', '95 %', 'predicted'], rows: tableOf(result) },
          tableOf,
        )
      }
      caption={
        <>
          Share of {counted(sequences, 'response')} that are inside {epsilonText(band.low)} /{' '}
          {epsilonText(band.high)} with exact log-probs and outside with rounded ones, or the
          reverse; {shareText(outside)} are outside with exact ones. Bars: 95 % intervals over
          prompts.
        </>
      }
    >
      <Legend
        items={[
          { name: 'measured', mark: 'circle', colour: '--series-gspo', hollow: true },
          { name: 'predicted', mark: 'stroke', colour: '--ink', interval: false },
        ]}
      />
      <Rows
        label="Share of responses on the wrong side of the band by number format"
        rows={overlayRows(overlays, rowsOf(result), rowsOf, ({ name }) => name === 'measured')}
        x={x}
        xLabel="share of responses on the wrong side"
        show={shareText}
      />
    </Figure>
  );
}
