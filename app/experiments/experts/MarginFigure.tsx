/** Mean square of the log-ratio where the route flipped and where it did not, by how near the token was to another route. */
import type { ExpertsMeasure, MarginBin } from '../../../src/experiments/experts';
import { extent, logDomainOf, useAxis } from '../../charts/axes';
import { ErrorBars, type MarkSeries } from '../../charts/ErrorBars';
import { Legend } from '../../charts/Legend';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import type { MarkShape, Overlaid } from '../../charts/shapes';
import { Figure } from '../../figures/Figure';
import { count, counted, interval, percent, significant } from '../../format/numbers';
import { SEQUENCE, TOKEN } from '../../page/statistics/views';

const HEIGHT = 340;
const VIEWS: readonly {
  id: 'flipped' | 'kept';
  name: string;
  colour: string;
  shape: MarkShape;
}[] = [
  { id: 'flipped', name: 'route flipped', colour: TOKEN.colour, shape: TOKEN.shape },
  { id: 'kept', name: 'same experts', colour: SEQUENCE.colour, shape: SEQUENCE.shape },
];

function seriesOf(bins: readonly MarginBin[]): MarkSeries[] {
  return VIEWS.map(({ id, name, colour, shape }) => {
    // A log axis has no place for tokens that are not there, or that did not change at all.
    const own = bins.flatMap((bin) => {
      const found = bin.where[id];
      return found !== null && found.estimate > 0 && bin.at > 0 ? [{ bin, found }] : [];
    });
    return {
      id,
      colour,
      shape,
      marks: own.map(({ bin, found }) => ({
        x: bin.at,
        y: found.estimate,
        interval:
          found.interval === null
            ? null
            : ([Math.max(found.interval[0], found.estimate / 100), found.interval[1]] as const),
      })),
      describe: (i) => {
        const one = own[i];
        if (one === undefined) return { head: '', rows: [] };
        const { bin, found } = one;
        const tokens = id === 'flipped' ? bin.flipped : bin.tokens - bin.flipped;
        return {
          head: `${name}, ${counted(tokens, 'token')}`,
          rows: [
            ['margin', `${significant(bin.low, 3)} to ${significant(bin.high, 3)}`],
            ['mean square', `${significant(found.estimate, 3)} nats²`],
            ['95 % interval', interval(found.interval)],
          ],
        };
      },
    };
  });
}

const rowsOf = ({ bins }: ExpertsMeasure): string[][] =>
  bins.map((bin) => [
    `${significant(bin.low, 3)} to ${significant(bin.high, 3)}`,
    count(bin.tokens),
    percent(bin.flipped / bin.tokens, 2),
    ...VIEWS.flatMap(({ id }) => {
      const found = bin.where[id];
      return found === null
        ? ['none', '–']
        : [significant(found.estimate, 4), interval(found.interval, 3)];
    }),
  ]);

interface Props {
  measure: ExpertsMeasure;
  overlays: readonly Overlaid<ExpertsMeasure>[];
  axesKey: string;
}

export function MarginFigure({ measure, overlays, axesKey }: Props) {
  const series = [
    ...overlaySeries(overlays, (own) => seriesOf(own.bins)),
    ...seriesOf(measure.bins),
  ];
  const marks = series.flatMap((own) => own.marks);
  const x = useAxis('log', logDomainOf(marks.map((mark) => mark.x)), `${axesKey} margin`, 6);
  const y = useAxis('log', logDomainOf(extent(marks)), `${axesKey} square`, 5);
  return (
    <Figure
      title="Log-ratios by margin of the router"
      className="figure-hero"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: [
              'margin, logits',
              'tokens',
              'flipped',
              ...VIEWS.flatMap(({ name }) => [`${name}, nats²`, '95 % interval']),
            ],
            rows: rowsOf(measure),
          },
          rowsOf,
        )
      }
      caption={
        <>
          Mean square of dₜ about its mean. The experts of {percent(measure.flipped.estimate, 2)} of
          the tokens changed in some of {measure.layers} layers (by layer:{' '}
          {measure.byLayer.map((own) => percent(own.estimate, 2)).join(', ')}); they bring{' '}
          {percent(measure.share.estimate, 1)} of Var[log s], and would bring{' '}
          {percent(measure.predictedShare, 2)} if they were as others.
        </>
      }
    >
      <Legend items={VIEWS.map(({ name, shape, colour }) => ({ name, mark: shape, colour }))} />
      <ErrorBars
        label="Mean square of the log-ratio by margin of the router, where the route flipped and where it did not"
        x={x}
        y={y}
        xLabel="smallest margin of a router under the old policy, logits"
        yLabel="mean square of dₜ, nats²"
        height={HEIGHT}
        series={series}
      />
    </Figure>
  );
}
