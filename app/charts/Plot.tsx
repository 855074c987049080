/**
 * The frame that all charts share, drawn by recharts: axes, ticks and grid around a plotting area, at the
 * width that there is. Contract: the height never depends on the data; axes show the domains and ticks that
 * they are given; children are recharts' own parts, and marks of ours that draw through its scales
 * (`frame.tsx`). Drawn once its figure is in view; the room is there before.
 */
import {
  createContext,
  memo,
  use,
  useCallback,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from 'react';
import { CartesianGrid, ComposedChart, XAxis, YAxis, type XAxisTickContentProps } from 'recharts';
import { createStore } from 'zustand/vanilla';
import './plot.css';
import { PlotContext, type Frame } from './frame';
import { HitArea, ReadOut, useNear, type Readable } from './interaction';
import { useDrawn, useWidth } from './hooks';
import type { Scale } from './scale';

/** Charts that read out the same place: the others show what they have at the same value or position. */
export interface Sync {
  id: string;
  by: 'value' | 'index';
}

export interface PlotProps {
  /** what a screen reader says the picture is */
  label: string;
  x: Scale;
  y: Scale;
  xLabel?: ReactNode;
  yLabel?: string | undefined;
  height: number;
  /** room for y tick labels, px */
  left?: number;
  xTicks?: boolean;
  yTicks?: boolean;
  grid?: 'x' | 'y' | 'both' | 'none';
  /** what pointer, touch and keys read; none: a picture only */
  readable?: Readable;
  sync?: Sync | undefined;
  /** over the plotting area, in place of what reads it: a layer of HTML, at `place` */
  over?: (frame: Frame, place: Place) => ReactNode;
  children: ReactNode;
}

/** px of the plotting area within its canvas */
export interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
}

const TOP = 8;
const RIGHT = 12;
const MARGIN = { top: TOP, right: RIGHT, bottom: 0, left: 0 };
/** px below the plotting area, with tick labels and without */
const FOOT = { ticks: 24, bare: 6 };

/** px of the plotting area that a plot of this height has */
export const innerHeight = (height: number) => height - TOP - FOOT.ticks;

/** What stands inside the chart. Handed to it by a context, since recharts' own frame draws anew with its children. */
const ContentContext = createContext<ReactNode>(null);

const Content = () => use(ContentContext);

/** recharts' chart: the same until its size changes, whatever is drawn in it. */
const Chart = memo(function Chart({
  width,
  height,
  syncId,
  syncBy,
}: {
  width: number;
  height: number;
  syncId: string | undefined;
  syncBy: Sync['by'] | undefined;
}) {
  return (
    <ComposedChart
      className="plot-chart"
      width={width}
      height={height}
      margin={MARGIN}
      accessibilityLayer={false}
      {...(syncId === undefined || syncBy === undefined ? {} : { syncId, syncMethod: syncBy })}
    >
      <Content />
    </ComposedChart>
  );
});

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
  readable,
  sync,
  over,
  children,
}: PlotProps) {
  const ref = useRef<HTMLDivElement>(null);
  const outer = useWidth(ref);
  const drawn = useDrawn();
  const [under] = useState(() => createStore<HTMLElement | null>(() => null));
  const setUnder = useCallback((layer: HTMLElement | null) => under.setState(layer, true), [under]);
  const near = useNear();
  const foot = xTicks ? FOOT.ticks : FOOT.bare;
  const width = Math.max(0, outer - left - RIGHT);
  const inner = height - TOP - foot;
  const place: Place = { left, top: TOP, width, height: inner };
  const frame = useMemo(
    (): Frame => ({
      left,
      width,
      height: inner,
      x: (value) => x.at(value) * width,
      y: (value) => (1 - y.at(value)) * inner,
      xScale: x,
      yScale: y,
    }),
    [x, y, left, width, inner],
  );
  const context = useMemo(() => ({ x, y, under }), [x, y, under]);
  return (
    <div className="plot" ref={ref}>
      {yLabel !== undefined && <div className="plot-y-label">{yLabel}</div>}
      <div className="plot-canvas" style={{ height }}>
        {width > 0 && drawn && (
          <PlotContext value={context}>
            <div className="plot-layer" style={place} ref={setUnder} />
            <div role="img" aria-label={label}>
              <ContentContext
                value={
                  <>
                    {readable && (
                      <ReadOut near={near} readable={readable} frame={frame} sync={sync?.id} />
                    )}
                    <Grid frame={frame} grid={grid} yTicks={yTicks} />
                    <Axes frame={frame} foot={foot} xTicks={xTicks} yTicks={yTicks} />
                    {children}
                  </>
                }
              >
                <Chart width={outer} height={height} syncId={sync?.id} syncBy={sync?.by} />
              </ContentContext>
            </div>
            {readable && (
              <HitArea
                label={label}
                sync={sync?.id}
                near={near}
                readable={readable}
                frame={frame}
                place={place}
              />
            )}
            {over?.(frame, place)}
          </PlotContext>
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

interface GridProps {
  frame: Frame;
  grid: NonNullable<PlotProps['grid']>;
  yTicks: boolean;
}

const Grid = memo(function Grid({ frame, grid, yTicks }: GridProps) {
  const { left, xScale, yScale } = frame;
  return (
    <CartesianGrid
      horizontal={yTicks && (grid === 'y' || grid === 'both')}
      vertical={grid === 'x' || grid === 'both'}
      horizontalPoints={yScale.ticks.map(({ value }) => TOP + frame.y(value))}
      verticalPoints={xScale.ticks.map(({ value }) => left + frame.x(value))}
    />
  );
});

const valuesOf = ({ ticks }: Scale) => ticks.map(({ value }) => value);

const labelOf = ({ ticks }: Scale) => {
  const labels = new Map(ticks.map(({ value, label }) => [value, label]));
  return (value: number) => labels.get(value) ?? '';
};

/** Labels must not touch: how many are left out between two that stand. They are not measured, so that exports match. */
function skipped({ ticks }: Scale, width: number): number {
  const widest = Math.max(...ticks.map(({ label }) => label.length), 1) * 6.6 + 14;
  return Math.max(1, Math.ceil((ticks.length * widest) / Math.max(width, 1))) - 1;
}

interface AxesProps {
  frame: Frame;
  /** px below the plotting area */
  foot: number;
  xTicks: boolean;
  yTicks: boolean;
}

const Axes = memo(function Axes({ frame, foot, xTicks, yTicks }: AxesProps) {
  const { xScale: x, yScale: y, width, left } = frame;
  const xProps = useMemo(() => axisProps(x), [x]);
  const yProps = useMemo(() => axisProps(y), [y]);
  return (
    <>
      <XAxis
        {...xProps}
        dataKey="x"
        height={foot}
        tick={xTicks && Tick}
        tickLine={TICK_LINE}
        axisLine={AXIS_LINE}
        tickSize={4}
        tickMargin={3}
        interval={skipped(x, width)}
      />
      <YAxis
        {...yProps}
        dataKey="y"
        width={left}
        tick={yTicks && Tick}
        tickLine={false}
        axisLine={false}
        tickSize={0}
        tickMargin={8}
        interval={0}
      />
    </>
  );
});

/** px that recharts' own text would stand below its place, in its ems */
const BELOW = { start: '0.71em', middle: '0.355em', end: 0 };

type TickProps = Pick<
  XAxisTickContentProps,
  'x' | 'y' | 'textAnchor' | 'verticalAnchor' | 'index' | 'payload' | 'tickFormatter'
>;

/** A label where recharts puts it; recharts' own text measures its words, which lays out the page for each. */
function Tick({ x, y, textAnchor, verticalAnchor, index, payload, tickFormatter }: TickProps) {
  return (
    <text
      className="plot-tick"
      fill="var(--ink-faint)"
      x={x}
      y={y}
      dy={BELOW[verticalAnchor]}
      textAnchor={textAnchor}
    >
      {tickFormatter?.(payload.value, index)}
    </text>
  );
}

const TICK_LINE = { className: 'plot-tick-mark' };
const AXIS_LINE = { className: 'plot-axis' };

function axisProps(scale: Scale) {
  return {
    type: 'number' as const,
    scale: scale.kind,
    domain: [...scale.domain],
    // The domain is as given, whatever the data; what is read out is a series that is not drawn.
    allowDataOverflow: true,
    includeHidden: true,
    ticks: valuesOf(scale),
    tickFormatter: labelOf(scale),
  };
}
