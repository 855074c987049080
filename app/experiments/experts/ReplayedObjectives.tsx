/** What routing replay changes in each objective: who is clipped, and where the gradient goes. */
import { useState } from 'react';
import type { MeasuredReplay, ReplayedObjective } from '../../../src/experiments/experts';
import { logDomainOf, useAxis } from '../../charts/axes';
import { Legend } from '../../charts/Legend';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Rows, type Row } from '../../charts/Rows';
import type { Overlaid } from '../../charts/shapes';
import { Figure } from '../../figures/Figure';
import { interval, percent, significant } from '../../format/numbers';
import { Choice } from '../../page/Choice';
import { objectiveView } from '../../page/objective-views';

const SHOWN = ['clipped', 'moved'] as const;
type Shown = (typeof SHOWN)[number];
const NAMES: Record<Shown, string> = { clipped: 'clip share', moved: 'gradient moved' };

const share = (x: number) => percent(x, x > 0 && x < 0.001 ? 3 : 1);

/** Open on own routes, filled on the old ones. */
function rowsOf({ objectives }: MeasuredReplay, shown: Shown): Row[] {
  return objectives.flatMap(({ id, clipped, moved }): Row[] => {
    const { name, colour } = objectiveView(id);
    if (shown === 'moved') {
      const { estimate, interval: ends } = moved;
      const value = Number.isFinite(estimate) && estimate > 0 ? estimate : null;
      return [
        {
          name,
          marks: [{ name: 'moved', value, interval: ends, shape: 'circle', colour, filled: true }],
          ...(value === null ? { note: 'nothing' } : {}),
        },
      ];
    }
    if (clipped === null) return [];
    const { free, replayed } = clipped;
    // A log axis has no place for none.
    const at = (x: number) => (x > 0 ? x : null);
    return [
      {
        name,
        marks: [
          {
            name: 'own routes',
            value: at(free.estimate),
            interval: free.interval,
            shape: 'circle',
            colour,
            filled: false,
          },
          {
            name: 'old routes',
            value: at(replayed.estimate),
            interval: replayed.interval,
            shape: 'square',
            colour,
            filled: true,
          },
        ],
        ...(free.estimate === 0 && replayed.estimate === 0 ? { note: 'none' } : {}),
      },
    ];
  });
}

const tableOf = ({ objectives }: MeasuredReplay): string[][] =>
  objectives.map(({ id, clipped, moved }: ReplayedObjective) => [
    objectiveView(id).name,
    ...(clipped === null
      ? ['–', '–', '–', '–']
      : [
          share(clipped.free.estimate),
          share(clipped.replayed.estimate),
          significant(100 * clipped.difference.estimate, 3),
          clipped.difference.interval === null
            ? '–'
            : interval([
                100 * clipped.difference.interval[0],
                100 * clipped.difference.interval[1],
              ]),
        ]),
    Number.isFinite(moved.estimate) ? share(moved.estimate) : '–',
    moved.interval === null ? '–' : `[${share(moved.interval[0])}, ${share(moved.interval[1])}]`,
  ]);

interface Props {
  replay: MeasuredReplay;
  overlays: readonly Overlaid<MeasuredReplay>[];
  axesKey: string;
}

export function ReplayedObjectives({ replay, overlays, axesKey }: Props) {
  const [shown, setShown] = useState<Shown>('clipped');
  const rows = rowsOf(replay, shown);
  const values = rows.flatMap(({ marks }) =>
    marks.flatMap(({ value }) => (value === null ? [] : [value])),
  );
  const x = useAxis('log', logDomainOf(values, 0.08), `${axesKey} ${shown}`, 5);
  return (
    <Figure
      title="Routing replay, objective by objective"
      overlays={overlays}
      controls={
        <Choice
          label="Show"
          value={shown}
          choices={SHOWN.map((value) => ({ value, name: NAMES[value] }))}
          onChoose={setShown}
        />
      }
      table={() =>
        overlayTable(
          overlays,
          {
            columns: [
              'objective',
              'clipped, own routes',
              'clipped, old routes',
              'difference, points',
              '95 % interval',
              'gradient moved',
              '95 % interval',
            ],
            rows: tableOf(replay),
          },
          tableOf,
        )
      }
      caption={
        shown === 'clipped'
          ? 'Share of the tokens behind a closed gate when the new policy chooses its own experts, and when it is given those of the old one. Published bands; TRL’s convention where TRL has the objective.'
          : 'How much of the gradient replay moves: sum over tokens of |its change| over the sum of |gradient| without replay.'
      }
    >
      {shown === 'clipped' && (
        <Legend
          items={[
            { name: 'own routes', mark: 'circle', colour: '--ink-soft' },
            { name: 'old routes (replay)', mark: 'square', colour: '--ink-soft' },
          ]}
        />
      )}
      <Rows
        label={`${NAMES[shown]} of every objective with routing replay and without`}
        rows={overlayRows(overlays, rows, (own) => rowsOf(own, shown))}
        x={x}
        xLabel={shown === 'clipped' ? 'share of the tokens clipped' : 'share of the gradient'}
        show={share}
      />
    </Figure>
  );
}
