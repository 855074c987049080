/** What is left of the variance of a token, of s and of the unnormalised weight when pi_theta is forced onto pi_old's routes. */
import type { Level, MeasuredReplay } from '../../../src/experiments/experts';
import { Legend } from '../../charts/Legend';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Rows, type Row } from '../../charts/Rows';
import { percentScale } from '../../charts/scale';
import type { Overlaid } from '../../charts/shapes';
import { Figure } from '../../figures/Figure';
import { interval, percent, significant } from '../../format/numbers';
import { SEQUENCE, TOKEN, UNNORMALISED } from '../../page/statistics/views';

const NAMES: Record<Level, { name: string; look: typeof TOKEN }> = {
  token: { name: 'a token, Var[dₜ]', look: TOKEN },
  sequence: { name: 'the sequence weight, Var[log s]', look: SEQUENCE },
  product: { name: 'the unnormalised weight, Var[log ρ]', look: UNNORMALISED },
};

const LEVELS = Object.keys(NAMES) as Level[];

const leftOf = ({ left }: MeasuredReplay, level: Level) => {
  const { estimate, interval: ends } = left[level];
  return {
    value: Number.isFinite(estimate) ? Math.exp(estimate) : null,
    interval: ends && ([Math.exp(ends[0]), Math.exp(ends[1])] as const),
  };
};

const rowsOf = (replay: MeasuredReplay): Row[] =>
  LEVELS.map((level) => {
    const { name, look } = NAMES[level];
    const { colour, shape } = look;
    return {
      name,
      marks: [{ name: 'left', colour, shape, filled: true, ...leftOf(replay, level) }],
    };
  });

const tableOf = (replay: MeasuredReplay): string[][] =>
  LEVELS.map((level) => {
    const { free, replayed } = replay.variance[level];
    const { value, interval: ends } = leftOf(replay, level);
    return [
      NAMES[level].name,
      significant(free.estimate, 4),
      interval(free.interval, 3),
      significant(replayed.estimate, 4),
      interval(replayed.interval, 3),
      value === null ? '–' : percent(value, 1),
      ends === null ? '–' : `[${percent(ends[0], 1)}, ${percent(ends[1], 1)}]`,
    ];
  });

interface Props {
  replay: MeasuredReplay;
  overlays: readonly Overlaid<MeasuredReplay>[];
}

export function ReplayFigure({ replay, overlays }: Props) {
  const { sequence, token } = replay.outside;
  return (
    <Figure
      title="What routing replay leaves"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: [
              'of',
              'own routes, nats²',
              '95 % interval',
              'old routes, nats²',
              '95 % interval',
              'left',
              '95 % interval',
            ],
            rows: tableOf(replay),
          },
          tableOf,
        )
      }
      caption={
        <>
          Variance when every token goes to the experts that the old policy sent it to, as a share
          of what it is without. Outside GSPO’s band are {percent(sequence.free.estimate, 1)} of the
          responses, with replay {percent(sequence.replayed.estimate, 1)}; outside GRPO’s{' '}
          {percent(token.free.estimate, 2)} of the tokens, with replay{' '}
          {percent(token.replayed.estimate, 2)}.
        </>
      }
    >
      <Legend items={LEVELS.map((level) => ({ ...lookOf(level), name: NAMES[level].name }))} />
      <Rows
        label="Share of the variance that routing replay leaves"
        rows={overlayRows(overlays, rowsOf(replay), rowsOf)}
        x={percentScale(1.3)}
        xLabel="left of the variance"
        show={(share) => percent(share, 1)}
        marks={[{ value: 1, label: 'no effect' }]}
      />
    </Figure>
  );
}

const lookOf = (level: Level) => {
  const { shape, colour } = NAMES[level].look;
  return { mark: shape, colour };
};
