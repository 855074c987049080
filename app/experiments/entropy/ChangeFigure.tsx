/** Mean change of the entropy beside its first-order prediction and beside dH, over bins of tokens. */
import type { ReactNode } from 'react';
import type { EntropyBin, EntropyMeasure } from '../../../src/experiments/entropy';
import { extent, useAxis } from '../../charts/axes';
import { ErrorBars, type MarkSeries } from '../../charts/ErrorBars';
import { Legend } from '../../charts/Legend';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { domainOf, type Scale } from '../../charts/scale';
import type { MarkShape, Overlaid } from '../../charts/shapes';
import { Figure } from '../../figures/Figure';
import { count, counted, interval, signed, significant } from '../../format/numbers';
import { SEQUENCE } from '../../page/statistics/views';

const HEIGHT = 320;

type Which = 'change' | 'covariance' | 'crossEntropy';
const VIEWS: readonly { id: Which; name: string; colour: string; shape: MarkShape }[] = [
  { id: 'change', name: 'entropy change', colour: '--policy-new', shape: 'circle' },
  { id: 'covariance', name: 'first order, −covariance', colour: '--ink-soft', shape: 'diamond' },
  { id: 'crossEntropy', name: 'cross-entropy change ΔH', colour: SEQUENCE.colour, shape: 'square' },
];
/** Beside each other, not on top: as a share of the axis. */
const APART: Record<Which, number> = { change: -1, covariance: 0, crossEntropy: 1 };

export type Against = 'byEntropy' | 'byLength' | 'byResponse';

interface Props {
  measure: EntropyMeasure;
  overlays: readonly Overlaid<EntropyMeasure>[];
  axesKey: string;
  against: Against;
  title: string;
  label: string;
  xLabel: string;
  /** of the first column of the table */
  column: string;
  x: Scale;
  caption: ReactNode;
  hero?: boolean;
}

const rangeOf = ({ low, high }: EntropyBin) =>
  low === high ? significant(low, 3) : `${significant(low, 3)} to ${significant(high, 3)}`;

function seriesOf(bins: readonly EntropyBin[], against: Against): MarkSeries[] {
  const beside = (at: number, which: Which) =>
    against === 'byLength' ? at * (1 + 0.02 * APART[which]) : at;
  return VIEWS.map(({ id, name, colour, shape }) => ({
    id,
    colour,
    shape,
    marks: bins.map((bin) => ({
      x: beside(bin.at, id),
      y: bin[id].estimate,
      interval: bin[id].interval,
    })),
    describe: (i) => {
      const bin = bins[i];
      return bin === undefined
        ? { head: '', rows: [] }
        : {
            head: `${name}, ${counted(bin.tokens, 'token')}`,
            rows: [
              [against === 'byLength' ? 'length' : 'entropy before', rangeOf(bin)],
              ['mean', `${signed(bin[id].estimate, 5)} nats`],
              ['95 % interval', interval(bin[id].interval)],
            ],
          };
    },
  }));
}

const rowsOf = (bins: readonly EntropyBin[]): string[][] =>
  bins.map((bin) => [
    rangeOf(bin),
    count(bin.tokens),
    ...VIEWS.flatMap(({ id }) => [signed(bin[id].estimate, 5), interval(bin[id].interval, 4)]),
    signed(bin.left, 5),
  ]);

export function ChangeFigure({
  measure,
  overlays,
  axesKey,
  against,
  title,
  label,
  xLabel,
  column,
  x,
  caption,
  hero = false,
}: Props) {
  const bins = measure[against];
  const series = [
    ...overlaySeries(overlays, (own) => seriesOf(own[against], against)),
    ...seriesOf(bins, against),
  ];
  const ends = [...extent(series.flatMap(({ marks }) => marks)), 0];
  const y = useAxis('linear', domainOf(ends, 0.08), `${axesKey} ${against}`, 5);
  const columns = [
    column,
    'tokens',
    ...VIEWS.flatMap(({ name }) => [`${name}, nats`, '95 % interval']),
    'left unexplained, nats',
  ];
  return (
    <Figure
      title={title}
      {...(hero ? { className: 'figure-hero' } : {})}
      overlays={overlays}
      table={() =>
        overlayTable(overlays, { columns, rows: rowsOf(bins) }, (own) => rowsOf(own[against]))
      }
      caption={caption}
    >
      <Legend items={VIEWS.map(({ name, shape, colour }) => ({ name, mark: shape, colour }))} />
      <ErrorBars
        label={label}
        x={x}
        y={y}
        xLabel={xLabel}
        yLabel="mean, nats per token"
        height={HEIGHT}
        series={series}
        rules={[{ along: 'y', at: 0, label: 'no change' }]}
      />
    </Figure>
  );
}
