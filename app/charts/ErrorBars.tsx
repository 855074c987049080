/**
 * Measured points with error bars over predicted lines. Contract: measurements are marks, predictions lines,
 * intervals of predictions bands, all of them recharts'; exact values of every mark by pointer, touch and
 * keys; plots of one `sync` read out the same point and share one crosshair; what lies outside the axes is
 * held at the frame (marks) or cut there (lines).
 */
import { memo, useMemo } from 'react';
import { Area, Curve, Line, type CurveProps } from 'recharts';
import { useFrame } from './frame';
import { OVER_LENGTH, type Readable } from './interaction';
import { Marks, type Placed } from './marks/Marks';
import { endsOf } from './marks/Whiskers';
import { held } from './axes';
import { Plot, type Sync } from './Plot';
import { Rule } from './Rule';
import type { Scale } from './scale';
import { lineLook, type LineKind, type MarkShape } from './shapes';

export interface Mark {
  x: number;
  y: number;
  interval: readonly [number, number] | null;
  /** drawn open: there, but not to be relied on, or the second of two series */
  hollow?: boolean;
}

/** What is said about one mark, to the eye and to the ear. */
export interface MarkWords {
  head: string;
  rows: readonly (readonly [name: string, value: string])[];
}

export interface MarkSeries {
  id: string;
  /** CSS custom property */
  colour: string;
  shape: MarkShape;
  marks: readonly Mark[];
  /** px to the right, where two series share their lengths */
  dodge?: number;
  /** of a run laid over: its SVG dash array; joined by a line, and not a stop of the keyboard */
  overlay?: string;
  describe(index: number): MarkWords;
}

export interface CurveLine {
  id: string;
  kind: LineKind;
  /** CSS custom property; predictions have the ink's */
  colour?: string;
  /** SVG dash array, where its kind's own is not meant */
  dash?: string | undefined;
  points: readonly (readonly [number, number])[];
}

export interface CurveBand {
  id: string;
  points: readonly (readonly [x: number, low: number, high: number])[];
}

/** A value that matters, drawn across the plot. */
export interface RuleOf {
  /** the axis that `at` lies on */
  along: 'x' | 'y';
  at: number;
  label: string;
  kind?: 'prediction' | 'reference';
}

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
  rules?: readonly RuleOf[];
  sync?: Sync;
}

const NONE: readonly never[] = [];

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
  lines = NONE,
  bands = NONE,
  rules = NONE,
  sync,
}: ErrorBarsProps) {
  const readable = useMemo(() => readableOf(series), [series]);
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      xLabel={xLabel}
      yLabel={yLabel}
      height={height}
      left={left}
      xTicks={xTicks}
      grid="both"
      readable={readable}
      sync={sync}
    >
      {bands.map((band) => (
        <Band key={band.id} band={band} />
      ))}
      {rules.map((rule) => (
        <Rule
          key={`${rule.along} ${rule.label}`}
          along={rule.along}
          at={rule.at}
          className={`${rule.kind ?? 'reference'}-line`}
          name={rule.label}
          nameClass="plot-rule-name"
          side={rule.along === 'x' && x.at(rule.at) > 0.5 ? 'left' : 'right'}
        />
      ))}
      {lines.map((line) => (
        <DrawnLine key={line.id} line={line} />
      ))}
      {series.map((one) => (
        <Series key={one.id} series={one} />
      ))}
    </Plot>
  );
}

function readableOf(series: readonly MarkSeries[]): Readable {
  const all = series.flatMap((one) =>
    one.marks.map(({ x, y }, index) => ({
      x,
      y,
      dodge: one.dodge,
      laid: one.overlay !== undefined,
      words: () => one.describe(index),
    })),
  );
  // The sort is stable: where two series share a length, the first one's mark comes first.
  all.sort((a, b) => Number(a.laid) - Number(b.laid) || a.x - b.x);
  return {
    stops: all,
    reach: OVER_LENGTH,
    down: -1,
    cross: true,
    read: (i) => {
      const words = all[i]?.words();
      if (words === undefined) return null;
      return { head: words.head, rows: words.rows.map(([name, value]) => ({ name, value })) };
    },
  };
}

/**
 * recharts' curve as the shape of its line, without the handle by which the line asks for the path's length at every
 * drawing: an animation would need it, and the browser lays out the page and walks the path to answer.
 */
export const stillCurve = (props: CurveProps) => <Curve {...props} pathRef={null} />;

/** A prediction, what is fitted, or where a level runs. */
export const DrawnLine = memo(function DrawnLine({
  line: { kind, colour, dash, points },
  zIndex = 400,
}: {
  line: CurveLine;
  /** recharts' own unless told */
  zIndex?: number;
}) {
  const data = useMemo(() => points.map(([x, y]) => ({ x, y })), [points]);
  return (
    <Line
      data={data}
      dataKey="y"
      shape={stillCurve}
      dot={false}
      activeDot={false}
      isAnimationActive={false}
      legendType="none"
      zIndex={zIndex}
      {...lineLook(kind, colour)}
      {...(dash === undefined ? {} : { strokeDasharray: dash })}
    />
  );
});

const between = ({ low, high }: { low: number; high: number }) => [low, high];

const Band = memo(function Band({ band: { points } }: { band: CurveBand }) {
  const data = useMemo(() => points.map(([x, low, high]) => ({ x, low, high })), [points]);
  return (
    <Area
      className="plot-band"
      data={data}
      dataKey={between}
      stroke="none"
      dot={false}
      activeDot={false}
      isAnimationActive={false}
      legendType="none"
    />
  );
});

const Series = memo(function Series({ series }: { series: MarkSeries }) {
  const { colour, shape, marks, dodge = 0, overlay } = series;
  const frame = useFrame();
  const data = useMemo(() => {
    if (frame === null) return [];
    const { xScale, yScale, width } = frame;
    const aside = (x: number) =>
      dodge === 0 ? x : xScale.invert(xScale.at(x) + dodge / Math.max(1, width));
    return marks.flatMap(({ x, y, interval, hollow = false }): Placed[] => {
      if (Number.isNaN(y)) return [];
      const at = held(y, yScale);
      return [{ x: aside(x), y: at, ends: endsOf(interval, yScale), look: { hollow } }];
    });
  }, [frame, marks, dodge]);
  return (
    <Marks
      colour={colour}
      data={data}
      along="y"
      shape={shape}
      laid={overlay !== undefined}
      dash={overlay}
    />
  );
});
