/** Clip share of every objective on the present run, as each library counts it. */
import type { ObjectivesResult } from '../../../src/experiments/objectives';
import { Figure } from '../../figures/Figure';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { Rows, type Row } from '../../charts/Rows';
import { counted, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { logScale, percentScale, shareText, type Scale } from '../../charts/scale';
import { LIBRARY_VIEWS } from '../../page/objective-views';

function tableOf({ objectives }: ObjectivesResult): string[][] {
  const share = (value: number | null | undefined) =>
    value === null || value === undefined ? 'none' : shareText(value);
  return objectives.map(({ title, trl, verl }) => [
    title,
    share(trl?.clipShare),
    share(verl?.clipShare),
    trl === null ? '' : significant(trl.loss, 8),
    verl === null ? '' : significant(verl.loss, 8),
  ]);
}

function rowsOf({ objectives }: ObjectivesResult): Row[] {
  return objectives.map((objective) => {
    const none = [objective.trl, objective.verl].every(
      (side) => (side?.clipShare ?? null) === null,
    );
    return {
      name: objective.title,
      ...(none ? { note: 'nothing is counted' } : {}),
      marks: LIBRARY_VIEWS.map(({ library, name, colour, shape }) => ({
        name,
        colour,
        shape,
        value: objective[library]?.clipShare ?? null,
      })),
    };
  });
}

/** A share this many times smaller than the largest is lost on a linear axis. */
const LOST = 50;

/** Linear where all shares can be seen on it; else logarithmic, with none at its foot. */
function axisOf(rows: readonly Row[]): Scale {
  const shares = rows
    .flatMap(({ marks }) => marks.map(({ value }) => value ?? 0))
    .filter((share) => share > 0);
  const least = Math.min(...shares);
  if (shares.length === 0 || least * LOST > Math.max(...shares)) return percentScale();
  return logScale([10 ** (Math.ceil(Math.log10(least)) - 1), 1], 5);
}

export function Shares({ result }: { result: ObjectivesResult }) {
  const overlays = useOverlays('objectives');
  const { sequences, tokens } = result;
  const rows = overlayRows(overlays, rowsOf(result), rowsOf);
  const x = axisOf(rows);
  return (
    <Figure
      title="Clip share on these rollouts"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['objective', 'TRL', 'verl', 'loss, TRL', 'loss, verl'],
            rows: tableOf(result),
          },
          tableOf,
        )
      }
      caption={
        <>
          {counted(sequences, 'response')}, {counted(tokens, 'token')}. TRL: clip_ratio/region_mean
          (CISPO: cispo_clip_ratio). verl: actor/pg_clipfrac. An objective is missing where a
          library does not have it.
          {x.kind === 'log' && ' The axis is logarithmic; at its foot: none.'}
        </>
      }
    >
      <Legend
        items={LIBRARY_VIEWS.map(({ name, colour, shape }) => ({
          name,
          colour,
          mark: shape,
          hollow: true,
          interval: false,
        }))}
      />
      <Rows
        label="Clip share by objective and library"
        rows={rows}
        x={x}
        xLabel="share clipped"
        show={shareText}
      />
    </Figure>
  );
}
