/** Error of log s per number format: quantiles, maximum and rms, with the rms that uniform rounding predicts. */
import { useMemo } from 'react';
import type { PrecisionResult, PrecisionRow } from '../../../src/experiments/precision';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayRows, overlayTable } from '../../charts/overlay';
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
      ...(exact ? { none: 'exact: nothing is lost' } : {}),
      marks: exact ? [] : [predicted, ...measured],
    };
  });
}

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
      <ul className="legend" aria-label="Legend">
        <li style={{ color: `var(${COLOUR})` }}>
          <svg width="34" height="12" aria-hidden="true">
            {[5, 17, 29].map((cx) => (
              <circle key={cx} className="curve-point" cx={cx} cy="6" r="3.6" />
            ))}
          </svg>
          <span className="legend-name">median, 99 %, largest</span>
        </li>
        <li style={{ color: `var(${COLOUR})` }}>
          <svg width="12" height="12" aria-hidden="true">
            <rect className="curve-point" x="2.5" y="2.5" width="7" height="7" />
          </svg>
          <span className="legend-name">rms</span>
        </li>
        <li style={{ color: `var(${PREDICTED})` }}>
          <svg width="12" height="12" aria-hidden="true">
            <line className="row-stroke" x1="6" x2="6" y1="0" y2="12" />
          </svg>
          <span className="legend-name">rms, predicted</span>
        </li>
      </ul>
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
