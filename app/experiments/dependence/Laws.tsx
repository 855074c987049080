/** Two laws over one measurement: sigma^2/L, and the law corrected for what the tokens share. */
import { useId } from 'react';
import type { DependenceResult } from '../../../src/experiments/dependence';
import type { LawPoint } from '../../../src/experiments/dependence';
import { extent, logDomainOf, useAxis, type AxisMode } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import type { MarkSeries } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import type { Domain } from '../../charts/scale';
import { Legend } from '../../charts/Legend';
import { count, counted, estimate, interval, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { AxisSwitch, CurveSwitch, TooFew } from '../../page/statistics/Controls';
import {
  CURVE_NAMES,
  CURVE_SHAPES,
  lengthsOf,
  SEQUENCE,
  type CurveFigure,
  type CurveKind,
} from '../../page/statistics/views';

const HEIGHT = 330;
const RESIDUAL_HEIGHT = 150;

const COLUMNS = [
  'tokens',
  'responses',
  'measured',
  '95 % interval',
  'naive law',
  'law of the parts',
  '÷ naive',
  '÷ parts',
];

const rowsOf = (points: readonly LawPoint[]) =>
  points.map((point) => [
    lengthsOf(point),
    count(point.sequences),
    significant(point.measured, 5),
    interval(point.interval, 4),
    significant(point.naive, 5),
    significant(point.corrected, 5),
    significant(point.measured / point.naive, 4),
    significant(point.measured / point.corrected, 4),
  ]);

export function Laws({ result, axesKey }: CurveFigure<DependenceResult>) {
  const [mode, setMode] = usePageSetting('dependence', 'axes');
  const [kind, setKind] = usePageSetting('dependence', 'curve');
  const { points } = result[kind];
  const overlays = useOverlays('dependence');
  const rowsIn = (own: DependenceResult) => rowsOf(own[kind].points);
  return (
    <Figure
      title="The law of the parts over the naive one"
      controls={
        <>
          <CurveSwitch
            value={kind}
            onChoose={(chosen) => {
              if (chosen !== 'both') setKind(chosen);
            }}
          />
          <AxisSwitch value={mode} onChoose={setMode} />
        </>
      }
      overlays={overlays}
      table={() => overlayTable(overlays, { columns: COLUMNS, rows: rowsIn(result) }, rowsIn)}
      caption={
        <>
          On prompts that they were not fitted on, measured ÷ predicted is{' '}
          {estimate(result.naive.level)} by σ²/L and {estimate(result.corrected.level)} by the law
          of the parts. The lines are fitted to tokens and pairs of tokens, not to the points.
          Below, measured ÷ predicted by each law; on 1 the law holds.
        </>
      }
    >
      <Legend
        items={[
          {
            name: `measured, ${CURVE_NAMES[kind]}`,
            mark: CURVE_SHAPES[kind],
            colour: SEQUENCE.colour,
          },
          { name: 'naive, σ²/L (below: open)', line: 'rival' },
          { name: 'law of the parts (below: filled)', line: 'prediction' },
        ]}
      />
      {points.length === 0 ? (
        <TooFew height={HEIGHT + RESIDUAL_HEIGHT} sequences={result.sequences} />
      ) : (
        <LawPlots
          points={points}
          laidOver={(what) =>
            overlaySeries(overlays, (own) => [marksOf(own[kind].points, kind, what)])
          }
          kind={kind}
          mode={mode}
          axesKey={`${axesKey} ${kind}`}
        />
      )}
    </Figure>
  );
}

type What = 'measured' | 'naive' | 'corrected';

interface LawPlotsProps {
  points: readonly LawPoint[];
  /** marks of the kept runs */
  laidOver: (what: What) => readonly MarkSeries[];
  kind: CurveKind;
  mode: AxisMode;
  axesKey: string;
}

function LawPlots({ points, laidOver, kind, mode, axesKey }: LawPlotsProps) {
  const sync = { id: useId(), by: 'value' as const };
  const measured = [...laidOver('measured'), marksOf(points, kind, 'measured')];
  // Of the runs laid over only the corrected residuals: each run's two would look alike.
  const ratios = [
    ...laidOver('corrected'),
    marksOf(points, kind, 'corrected'),
    marksOf(points, kind, 'naive'),
  ];
  const marks = measured.flatMap((own) => own.marks);

  const [low, high] = logDomainOf(
    marks.map((mark) => mark.x),
    0.03,
  );
  const shown = [...extent(marks), ...points.flatMap(({ naive, corrected }) => [naive, corrected])];
  const yNow: Domain = mode === 'log' ? logDomainOf(shown) : [0, Math.max(...shown) * 1.05];
  const x = useAxis(mode, mode === 'log' ? [low, high] : [0, high], `${axesKey} x`, 6);
  const y = useAxis(mode, yNow, `${axesKey} y`, 6);
  const ratio = useAxis(
    'log',
    logDomainOf([...extent(ratios.flatMap((own) => own.marks)), 0.7, 1.4]),
    `${axesKey} ratio`,
    4,
  );
  const line = (law: 'naive' | 'corrected') =>
    points.map((point): [number, number] => [point.length, point[law]]);
  return (
    <>
      <ErrorBars
        label={`Variance of log s at ${counted(points.length, 'length')}, with both laws`}
        x={x}
        y={y}
        yLabel="Var[log s], nats²"
        height={HEIGHT}
        xTicks={false}
        series={measured}
        lines={[
          { id: 'naive', kind: 'rival', points: line('naive') },
          { id: 'corrected', kind: 'prediction', points: line('corrected') },
        ]}
        sync={sync}
      />
      <div className="residuals">
        <ErrorBars
          label="Residuals: measured variance over each law"
          x={x}
          y={ratio}
          xLabel="response tokens, L"
          yLabel="measured ÷ predicted"
          height={RESIDUAL_HEIGHT}
          series={ratios}
          rules={[{ along: 'y', at: 1, label: '', kind: 'prediction' }]}
          sync={sync}
        />
      </div>
    </>
  );
}

/** The measured variance, or it over one of the laws. */
function marksOf(points: readonly LawPoint[], kind: CurveKind, what: What): MarkSeries {
  const under = (point: LawPoint) => (what === 'measured' ? 1 : point[what]);
  return {
    // corrected residuals answer to the same point as the measurement above them
    id: what === 'naive' ? 'naive' : 'measured',
    colour: SEQUENCE.colour,
    shape: CURVE_SHAPES[kind],
    marks: points.map((point) => ({
      x: point.length,
      y: point.measured / under(point),
      interval: point.interval && [
        point.interval[0] / under(point),
        point.interval[1] / under(point),
      ],
      hollow: what === 'naive',
    })),
    describe: (i) => {
      const point = points[i];
      return point === undefined
        ? { head: '', rows: [] }
        : {
            head: `${lengthsOf(point)}, ${counted(point.sequences, 'response')}`,
            rows: [
              ['measured', significant(point.measured, 4)],
              ['95 % interval', interval(point.interval)],
              ['naive law', significant(point.naive, 4)],
              ['law of the parts', significant(point.corrected, 4)],
            ],
          };
    },
  };
}
