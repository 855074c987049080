/** Where the two engines differ: mean difference of tokens that the sampler was about equally sure of. */
import type { MismatchMeasure, SurenessBin } from '../../../src/experiments/mismatch';
import { useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import type { MarkSeries } from '../../charts/ErrorBars';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import type { Overlaid } from '../../charts/shapes';
import type { Domain } from '../../charts/scale';
import { count, counted, interval, percent, signed, significant } from '../../format/numbers';
import { TOKEN, type CurveKind } from '../../page/statistics/views';

const HEIGHT = 320;
const TABLE_COLUMNS = [
  'log-prob under the sampler',
  'tokens',
  'mean difference, nats',
  '95 % interval',
  'standard deviation, nats',
];

export interface MismatchFigure {
  measure: MismatchMeasure;
  sequences: number;
  kind: CurveKind;
  axesKey: string;
  overlays: readonly Overlaid<MismatchMeasure>[];
}

const probability = ({ logp }: SurenessBin) => percent(Math.exp(logp), 1);

function seriesOf({ bySureness: bins }: MismatchMeasure): MarkSeries {
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
            head: `${counted(bin.tokens, 'token')}, about ${probability(bin)} sure`,
            rows: [
              ['mean difference', `${signed(bin.bias, 4)} nats`],
              ['95 % interval', interval(bin.interval)],
              ['standard deviation', significant(bin.spread, 3)],
            ],
          };
    },
  };
}

function rowsOf({ bySureness: bins }: MismatchMeasure): string[][] {
  return bins.map((bin) => [
    `${significant(bin.low, 3)} to ${significant(bin.high, 3)}`,
    count(bin.tokens),
    signed(bin.bias, 5),
    interval(bin.interval, 4),
    significant(bin.spread, 4),
  ]);
}

export function BiasFigure({ measure, axesKey, overlays }: MismatchFigure) {
  const { sigma, bias, metrics } = measure;
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
      title="Trainer minus sampler"
      className="figure-hero"
      overlays={overlays}
      table={() =>
        overlayTable(overlays, { columns: TABLE_COLUMNS, rows: rowsOf(measure) }, rowsOf)
      }
      caption={
        <>
          eₜ = log π_old(yₜ) − log π_sampler(yₜ), tokens in equal shares by how sure the sampler
          was. All together: mean {signed(bias.estimate, 3)} {interval(bias.interval)}, standard
          deviation {significant(sigma, 3)} nats; KL(sampler ‖ trainer), k3:{' '}
          {significant(metrics.k3_kl, 3)}.
        </>
      }
    >
      <Legend
        items={[
          { name: 'measured', mark: TOKEN.shape, colour: TOKEN.colour },
          { name: 'noise around a mean weight of 1: −σ²/2', line: 'prediction' },
        ]}
      />
      <ErrorBars
        label="Mean difference between trainer and sampler by how sure the sampler was"
        x={x}
        y={y}
        xLabel="log π_sampler(yₜ), nats"
        yLabel="mean of eₜ, nats"
        height={HEIGHT}
        series={series}
        rules={[
          { along: 'y', at: expected, label: '', kind: 'prediction' },
          { along: 'y', at: 0, label: 'no difference' },
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
