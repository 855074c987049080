/** Error of log s per number format: quantiles, maximum and rms, with the rms that uniform rounding predicts. */
import { useMemo } from 'react';
import type { PrecisionResult, PrecisionRow } from '../../../src/experiments/precision';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { Rows, type Row, type RowMark } from '../../charts/Rows';
import { logScale, type Domain } from '../../charts/scale';
import { counted, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';

const MARKS = [
  { name: 'median', of: (row: PrecisionRow) => row.error.p50, shape: 'circle' },
  { name: '99 %', of: (row: PrecisionRow) => row.error.p99, shape: 'circle' },
  { name: 'largest', of: (row: PrecisionRow) => row.error.max, shape: 'circle' },
  { name: 'rms', of: (row: PrecisionRow) => row.error.rms, shape: 'square' },
] as const;
const COLOUR = '--series-gspo';
const PREDICTED = '--ink';
const PREDICTION = 'rms, predicted';

/** Whole decades around all that is not zero. */
function decades(rows: readonly PrecisionRow[], band: PrecisionResult['band']): Domain {
  const shown = [
    ...rows.flatMap((row) => [...MARKS.map(({ of }) => of(row)), row.predictedRms]),
    band.low,
    band.high,
  ].filter((x) => x > 0 && Number.isFinite(x));
  const low = Math.min(...shown, 1e-4);
  const high = Math.max(...shown, 1e-3);
  return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))];
}

const text = (value: number) => significant(value, 3);

function tableOf({ rows }: PrecisionResult): string[][] {
  return rows.map((row) => [
    row.label,
    ...MARKS.map(({ of }) => text(of(row))),
    text(row.predictedRms),
  ]);
}

function rowsOf({ rows }: PrecisionResult): Row[] {
  return rows.map((row) => {
    const exact = row.error.max === 0;
    const predicted: RowMark = {
      name: PREDICTION,
      value: row.predictedRms,
      shape: 'stroke',
      colour: PREDICTED,
    };
    const measured = MARKS.map(({ name, of, shape }): RowMark => ({
      name,
      value: of(row),
      shape,
      colour: COLOUR,
    }));
    return {
      name: row.label,
      ...(exact ? { note: 'exact: nothing is lost' } : {}),
      marks: exact ? [] : [predicted, ...measured],
    };
  });
}

/** How the marks stand in the legend. */
const OPEN = { colour: COLOUR, hollow: true, interval: false };

export function ErrorFigure({ result, axesKey }: { result: PrecisionResult; axesKey: string }) {
  const { rows, band } = result;
  const overlays = useOverlays('precision');
  const everyRow = [rows, ...overlays.map((own) => own.result.rows)].flat();
  const [low, high] = useStableDomain(decades(everyRow, band), axesKey);
  const x = useMemo(() => logScale([low, high], 6), [low, high]);
  return (
    <Figure
      title="Error of log s"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['format', ...MARKS.map(({ name }) => name), PREDICTION],
            rows: tableOf(result),
          },
          tableOf,
        )
      }
      caption={
        <>
          |log s − exact| over {counted(result.sequences, 'response')} after rounding both log-probs
          of every token. Dotted: the edges of the band. An error of exactly 0 means that the data
          came in that format.
        </>
      }
    >
      <Legend
        items={[
          { name: 'median, 99 %, largest', mark: 'circle', ...OPEN, times: [2.6, 2.6, 2.6] },
          { name: 'rms', mark: 'square', ...OPEN },
          { name: 'rms, predicted', mark: 'stroke', ...OPEN, colour: PREDICTED },
        ]}
      />
      <Rows
        label="Error of log s by number format"
        rows={overlayRows(
          overlays,
          rowsOf(result),
          rowsOf,
          ({ name, value }) => name !== PREDICTION && value !== 0,
        )}
        x={x}
        xLabel="|error of log s|"
        show={text}
        marks={[
          { value: band.low, label: '' },
          { value: band.high, label: 'band' },
        ]}
      />
    </Figure>
  );
}
