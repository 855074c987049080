/** Thirty intervals of one claim against the truth, or against the others where nobody knows it. */
import type { ClassClaim } from '../../../src/class/gather';
import { ErrorBars, type MarkSeries } from '../../charts/ErrorBars';
import { domainOf, linearScale } from '../../charts/scale';
import { Figure } from '../../figures/Figure';
import { significant } from '../../format/numbers';

export type IntervalKind = 'once' | 'page';

const HEIGHT = 340;
const number = (x: number) => significant(x, 3);
const ends = (interval: readonly [number, number] | null) =>
  interval === null ? 'none' : `${number(interval[0])} to ${number(interval[1])}`;

export function ClassFigure({ claim, kind }: { claim: ClassClaim; kind: IntervalKind }) {
  const { pool, page, truth } = claim;
  const { pooled, against } = pool;
  const target = truth ?? pooled?.estimate ?? null;
  const rows = pool.seats.map((one, i) => {
    const interval = kind === 'once' ? one.interval : (page[i] ?? null);
    const held =
      truth === null ? one.covers : interval && interval[0] <= truth && truth <= interval[1];
    const covers = kind === 'once' ? one.covers : held;
    return { ...one, interval, covers };
  });
  const seriesOf = (covers: boolean, id: string, colour: string): MarkSeries => {
    const own = rows.filter((one) => (one.covers ?? true) === covers);
    return {
      id,
      colour,
      shape: covers ? 'circle' : 'diamond',
      marks: own.map(({ seat, estimate, interval }) => ({
        x: seat,
        y: estimate,
        interval,
        hollow: !covers,
      })),
      describe: (index) => {
        const one = own[index];
        return {
          head: `seat ${one?.seat ?? ''}`,
          rows: [
            ['estimate', number(one?.estimate ?? NaN)],
            ['interval', ends(one?.interval ?? null)],
          ],
        };
      },
    };
  };
  const most = Math.max(...rows.map(({ seat }) => seat));
  const values = rows.flatMap(({ estimate, interval }) => [estimate, ...(interval ?? [])]);
  return (
    <Figure
      title="The class, seat by seat"
      recorded={false}
      caption={
        <>
          {kind === 'once'
            ? 'Intervals of 95 % for a number of prompts fixed beforehand. '
            : 'The page’s own intervals: valid at every look, and sharing the 5 % of all its claims. '}
          Diamonds: intervals that miss{' '}
          {against === 'truth' ? 'the truth' : 'what all others measured together'}.
        </>
      }
      table={() => ({
        columns: ['seat', 'estimate', 'from', 'to', 'holds it', 'p against the others'],
        rows: rows.map(({ seat, estimate, interval, covers, against: p }) => [
          String(seat),
          number(estimate),
          interval === null ? '' : number(interval[0]),
          interval === null ? '' : number(interval[1]),
          covers === null ? '' : covers ? 'yes' : 'no',
          p === null ? '' : significant(p, 2),
        ]),
      })}
    >
      <ErrorBars
        label="Estimate and interval of every seat"
        x={linearScale([0, most + 1], Math.min(10, most + 1))}
        y={linearScale(domainOf([...values, ...(target === null ? [] : [target])]))}
        xLabel="seat"
        height={HEIGHT}
        series={[seriesOf(true, 'holds', '--accent'), seriesOf(false, 'misses', '--bad')]}
        bands={
          pooled === null
            ? []
            : [{ id: 'pooled', points: [0, most + 1].map((x) => [x, ...pooled.interval] as const) }]
        }
        rules={
          target === null
            ? []
            : [
                {
                  along: 'y',
                  at: target,
                  label: truth === null ? 'pooled' : 'truth',
                  kind: truth === null ? 'reference' : 'prediction',
                },
              ]
        }
      />
    </Figure>
  );
}
