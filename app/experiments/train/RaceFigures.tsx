/** The race as small multiples over the steps, with one crosshair through all of them. */
import { useId, useState } from 'react';
import type { Stamp } from '../../../src/export/stamp';
import { logDomainOf, useAxis } from '../../charts/axes';
import { CurveLegend, Curves, type Curve } from '../../charts/Curves';
import { Figure } from '../../figures/Figure';
import { domainOf } from '../../charts/scale';
import { Choice } from '../../page/Choice';
import { curvesOf, FIGURES, type FigureSpec, type Line } from './series';

const WIDTHS = [1, 5, 10] as const;

interface RaceFiguresProps {
  lines: readonly Line[];
  steps: number;
  /** axes start afresh when it changes */
  axesKey: string;
  stamp: () => Stamp;
  /** of the race that ships with the lab */
  recorded: boolean;
}

export function RaceFigures({ lines, steps, axesKey, stamp, recorded }: RaceFiguresProps) {
  const crosshair = useId();
  const [width, setWidth] = useState<(typeof WIDTHS)[number]>(1);
  return (
    <>
      <div className="race-legend">
        <CurveLegend entries={lines.map(({ look }) => ({ ...look, kind: 'line' as const }))} />
        <div data-part="controls">
          <Choice
            label="Average over steps"
            value={width}
            choices={WIDTHS.map((value) => ({
              value,
              name: value === 1 ? 'every step' : `mean of ${value}`,
            }))}
            onChoose={setWidth}
          />
        </div>
      </div>
      <div className="race-figures">
        {FIGURES.map((spec) => ({ spec, curves: curvesOf(spec, lines, width) }))
          .filter(({ spec, curves }) => !spec.optional || curves.length > 0)
          .map(({ spec, curves }) => (
            <RaceFigure
              key={spec.id}
              spec={spec}
              curves={curves}
              steps={steps}
              axesKey={`${axesKey} ${width}`}
              crosshair={crosshair}
              stamp={stamp}
              recorded={recorded}
            />
          ))}
      </div>
    </>
  );
}

interface RaceFigureProps {
  spec: FigureSpec;
  curves: readonly Curve[];
  steps: number;
  axesKey: string;
  /** what all figures of the race share */
  crosshair: string;
  stamp: () => Stamp;
  recorded: boolean;
}

function* shown(curves: readonly Curve[]): Generator<number> {
  for (const { y, interval } of curves) {
    yield* Array.from(y);
    for (const ends of interval ?? []) if (ends !== null) yield* ends;
  }
}

function RaceFigure({ spec, curves, steps, axesKey, crosshair, stamp, recorded }: RaceFigureProps) {
  const { title, caption, mode, yLabel, show } = spec;
  const first = curves.some(({ x: at }) => at[0] === 0) ? 0 : 1;
  const x = useAxis('linear', [first - 0.5, Math.max(2, steps) + 0.5], axesKey, 8);
  const values = [...shown(curves)].filter(
    (v) => Number.isFinite(v) && (mode === 'linear' || v > 0),
  );
  const [low, high] = mode === 'log' ? logDomainOf(values) : domainOf(values, 0.08);
  // An axis never narrows; the one that stands in before there is a value must not be what it starts from.
  const key = values.length === 0 ? `${axesKey} nothing yet` : axesKey;
  const y = useAxis(mode, [low, Math.min(high, spec.atMost ?? Infinity)], key, 4);
  return (
    <Figure
      title={title}
      caption={caption}
      recorded={recorded}
      table={() => tableOf(curves, show)}
      stamp={stamp}
      className="race-figure"
    >
      {curves.length === 0 ? (
        <div className="plot-empty race-empty">
          <p>{spec.id === 'held-out' ? 'Not evaluated yet.' : 'Grows with every step.'}</p>
        </div>
      ) : (
        <Curves
          label={title}
          curves={curves}
          x={x}
          y={y}
          xLabel="step"
          yLabel={yLabel}
          height={170}
          left={58}
          showX={(step) => `step ${step}`}
          showY={show}
          sync={{ id: crosshair, by: 'value' }}
        />
      )}
    </Figure>
  );
}

function tableOf(curves: readonly Curve[], show: (y: number) => string) {
  const steps = [...new Set(curves.flatMap(({ x }) => Array.from(x)))].sort((a, b) => a - b);
  const byStep = curves.map(
    ({ x, y }) => new Map(Array.from(x, (step, i) => [step, y[i] as number])),
  );
  return {
    columns: ['step', ...curves.map(({ name }) => name)],
    rows: steps.map((step) => [
      String(step),
      ...byStep.map((values) => {
        const value = values.get(step);
        return value === undefined ? '–' : show(value);
      }),
    ]),
  };
}
