/** The part of the perplexity's bias that is no noise: early tokens are harder, or easier, than late ones. */
import type { LengthPoint, LengthResult } from '../../../src/experiments/length';
import { useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import type { MarkSeries } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { domainOf } from '../../charts/scale';
import { Legend } from '../../charts/Legend';
import { count, counted, signed } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { lengthsOf, useLengthAxis } from '../../page/statistics/views';
import { TooFew } from '../../page/statistics/Controls';
import { OLD, type LengthFigure } from './series';

const HEIGHT = 290;

type Position = LengthPoint & { position: number };

function positionsOf({ prefix }: LengthResult): Position[] {
  return prefix.points.flatMap((point) =>
    point.position === null ? [] : [{ ...point, position: point.position }],
  );
}

function marksOf(points: readonly Position[]): MarkSeries {
  return {
    id: 'position',
    colour: OLD.colour,
    shape: OLD.shape,
    marks: points.map(({ length, position }) => ({ x: length, y: position, interval: null })),
    describe: (i) => {
      const point = points[i];
      return point === undefined
        ? { head: '', rows: [] }
        : {
            head: `first ${lengthsOf(point)}, ${counted(point.sequences, 'response')}`,
            rows: [['more nats a token', signed(point.position, 5)]],
          };
    },
  };
}

const rowsOf = (points: readonly Position[]) =>
  points.map((point) => [lengthsOf(point), count(point.sequences), signed(point.position, 6)]);

export function Positions({ result, axesKey: pageKey }: LengthFigure) {
  const axesKey = `${pageKey} ${result.prefix.points.length === 0 ? 'empty' : ''}`;
  const overlays = useOverlays('length');
  const points = positionsOf(result);
  const series = [
    ...overlaySeries(overlays, (own) => [marksOf(positionsOf(own))]),
    marksOf(points),
  ];
  const marks = series.flatMap((own) => own.marks);
  const x = useLengthAxis(
    marks.map((mark) => mark.x),
    axesKey,
    5,
  );
  const y = useAxis(
    'linear',
    domainOf([...marks.map((mark) => mark.y), -0.01, 0.01], 0.08),
    `${axesKey} position`,
    4,
  );
  return (
    <Figure
      title="The bias from position"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['first', 'responses', 'mean H_old less that of the longest prefix, nats'],
            rows: rowsOf(points),
          },
          (own) => rowsOf(positionsOf(own)),
        )
      }
      caption="Mean cross-entropy of the first L tokens less that of the longest prefix, same responses: above 0 where early tokens are the harder ones. No prediction; no interval."
    >
      <Legend items={[{ name: 'measured, prefixes', mark: OLD.shape, colour: OLD.colour }]} />
      {points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label="Mean cross-entropy of prefixes less that of the longest prefix"
          x={x}
          y={y}
          xLabel="tokens, L"
          yLabel="nats a token"
          height={HEIGHT}
          series={series}
          rules={[{ along: 'y', at: 0, label: '' }]}
        />
      )}
    </Figure>
  );
}
