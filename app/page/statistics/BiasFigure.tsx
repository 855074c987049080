/** Where the two of a pair differ: mean difference of tokens that the one that drew them was about equally sure of. */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import type { ReactNode } from 'react';
import type { PredictedPair, SurenessBin } from '../../../src/experiments/shared/pair-difference';
import { useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import type { MarkSeries } from '../../charts/ErrorBars';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import type { Overlaid } from '../../charts/shapes';
import type { Domain } from '../../charts/scale';
import { count, interval, percent, signed, significant } from '../../format/numbers';
import { TOKEN, type CurveKind } from './views';

const HEIGHT = 320;
const tableColumns = ({ drew }: PairWords) => [
  t`log-prob under the ${drew}`,
  'tokens',
  t`mean difference, nats`,
  '95 % interval',
  t`standard deviation, nats`,
];

/** What a page calls the two. */
export interface PairWords {
  title: string;
  /** which of them drew the tokens: "sampler" */
  drew: string;
  /** of the axes */
  xLabel: string;
  yLabel: string;
  /** what the difference is, before the figures of all tokens together */
  caption: ReactNode;
  /** after them */
  more: ReactNode;
}

export interface PairFigure<Measure extends PredictedPair = PredictedPair> {
  measure: Measure;
  sequences: number;
  kind: CurveKind;
  axesKey: string;
  overlays: readonly Overlaid<Measure>[];
}

const probability = ({ logp }: SurenessBin) => percent(Math.exp(logp), 1);

function seriesOf({ bySureness: bins }: PredictedPair): MarkSeries {
  return {
    id: 'bias',
    colour: TOKEN.colour,
    shape: TOKEN.shape,
    marks: bins.map((bin) => ({ x: bin.logp, y: bin.bias, interval: bin.interval })),
    describe: (i) => {
      const bin = bins[i];
      return bin === undefined
        ? { head: '', rows: [] }
        : {
            head: t`${plural(bin.tokens, { one: '# token', other: '# tokens' })}, about ${probability(bin)} sure`,
            rows: [
              [t`mean difference`, `${signed(bin.bias, 4)} nats`],
              [t`95 % interval`, interval(bin.interval)],
              [t`standard deviation`, significant(bin.spread, 3)],
            ],
          };
    },
  };
}

function rowsOf({ bySureness: bins }: PredictedPair): string[][] {
  return bins.map((bin) => [
    `${significant(bin.low, 3)} to ${significant(bin.high, 3)}`,
    count(bin.tokens),
    signed(bin.bias, 5),
    interval(bin.interval, 4),
    significant(bin.spread, 4),
  ]);
}

export function BiasFigure({
  measure,
  axesKey,
  overlays,
  words,
}: PairFigure & { words: PairWords }) {
  const { sigma, bias } = measure;
  const bins = [measure, ...overlays.map(({ result }) => result)].flatMap(
    ({ bySureness }) => bySureness,
  );
  const x = useAxis('linear', padded(bins.map(({ logp }) => logp)), `${axesKey} x`, 6);
  const expected = -(sigma ** 2) / 2;
  const ends = bins.flatMap((bin) => [bin.bias, ...(bin.interval ?? [])]);
  const y = useAxis('linear', padded([...ends, 0, expected]), `${axesKey} y`, 6);
  const series = [...overlaySeries(overlays, (own) => [seriesOf(own)]), seriesOf(measure)];
  return (
    <Figure
      title={words.title}
      className="figure-hero"
      overlays={overlays}
      table={() =>
        overlayTable(overlays, { columns: tableColumns(words), rows: rowsOf(measure) }, rowsOf)
      }
      caption={
        <>
          <Trans>
            {words.caption}, tokens in equal shares by how sure the {words.drew} was. All together:
            mean {signed(bias.estimate, 3)}
            {bias.interval !== null && ` ${interval(bias.interval)}`}, standard deviation{' '}
            {significant(sigma, 3)} nats{words.more}.
          </Trans>
        </>
      }
    >
      <Legend
        items={[
          { name: t`measured`, mark: TOKEN.shape, colour: TOKEN.colour },
          { name: t`noise around a mean weight of 1: −σ²/2`, line: 'prediction' },
        ]}
      />
      <ErrorBars
        label={t`Mean difference by how sure the ${words.drew} was`}
        x={x}
        y={y}
        xLabel={words.xLabel}
        yLabel={words.yLabel}
        height={HEIGHT}
        series={series}
        rules={[
          { along: 'y', at: expected, label: '', kind: 'prediction' },
          { along: 'y', at: 0, label: t`no difference` },
        ]}
      />
    </Figure>
  );
}

function padded(values: readonly number[]): Domain {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const margin = 0.08 * (high - low) || 1e-6;
  return [low - margin, high + margin];
}
