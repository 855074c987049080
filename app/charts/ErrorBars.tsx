/**
 * Measured points with error bars over predicted lines. Contract: measurements are marks, predictions
 * lines; exact values of the nearest mark on hover, on touch and by keyboard (one tab stop, arrow keys);
 * plots that are handed the same `near` show the same point and share one crosshair; what lies outside
 * the axes is cut at the frame.
 */
import { useId, useMemo, useState, type KeyboardEvent, type PointerEvent } from 'react';
import './error-bars.css';
import { Plot, Tooltip, type Frame } from './Plot';
import type { Scale } from './scale';
import {
  bandPath,
  inside,
  linePath,
  Marks,
  RuleLine,
  type CurveBand,
  type CurveLine,
  type MarkSeries,
  type Near,
  type Rule,
} from './marks';

interface ErrorBarsProps {
  label: string;
  x: Scale;
  y: Scale;
  xLabel?: string;
  yLabel?: string;
  height: number;
  left?: number;
  xTicks?: boolean;
  series: readonly MarkSeries[];
  lines?: readonly CurveLine[];
  bands?: readonly CurveBand[];
  rules?: readonly Rule[];
  shared?: { near: Near | null; onNear: (near: Near | null) => void };
}

/** px; a pointer further from every mark shows none */
const REACH = 56;

function nearest(series: readonly MarkSeries[], frame: Frame, px: number, py: number): Near | null {
  let best: Near | null = null;
  let least = REACH ** 2;
  for (const { id, marks, dodge = 0 } of series) {
    for (const [index, mark] of marks.entries()) {
      const dx = frame.x(mark.x) + dodge - px;
      const dy = inside(frame.y(mark.y), frame.height) - py;
      // along x first: people point at a length, not at a value
      const distance = dx ** 2 + 0.2 * dy ** 2;
      if (distance < least) {
        least = distance;
        best = { series: id, index };
      }
    }
  }
  return best;
}

function find(series: readonly MarkSeries[], near: Near | null) {
  const own = near && series.find(({ id }) => id === near.series);
  const mark = near === null ? undefined : own?.marks[near.index];
  return near && own && mark ? { mark, words: own.describe(near.index) } : null;
}

const STEPS: Record<string, number> = {
  ArrowRight: 1,
  ArrowLeft: -1,
  ArrowUp: 1,
  ArrowDown: -1,
  Home: -Infinity,
  End: Infinity,
};

export function ErrorBars({
  label,
  x,
  y,
  xLabel,
  yLabel,
  height,
  left = 60,
  xTicks = true,
  series,
  lines = [],
  bands = [],
  rules = [],
  shared,
}: ErrorBarsProps) {
  const clip = useId();
  const [own, setOwn] = useState<Near | null>(null);
  const { near, onNear } = shared ?? { near: own, onNear: setOwn };
  const [tabStop, setTabStop] = useState<Near | null>(null);
  const order = useMemo(
    () =>
      series
        .filter(({ overlay }) => overlay === undefined)
        .flatMap(({ id, marks }) => marks.map((mark, index) => ({ series: id, index, x: mark.x })))
        .sort((a, b) => a.x - b.x),
    [series],
  );
  const stop = order.find((at) => same(at, tabStop)) ?? order[0] ?? null;
  const shown = find(series, near);

  const point = (frame: Frame, event: PointerEvent<SVGRectElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    onNear(nearest(series, frame, event.clientX - box.left, event.clientY - box.top));
  };
  const walk = (event: KeyboardEvent<SVGGElement>) => {
    const step = STEPS[event.key];
    if (step === undefined || stop === null) return;
    event.preventDefault();
    const at = order.findIndex((other) => same(other, stop)) + step;
    const next = order[Math.min(order.length - 1, Math.max(0, at))];
    if (next === undefined) return;
    setTabStop(next);
    event.currentTarget
      .querySelector<SVGPathElement>(`[data-mark="${next.series} ${next.index}"]`)
      ?.focus();
  };

  return (
    <Plot
      label={label}
      x={x}
      y={y}
      {...(xLabel === undefined ? {} : { xLabel })}
      {...(yLabel === undefined ? {} : { yLabel })}
      height={height}
      left={left}
      xTicks={xTicks}
      grid="both"
      interactive
      over={(frame) =>
        shown && (
          <Tooltip
            frame={frame}
            x={frame.x(shown.mark.x)}
            y={inside(frame.y(shown.mark.y), frame.height)}
          >
            <div className="tooltip-head">{shown.words.head}</div>
            {shown.words.rows.map(([name, value]) => (
              <div key={name} className="tooltip-row">
                {name}
                <b>{value}</b>
              </div>
            ))}
          </Tooltip>
        )
      }
    >
      {(frame) => (
        <>
          <defs>
            <clipPath id={clip}>
              <rect x={-6} y={-6} width={frame.width + 12} height={frame.height + 6} />
            </clipPath>
          </defs>
          <g clipPath={`url(#${clip})`}>
            {bands.map(({ id, points }) => (
              <path key={id} className="curve-band" d={bandPath(points, frame)} />
            ))}
            {shown && (
              <line
                className="curve-cross"
                x1={frame.x(shown.mark.x)}
                x2={frame.x(shown.mark.x)}
                y2={frame.height}
              />
            )}
            {lines.map(({ id, kind, colour, points }) => (
              <path
                key={id}
                className={`curve-line curve-${kind}`}
                d={linePath(points, frame)}
                {...(colour === undefined ? {} : { style: { color: `var(${colour})` } })}
              />
            ))}
          </g>
          {rules.map((rule) => (
            <RuleLine key={`${rule.along} ${rule.label}`} rule={rule} frame={frame} />
          ))}
          <rect
            className="plot-hit"
            width={frame.width}
            height={frame.height}
            onPointerMove={(event) => point(frame, event)}
            onPointerDown={(event) => point(frame, event)}
            onPointerLeave={() => onNear(null)}
          />
          <g className="curve-marks" clipPath={`url(#${clip})`} onKeyDown={walk}>
            {series.map((one) => (
              <Marks
                key={one.id}
                series={one}
                frame={frame}
                near={near?.series === one.id ? near.index : null}
                stop={stop?.series === one.id ? stop.index : null}
                onFocus={(index) => {
                  setTabStop({ series: one.id, index });
                  onNear({ series: one.id, index });
                }}
                onBlur={() => onNear(null)}
              />
            ))}
          </g>
        </>
      )}
    </Plot>
  );
}

const same = (a: Near, b: Near | null) => a.series === b?.series && a.index === b.index;
