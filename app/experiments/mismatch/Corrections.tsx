/** What each correction makes of the weights, and of two losses. */
import type { CorrectionRow, MismatchMeasure } from '../../../src/experiments/mismatch';
import { Figure } from '../../figures/Figure';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import type { Overlaid } from '../../charts/shapes';
import { Rows, type Row } from '../../charts/Rows';
import { percent, significant } from '../../format/numbers';
import { percentScale, shareText } from '../../charts/scale';
import { SEQUENCE, UNNORMALISED } from '../../page/statistics/views';

const LOSS_NAMES = { trl: 'TRL', verl: 'verl' } as const;

const bounds = ({ low, high }: CorrectionRow) => (low === null ? `≤ ${high}` : `${low} to ${high}`);

function tableOf({ corrections }: MismatchMeasure): string[][] {
  return corrections.map((row) => [
    row.title,
    bounds(row),
    row.trl ?? 'has none',
    row.verl ?? 'has none',
    `${significant(row.min, 4)} … ${significant(row.max, 4)}`,
    significant(row.mean, 6),
    shareText(row.dropped),
    percent(row.effective, 2),
    ...row.losses.map(
      ({ plain, corrected }) => `${significant(corrected, 5)} (without ${significant(plain, 5)})`,
    ),
  ]);
}

function rowsOf({ corrections }: MismatchMeasure): Row[] {
  return corrections.map((row) => ({
    name: `${row.title}, ${bounds(row)}`,
    marks: [
      { name: 'effective', value: row.effective, shape: 'circle', colour: SEQUENCE.colour },
      { name: 'dropped', value: row.dropped, shape: 'square', colour: UNNORMALISED.colour },
    ],
  }));
}

interface CorrectionsProps {
  measure: MismatchMeasure;
  overlays: readonly Overlaid<MismatchMeasure>[];
}

export function Corrections({ measure, overlays }: CorrectionsProps) {
  const { corrections } = measure;
  const losses = corrections[0]?.losses ?? [];
  return (
    <Figure
      title="Corrections"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: [
              'correction',
              'bounds',
              'in TRL',
              'in verl',
              'weights',
              'mean',
              'dropped',
              'effective',
              ...losses.map(
                ({ objective, library }) =>
                  `${objective.toUpperCase()} loss, ${LOSS_NAMES[library]}`,
              ),
            ],
            rows: tableOf(measure),
          },
          tableOf,
        )
      }
      caption="At the recommended bounds. The table has each library’s name for it and what becomes of the losses; objectives, clipping and gradient apply one of your choice."
    >
      <Legend
        items={[
          { name: 'effective sample size over tokens', mark: 'circle', colour: SEQUENCE.colour },
          { name: 'tokens dropped', mark: 'square', colour: UNNORMALISED.colour },
        ]}
      />
      <Rows
        label="Effective sample size and dropped tokens by correction"
        rows={overlayRows(overlays, rowsOf(measure), rowsOf)}
        x={percentScale()}
        xLabel="share"
        show={(share) => percent(share, 2)}
      />
    </Figure>
  );
}
