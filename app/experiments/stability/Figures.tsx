/** The study's runs as small multiples over the learning rate, and the course of their reward. */
import { useState } from 'react';
import {
  ARMS,
  armTitle,
  ARM_IDS,
  gainOf,
  rewardCurve,
  spreadOf,
  type ArmAtRate,
  type ArmId,
  type StabilityMeasure,
} from '../../../src/experiments/stability';
import type { Stamp } from '../../../src/export/stamp';
import { logDomainOf, useAxis, type AxisMode } from '../../charts/axes';
import { CurveLegend, Curves, type Curve } from '../../charts/Curves';
import { ErrorBars, type MarkSeries } from '../../charts/ErrorBars';
import { domainOf } from '../../charts/scale';
import type { MarkShape } from '../../charts/shapes';
import { Figure } from '../../figures/Figure';
import { interval as ends, percent, significant } from '../../format/numbers';
import { Choice } from '../../page/Choice';
import { objectiveView } from '../../page/objective-views';

interface ArmLook {
  name: string;
  colour: string;
  shape: MarkShape;
  /** of its lines */
  dash: string | null;
  /** px */
  dodge: number;
}

/** Colour by objective, mark by what is trained, dashes where there are no experts. */
const LOOKS: Record<ArmId, ArmLook> = Object.fromEntries(
  ARM_IDS.map((arm, i): [ArmId, ArmLook] => {
    const { objective, routing, kind } = ARMS[arm];
    const replay = routing === 'replayed';
    return [
      arm,
      {
        name: armTitle(arm),
        colour: replay ? objectiveView('cispo').colour : objectiveView(objective).colour,
        shape: replay ? 'triangle' : kind === 'experts' ? 'circle' : 'square',
        dash: kind === 'dense' ? '8 3' : replay ? '2 3' : null,
        dodge: 9 * (i - 2),
      },
    ];
  }),
) as Record<ArmId, ArmLook>;

interface Measure {
  id: string;
  title: string;
  caption: string;
  yLabel: string;
  mode: AxisMode;
  show(y: number): string;
  of(own: ArmAtRate): { y: number; interval: readonly [number, number] | null } | null;
  /** of every run, for the table */
  each(run: ArmAtRate['runs'][number]): string;
}

const points = (x: number) => `${x > 0 ? '+' : ''}${significant(100 * x, 3)} points`;
const expOf = (x: [number, number] | null) => x && ([Math.exp(x[0]), Math.exp(x[1])] as const);

const MEASURES: readonly Measure[] = [
  {
    id: 'gain',
    title: 'Accuracy gained or lost',
    caption:
      'Held-out accuracy at the end less that of the start, on the same prompts. Bars: 95 %, Student’s t over the seeds.',
    yLabel: 'change of the share right',
    mode: 'linear',
    show: points,
    of: ({ gain }) => ({ y: gain.estimate, interval: gain.interval }),
    each: (run) => points(gainOf(run)),
  },
  {
    id: 'spread',
    title: 'Spread of the gradient norm',
    caption:
      'Standard deviation of the norms of a run’s updates over their mean, before clipping; geometric mean over the seeds.',
    yLabel: 'standard deviation over mean',
    mode: 'log',
    show: (y) => significant(y, 3),
    of: ({ logSpread }) =>
      logSpread && { y: Math.exp(logSpread.estimate), interval: expOf(logSpread.interval) },
    each: (run) => significant(spreadOf(run) ?? NaN, 3),
  },
  {
    id: 'lost',
    title: 'Runs that lose accuracy',
    caption:
      'Share of runs that end below their start by more than twice the standard error of the difference. Bars: Wilson 95 %.',
    yLabel: 'share of runs',
    mode: 'linear',
    show: (y) => percent(y, 0),
    of: ({ lost: { hits, of, interval } }) => ({ y: hits / of, interval }),
    each: (run) => `${run.before.correct} → ${run.after.correct} of ${run.after.prompts}`,
  },
  {
    id: 'clip',
    title: 'Clip share',
    caption: 'Mean over the steps, as TRL counts it. Bars: 95 %, Student’s t over the seeds.',
    yLabel: 'share clipped',
    mode: 'log',
    show: (y) => percent(y, 2),
    of: ({ clip }) => ({ y: clip.estimate, interval: clip.interval }),
    each: (run) => percent(run.clip, 2),
  },
];

interface FiguresProps {
  measure: StabilityMeasure;
  recorded: boolean;
  /** axes start afresh when it changes */
  axesKey: string;
  stamp: () => Stamp;
}

export function Figures({ measure, ...rest }: FiguresProps) {
  return (
    <>
      <CurveLegend
        entries={ARM_IDS.filter((arm) => measure.arms.some((own) => own.arm === arm)).map(
          (arm) => ({ ...LOOKS[arm], kind: 'line' as const }),
        )}
      />
      <div className="stability-figures">
        {MEASURES.map((own) => (
          <OverRates key={own.id} own={own} measure={measure} {...rest} />
        ))}
      </div>
      <RewardFigure measure={measure} {...rest} />
    </>
  );
}

function OverRates({ own, measure, recorded, axesKey, stamp }: FiguresProps & { own: Measure }) {
  const { mode, show } = own;
  const series = ARM_IDS.flatMap((arm): MarkSeries[] => {
    const look = LOOKS[arm];
    const marks = measure.arms.flatMap((one) => {
      const found = one.arm === arm ? own.of(one) : null;
      const drawn = found !== null && (mode === 'linear' || found.y > 0);
      return drawn ? [{ one, ...found }] : [];
    });
    if (marks.length === 0) return [];
    return [
      {
        id: arm,
        colour: look.colour,
        shape: look.shape,
        dodge: look.dodge,
        marks: marks.map(({ one, y, interval }) => ({ x: one.learningRate, y, interval })),
        describe: (i) => {
          const mark = marks[i];
          if (mark === undefined) return { head: '', rows: [] };
          return {
            head: `${look.name}, learning rate ${significant(mark.one.learningRate, 2)}`,
            rows: [
              [own.title.toLowerCase(), show(mark.y)],
              [
                '95 % interval',
                mark.interval === null
                  ? 'one seed'
                  : `${show(mark.interval[0])} to ${show(mark.interval[1])}`,
              ],
              ['runs', String(mark.one.runs.length)],
            ],
          };
        },
      },
    ];
  });
  const marks = series.flatMap((one) => one.marks);
  const values = marks.flatMap(({ y, interval }) =>
    mode === 'log'
      ? [y, Math.max(interval?.[0] ?? y, y / 3), Math.min(interval?.[1] ?? y, 3 * y)]
      : [y, ...(interval ?? [])],
  );
  const x = useAxis(
    'log',
    logDomainOf(
      marks.map((mark) => mark.x),
      0.2,
    ),
    `${axesKey} rate`,
    4,
  );
  const domain = mode === 'log' ? logDomainOf(values) : domainOf([0, ...values], 0.08);
  const y = useAxis(mode, domain, `${axesKey} ${own.id}`, 5);
  return (
    <Figure
      title={own.title}
      caption={own.caption}
      recorded={recorded}
      stamp={stamp}
      table={() => ({
        columns: ['way of training', 'learning rate', 'mean', '95 % interval', 'seed by seed'],
        rows: measure.arms.map((one) => {
          const found = own.of(one);
          return [
            armTitle(one.arm),
            significant(one.learningRate, 2),
            found === null ? '–' : show(found.y),
            found?.interval ? ends([...found.interval] as [number, number], 3) : 'none',
            one.runs.map(own.each).join('; '),
          ];
        }),
      })}
    >
      <ErrorBars
        label={own.title}
        x={x}
        y={y}
        xLabel="learning rate"
        yLabel={own.yLabel}
        height={260}
        series={series}
        rules={mode === 'linear' ? [{ along: 'y', at: 0, label: '', kind: 'reference' }] : []}
      />
    </Figure>
  );
}

function RewardFigure({ measure, recorded, axesKey, stamp }: FiguresProps) {
  const rates = [...new Set(measure.arms.map(({ learningRate }) => learningRate))];
  const [chosen, setChosen] = useState<number | null>(null);
  const rate = rates.find((own) => own === chosen) ?? rates.at(-1) ?? 0;
  const curves = measure.arms
    .filter(({ learningRate }) => learningRate === rate)
    .map(({ arm, runs }): Curve => {
      const y = rewardCurve(runs);
      const { name, colour, shape, dash } = LOOKS[arm];
      return { name, colour, shape, dash, kind: 'line', x: y.map((_, i) => i + 1), y: smooth(y) };
    });
  const steps = Math.max(2, ...curves.map(({ x }) => x.length));
  const x = useAxis('linear', [0.5, steps + 0.5], `${axesKey} ${rate} steps`, 8);
  const y = useAxis('linear', [0, 1], `${axesKey} reward`, 5);
  return (
    <Figure
      title="Reward as training goes on"
      caption={`Mean over the seeds of the reward on fresh prompts, mean of the last ${WINDOW} steps; every way of training sees the same prompts.`}
      recorded={recorded}
      stamp={stamp}
      controls={
        rates.length > 1 && (
          <Choice
            label="Learning rate"
            value={rate}
            choices={rates.map((value) => ({ value, name: significant(value, 1) }))}
            onChoose={setChosen}
          />
        )
      }
      table={() => ({
        columns: ['step', ...curves.map(({ name }) => name)],
        rows: Array.from({ length: steps }, (_, i) => [
          String(i + 1),
          ...curves.map((own) => (own.y[i] === undefined ? '–' : percent(own.y[i], 1))),
        ]),
      })}
    >
      <Curves
        label="Mean reward by step"
        curves={curves}
        x={x}
        y={y}
        xLabel="step"
        yLabel="mean reward"
        height={280}
        showX={(step) => `step ${step}`}
        showY={(share) => percent(share, 1)}
      />
    </Figure>
  );
}

const WINDOW = 5;

function smooth(values: readonly number[]): number[] {
  return values.map((_, i) => {
    const own = values.slice(Math.max(0, i + 1 - WINDOW), i + 1);
    return own.reduce((sum, x) => sum + x, 0) / own.length;
  });
}
