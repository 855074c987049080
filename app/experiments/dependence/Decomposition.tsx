/** Var[log s] taken apart: each part starts where the one before ends, and together they are the total. */
import { useState } from 'react';
import type { DependenceResult } from '../../../src/experiments/dependence';
import { useAxis } from '../../charts/axes';
import { Figure } from '../../figures/Figure';
import { overlayTable } from '../../charts/overlay';
import { type Overlaid, markPath } from '../../charts/shapes';
import { Plot, Tooltip, type Frame } from '../../charts/Plot';
import { domainOf, linearScale } from '../../charts/scale';
import { percent, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import type { CurveFigure } from '../../page/statistics/views';
import { stepsOf, type Step } from './steps';

/** px of a part: its name, below it its bar */
const ROW = 42;
const BAR = 16;
/** px of the axis below the parts */
const AXIS = 50;
/** px between a part's bar and those of each run laid over */
const LANE = 8;

function rowsOf({ decomposition }: DependenceResult): string[][] {
  return stepsOf(decomposition).map(({ name, value }) => [
    name,
    significant(value, 5),
    percent(value / decomposition.total),
  ]);
}

export function Decomposition({ result, axesKey }: CurveFigure<DependenceResult>) {
  const [near, setNear] = useState<number | null>(null);
  const steps = stepsOf(result.decomposition);
  const { total } = result.decomposition;
  const overlays = useOverlays('dependence');
  const laid = overlays.map((own) => ({ ...own, steps: stepsOf(own.result.decomposition) }));
  const ends = [steps, ...laid.map((own) => own.steps)]
    .flat()
    .flatMap(({ from, to }) => [from, to]);
  const x = useAxis('linear', domainOf(ends, 0.06), `${axesKey} parts`, 4);
  const y = linearScale([-0.5, steps.length - 0.5], 1);
  const rowOf = (row: number) => steps.length - 1 - row;
  return (
    <Figure
      title="Where the variance comes from"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          { columns: ['part', 'nats²', 'share of the total'], rows: rowsOf(result) },
          rowsOf,
        )
      }
      caption={
        <>
          Var[log s] over all responses, {significant(total, 4)} nats². Independent tokens would
          give the first bar alone. The rest is what the law of the parts leaves. The parts add up
          to the total: covariances may be negative, so that a part of more than 100 % and one below
          0 % cancel.
        </>
      }
    >
      <Plot
        label={`Parts of Var[log s]: ${steps.map(({ name, value }) => `${name} ${percent(value / total)}`).join(', ')}`}
        x={x}
        y={y}
        xLabel="nats²"
        yTicks={false}
        left={16}
        height={AXIS + steps.length * (ROW + LANE * laid.length)}
        grid="x"
        interactive
        over={(frame) => {
          const step = near === null ? undefined : steps[near];
          if (near === null || step === undefined) return null;
          return (
            <Tooltip frame={frame} x={frame.x(step.to)} y={frame.y(rowOf(near))}>
              <div className="tooltip-head">{step.name}</div>
              <div className="tooltip-row">
                nats² <b>{significant(step.value, 5)}</b>
              </div>
              <div className="tooltip-row">
                of the total <b>{percent(step.value / total, 2)}</b>
              </div>
            </Tooltip>
          );
        }}
      >
        {(frame) =>
          steps.map((step, row) => (
            <Bar
              key={step.name}
              step={step}
              share={step.value / total}
              rows={steps.length}
              last={row === steps.length - 1}
              y={frame.y(rowOf(row))}
              frame={frame}
              laid={laid.flatMap((own) => {
                const other = own.steps[row];
                return other === undefined ? [] : [{ ...own, step: other }];
              })}
              onNear={(is) => setNear(is ? row : null)}
            />
          ))
        }
      </Plot>
    </Figure>
  );
}

interface BarProps {
  step: Step;
  share: number;
  rows: number;
  last: boolean;
  y: number;
  frame: Frame;
  laid: readonly (Overlaid<unknown> & { step: Step })[];
  onNear: (near: boolean) => void;
}

function Bar({ step, share, rows, last, y: middle, frame, laid, onNear }: BarProps) {
  const y = middle - (LANE * laid.length) / 2;
  const { name, from, to, kind } = step;
  const left = Math.min(frame.x(from), frame.x(to));
  const width = Math.max(1, Math.abs(frame.x(to) - frame.x(from)));
  const top = y + 1;
  return (
    <g
      className="part"
      role="img"
      tabIndex={0}
      aria-label={`${name}: ${significant(step.value, 4)}, ${percent(share)} of the total`}
      onPointerEnter={() => onNear(true)}
      onPointerLeave={() => onNear(false)}
      onFocus={() => onNear(true)}
      onBlur={() => onNear(false)}
    >
      <rect className="plot-hit" y={y - ROW / 2} width={frame.width} height={ROW} />
      <text className="row-name row-name-clear" x={2} y={y - 5}>
        {name}
        <tspan className="part-share" dx={8}>
          {percent(share)}
        </tspan>
      </text>
      <rect className={`part-bar part-${kind}`} x={left} width={width} y={top} height={BAR} />
      {laid.map(({ id, label, look, step: other }, lane) => {
        const below = top + BAR + (lane + 0.75) * LANE;
        return (
          <g key={id} style={{ color: `var(${look.colour})` }}>
            <line
              className="overlay-line overlay-series"
              strokeDasharray={look.dash}
              x1={frame.x(other.from)}
              x2={frame.x(other.to)}
              y1={below}
              y2={below}
            />
            <path
              className="overlay-mark"
              transform={`translate(${frame.x(other.to).toFixed(1)},${below})`}
              d={markPath(look.shape, 3)}
            >
              <title>{`${label}: ${name} ${significant(other.value, 4)}`}</title>
            </path>
          </g>
        );
      })}
      {!last && (
        <line
          className="part-link"
          x1={frame.x(to)}
          x2={frame.x(to)}
          y1={top + BAR}
          y2={top + frame.height / rows}
        />
      )}
    </g>
  );
}
