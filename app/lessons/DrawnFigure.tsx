/** What a student drew, under what was measured: on top of the page that the step has opened. */
import { useMemo } from 'react';
import { useStore } from 'zustand';
import { sameRun } from '../../src/link/link';
import { curveOf, measuredCurve, type MeasuredPoint } from '../../src/lessons/curves';
import { checkedPage, type Ask } from '../../src/lessons/lesson';
import { scoreDrawing, type Drawing, type ScoredPoint } from '../../src/lessons/score';
import { extent, logDomainOf, useAxis } from '../charts/axes';
import { DRAWN_COLOUR } from '../charts/DrawnCurve';
import { ErrorBars } from '../charts/ErrorBars';
import { Legend } from '../charts/Legend';
import { domainOf, widen, type Domain } from '../charts/scale';
import { Figure } from '../figures/Figure';
import { interval, significant } from '../format/numbers';
import { useLabState } from '../state/react';
import { lessonStore } from './session';

const NONE: readonly MeasuredPoint[] = [];

export default function DrawnFigure() {
  const step = useStore(lessonStore, ({ lesson, step: at }) => lesson?.steps[at]);
  const answer = useStore(lessonStore, ({ answers, step: at }) => answers[at]);
  const page = step === undefined ? null : checkedPage(step);
  const run = useLabState((state) => state.run);
  const measurement = useLabState(({ measurements }) =>
    page === null ? undefined : measurements[page],
  );
  const own = run?.settings && step && sameRun(run.settings, step.opened.run);
  const result = own && measurement?.run === run.id ? measurement.result : null;
  const id = step?.ask?.kind === 'draw' ? step.ask.curve : null;
  const measured = useMemo(
    () => (result === null || id === null ? NONE : measuredCurve(id, result)),
    [result, id],
  );
  if (step?.ask?.kind !== 'draw' || answer?.kind !== 'drawing') return null;
  return <Laid ask={step.ask} drawing={answer} measured={measured} run={run?.id ?? 0} />;
}

interface LaidProps {
  ask: Extract<Ask, { kind: 'draw' }>;
  drawing: Drawing;
  measured: readonly MeasuredPoint[];
  run: number;
}

function Laid({ ask, drawing, measured, run }: LaidProps) {
  const curve = curveOf(ask.curve);
  const { points } = scoreDrawing(drawing, { x: curve.x.kind, y: curve.y.kind }, measured);
  const holding = (kind: 'log' | 'linear', given: Domain, values: number[]): Domain => {
    if (values.length === 0) return given;
    return widen(given, kind === 'log' ? logDomainOf(values, 0) : domainOf(values, 0));
  };
  const x = useAxis(
    curve.x.kind,
    holding(
      curve.x.kind,
      ask.x,
      measured.map((point) => point.x),
    ),
    `${run} x`,
    6,
  );
  const y = useAxis(curve.y.kind, holding(curve.y.kind, ask.y, extent(measured)), `${run} y`, 6);
  const wordsOf = ({ x: at, y: value, interval: ends }: MeasuredPoint) => {
    const scored = points.find((point) => point.x === at);
    return {
      head: `${curve.x.label}: ${significant(at, 3)}`,
      rows: [
        ['measured', significant(value, 3)],
        ['95 % interval', interval(ends)],
        ...(scored === undefined
          ? []
          : [
              ['drawn', significant(scored.drawn, 3)],
              ['off by', offBy(scored)],
            ]),
      ] as [string, string][],
    };
  };
  return (
    <Figure
      title="Your curve and the measurement"
      recorded={false}
      table={() => ({
        columns: [curve.x.label, 'measured', '95 % interval', 'drawn', 'half-widths off'],
        rows: points.map((point) => [
          significant(point.x, 3),
          significant(point.y, 3),
          interval(point.interval),
          significant(point.drawn, 3),
          point.intervals === null ? '' : significant(point.intervals, 2),
        ]),
      })}
      caption={`${curve.title}. Line: what you drew. Points: what was measured, with 95 % intervals that are valid at every look.`}
    >
      <Legend
        items={[
          { name: 'drawn', line: 'line', colour: DRAWN_COLOUR },
          { name: 'measured', mark: 'circle', colour: '--ink' },
        ]}
      />
      <ErrorBars
        label="Your curve and the measured points"
        x={x}
        y={y}
        xLabel={curve.x.label}
        yLabel={curve.y.label}
        height={320}
        series={[
          {
            id: 'measured',
            colour: '--ink',
            shape: 'circle',
            marks: measured,
            describe: (i) => {
              const point = measured[i];
              return point === undefined ? { head: '', rows: [] } : wordsOf(point);
            },
          },
        ]}
        lines={[
          {
            id: 'drawn',
            kind: 'line',
            colour: DRAWN_COLOUR,
            points: drawing.x.map((at, i): [number, number] => [at, drawing.y[i] ?? NaN]),
          },
        ]}
      />
    </Figure>
  );
}

const offBy = ({ intervals, drawn, y }: ScoredPoint): string =>
  intervals === null
    ? 'unknown'
    : `${significant(intervals, 2)} half-widths, ${drawn > y ? 'too high' : 'too low'}`;
