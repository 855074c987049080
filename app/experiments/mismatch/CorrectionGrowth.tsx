/** What each correction keeps of the sample as responses grow longer. */
import type { GrownId, MismatchMeasure, PredictedGrowth } from '../../../src/experiments/mismatch';
import { ErrorBars, type CurveLine, type MarkSeries } from '../../charts/ErrorBars';
import { Legend } from '../../charts/Legend';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { linearScale } from '../../charts/scale';
import type { MarkShape, Overlaid } from '../../charts/shapes';
import { Figure } from '../../figures/Figure';
import { count, counted, interval, percent } from '../../format/numbers';
import { SEQUENCE, UNNORMALISED, useLengthAxis } from '../../page/statistics/views';

const LOOKS: Record<GrownId, { name: string; colour: string; shape: MarkShape; dash?: string }> = {
  rho: { name: 'ρ, uncorrected', colour: UNNORMALISED.colour, shape: UNNORMALISED.shape },
  s: { name: 's, the geometric mean', colour: SEQUENCE.colour, shape: SEQUENCE.shape },
  'token-truncate': { name: 'tokens, truncated', colour: '--series-grpo', shape: 'circle' },
  'token-mask': { name: 'tokens, masked', colour: '--series-grpo', shape: 'triangle', dash: '6 3' },
  'sequence-truncate': { name: 'responses, truncated', colour: '--series-dapo', shape: 'square' },
  'sequence-mask': {
    name: 'responses, masked',
    colour: '--series-dapo',
    shape: 'diamond',
    dash: '6 3',
  },
};

const share = (x: number) => percent(x, 1);

function seriesOf(grown: readonly PredictedGrowth[]): MarkSeries[] {
  return grown.map(({ id, high, points, predicted }, k) => ({
    id,
    colour: LOOKS[id].colour,
    shape: LOOKS[id].shape,
    dodge: 4 * (k - 2.5),
    marks: points.map(({ length, effective }) => ({
      x: length,
      y: effective.estimate,
      interval: effective.interval,
    })),
    describe: (i) => {
      const point = points[i];
      if (point === undefined) return { head: '', rows: [] };
      return {
        head: `${LOOKS[id].name}${high === null ? '' : `, at most ${high}`}, ${counted(point.length, 'token')}`,
        rows: [
          ['effective', share(point.effective.estimate)],
          ['95 % interval', interval(point.effective.interval)],
          ['log-normal', share(predicted[i] ?? NaN)],
          ['weight 0', share(point.dropped)],
          ['responses', count(point.responses)],
        ],
      };
    },
  }));
}

const linesOf = (grown: readonly PredictedGrowth[]): CurveLine[] =>
  grown.map(({ id, points, predicted }) => ({
    id: `${id} predicted`,
    kind: 'prediction',
    colour: LOOKS[id].colour,
    ...(LOOKS[id].dash === undefined ? {} : { dash: LOOKS[id].dash }),
    points: points.map(({ length }, i) => [length, predicted[i] ?? NaN] as const),
  }));

const rowsOf = ({ grown }: MismatchMeasure): string[][] =>
  grown.flatMap(({ id, points, predicted }) =>
    points.map(({ length, responses, effective, dropped }, i) => [
      LOOKS[id].name,
      count(length),
      count(responses),
      percent(effective.estimate, 2),
      interval(effective.interval, 3),
      percent(predicted[i] ?? NaN, 2),
      percent(dropped, 2),
    ]),
  );

interface Props {
  measure: MismatchMeasure;
  overlays: readonly Overlaid<MismatchMeasure>[];
  axesKey: string;
}

export function CorrectionGrowth({ measure, overlays, axesKey }: Props) {
  const { grown } = measure;
  const lengths = grown.flatMap(({ points }) => points.map(({ length }) => length));
  const x = useLengthAxis([0.9, ...lengths, 1.1 * Math.max(1, ...lengths)], `${axesKey} grown`);
  const y = linearScale([0, 1.04], 5);
  if (lengths.length === 0) return null;
  return (
    <Figure
      title="What is kept of the sample, by length"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: [
              'weight',
              'tokens',
              'responses',
              'effective',
              '95 % interval',
              'log-normal',
              'weight 0',
            ],
            rows: rowsOf(measure),
          },
          rowsOf,
        )
      }
      caption="Effective sample size over n of the first L tokens of every response that has them, at the recommended bounds. Lines: for independent normal differences of the measured mean and variance. A bound keeps the sample and gives up being unbiased; the geometric mean keeps it and weighs a response by another number than its probability."
    >
      <Legend
        items={grown.map(({ id }) => ({
          name: LOOKS[id].name,
          mark: LOOKS[id].shape,
          colour: LOOKS[id].colour,
        }))}
      />
      <ErrorBars
        label="Effective sample size over n by length, of each correction"
        x={x}
        y={y}
        xLabel="tokens, L"
        yLabel="effective share"
        height={320}
        series={[...overlaySeries(overlays, (own) => seriesOf(own.grown)), ...seriesOf(grown)]}
        lines={linesOf(grown)}
      />
    </Figure>
  );
}
