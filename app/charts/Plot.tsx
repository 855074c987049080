/**
 * The frame that all charts share: axes, ticks, grid and labels around a plotting area, at the width
 * that there is. Contract: the height never depends on the data; children draw in pixels of the
 * plotting area, through the frame's `x` and `y`; canvases go into `under`, tooltips into `over`.
 */
import { useRef, type ReactNode } from 'react';
import { useWidth } from './hooks';
import type { Scale } from './scale';

export interface Frame {
  width: number;
  height: number;
  /** value -> pixels from the plotting area's left edge */
  x(value: number): number;
  /** value -> pixels from its top */
  y(value: number): number;
  xScale: Scale;
  yScale: Scale;
}

interface PlotProps {
  /** what a screen reader says the picture is */
  label: string;
  x: Scale;
  y: Scale;
  xLabel?: ReactNode;
  yLabel?: string;
  height: number;
  /** room for y tick labels, px */
  left?: number;
  xTicks?: boolean;
  yTicks?: boolean;
  grid?: 'x' | 'y' | 'both' | 'none';
  interactive?: boolean;
  under?: (frame: Frame) => ReactNode;
  over?: (frame: Frame) => ReactNode;
  children: (frame: Frame) => ReactNode;
}

const TOP = 8;
const RIGHT = 12;

export function Plot({
  label,
  x,
  y,
  xLabel,
  yLabel,
  height,
  left = 48,
  xTicks = true,
  yTicks = true,
  grid = 'y',
  interactive = false,
  under,
  over,
  children,
}: PlotProps) {
  const ref = useRef<HTMLDivElement>(null);
  const outer = useWidth(ref);
  const bottom = xTicks ? 24 : 6;
  const width = Math.max(0, outer - left - RIGHT);
  const inner = height - TOP - bottom;
  const frame: Frame = {
    width,
    height: inner,
    x: (value) => x.at(value) * width,
    y: (value) => (1 - y.at(value)) * inner,
    xScale: x,
    yScale: y,
  };
  // Labels must not touch: drop every other one where the width is short.
  const widest = Math.max(...x.ticks.map((tick) => tick.label.length), 1) * 6.6 + 14;
  const every = Math.max(1, Math.ceil((x.ticks.length * widest) / Math.max(width, 1)));
  return (
    <div className="plot" ref={ref}>
      {yLabel !== undefined && <div className="plot-y-label">{yLabel}</div>}
      <div className="plot-canvas" style={{ height }}>
        {width > 0 && (
          <>
            <div className="plot-layer" style={{ left, top: TOP, width, height: inner }}>
              {under?.(frame)}
            </div>
            <svg
              width={outer}
              height={height}
              role={interactive ? 'group' : 'img'}
              aria-label={label}
              className="plot-svg"
            >
              <g transform={`translate(${left},${TOP})`}>
                <g className="plot-axes" aria-hidden="true">
                  {yTicks &&
                    y.ticks.map((tick) => (
                      <g key={tick.value} transform={`translate(0,${frame.y(tick.value)})`}>
                        {(grid === 'y' || grid === 'both') && (
                          <line className="plot-grid" x2={width} />
                        )}
                        <text className="plot-tick" x={-8} dy="0.32em" textAnchor="end">
                          {tick.label}
                        </text>
                      </g>
                    ))}
                  {x.ticks.map((tick, i) => (
                    <g key={tick.value} transform={`translate(${frame.x(tick.value)},0)`}>
                      {(grid === 'x' || grid === 'both') && (
                        <line className="plot-grid" y2={inner} />
                      )}
                      <line className="plot-tick-mark" y1={inner} y2={inner + 4} />
                      {xTicks && i % every === 0 && (
                        <text className="plot-tick" y={inner + 17} textAnchor="middle">
                          {tick.label}
                        </text>
                      )}
                    </g>
                  ))}
                  <line className="plot-axis" y1={inner} y2={inner} x2={width} />
                </g>
                {children(frame)}
              </g>
            </svg>
            <div className="plot-layer plot-over" style={{ left, top: TOP, width, height: inner }}>
              {over?.(frame)}
            </div>
          </>
        )}
      </div>
      {xLabel !== undefined && (
        <div className="plot-x-label" style={{ paddingLeft: left, paddingRight: RIGHT }}>
          {xLabel}
        </div>
      )}
    </div>
  );
}

interface TooltipProps {
  frame: Frame;
  /** pixels of the plotting area */
  x: number;
  y: number;
  children: ReactNode;
}

/** Exact values beside the pointer. The table behind the plot has them too, so this one is silent. */
export function Tooltip({ frame, x, y, children }: TooltipProps) {
  const right = x > frame.width / 2;
  const low = y > frame.height / 2;
  return (
    <div
      className="plot-tooltip"
      aria-hidden="true"
      style={{
        ...(right ? { right: frame.width - x + 12 } : { left: x + 12 }),
        ...(low ? { bottom: frame.height - y + 8 } : { top: y + 8 }),
      }}
    >
      {children}
    </div>
  );
}
