/**
 * Curves over one axis: predictions are lines, measurements are points with error bars, published values
 * are marks on the axis. Contract: a position on the axis is read out with every curve's exact value there;
 * nothing is interpolated; plots of one `sync` share one crosshair.
 */
import { memo, useMemo, type ReactNode } from 'react';
import { Line, type DotItemDotProps } from 'recharts';
import { held, labelRows, labelSpan } from './axes';
import { stillCurve } from './ErrorBars';
import { useFrame } from './frame';
import { ALONG_X, type Readable, type ReadRow } from './interaction';
import { Legend } from './Legend';
import { Marks, type Placed } from './marks/Marks';
import { endsOf } from './marks/Whiskers';
import { Plot, type Sync } from './Plot';
import { Rule } from './Rule';
import type { Scale } from './scale';
import { lineLook, markLook, markPath, type MarkShape, type OverlayLook } from './shapes';

export interface Curve {
  /** where names may come twice, as those of runs laid over; else the name */
  id?: string;
  name: string;
  /** CSS custom property that holds a colour */
  colour: string;
  kind: 'line' | 'dashed' | 'thin' | 'points';
  /** [n] ascending */
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** [n] around y */
  interval?: readonly (readonly [number, number] | null)[];
  /** of points; of a line, marks at some of its points, so that colour is not its only sign */
  shape?: MarkShape;
  /** SVG dash array of a line, where colour must not be its only sign; null = none */
  dash?: string | null;
  /** of a run laid over: open marks of its own, joined by its dashes */
  overlay?: OverlayLook;
  /** px, of its points */
  r?: number;
  /** stands behind the others */
  faint?: boolean;
}

export interface AxisMark {
  value: number;
  label: string;
  colour?: string;
}

interface CurvesProps {
  label: string;
  curves: readonly Curve[];
  x: Scale;
  y: Scale;
  xLabel: ReactNode;
  yLabel: string;
  height: number;
  left?: number;
  marks?: readonly AxisMark[];
  /** horizontal reference */
  level?: number;
  showX: (x: number) => string;
  showY: (y: number) => string;
  sync?: Sync;
  /** told whenever a position is read */
  moved?: (index: number) => void;
}

/** Index of the entry nearest to `value` on the scale. */
export function nearest(values: ArrayLike<number>, value: number, scale: Scale): number {
  let best = 0;
  let least = Infinity;
  for (let i = 0; i < values.length; i++) {
    const distance = Math.abs(scale.at(values[i] as number) - scale.at(value));
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

/** Of the width: curves' points that lie so close stand at one position. */
const SAME = 0.004;

export function Curves({
  label,
  curves,
  x,
  y,
  xLabel,
  yLabel,
  height,
  left = 52,
  marks = [],
  level,
  showX,
  showY,
  sync,
  moved,
}: CurvesProps) {
  const readable = useMemo((): Readable => {
    const positions = [...new Set(curves.flatMap((curve) => Array.from(curve.x)))].sort(
      (a, b) => a - b,
    );
    return {
      stops: positions.map((at) => ({ x: at, y: y.domain[1] })),
      reach: ALONG_X,
      cross: true,
      pinned: true,
      mark: () => null,
      moved,
      read: (index) => {
        const at = positions[index];
        return at === undefined ? null : { head: showX(at), rows: rowsAt(curves, at, x, showY) };
      },
    };
  }, [curves, x, y, showX, showY, moved]);
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      xLabel={xLabel}
      yLabel={yLabel}
      height={height}
      left={left}
      readable={readable}
      sync={sync}
    >
      {level !== undefined && <Rule along="y" at={level} className="reference-line" />}
      <AxisMarks marks={marks} />
      {curves.map((curve) =>
        curve.kind === 'points' ? (
          <Points key={curve.id ?? curve.name} curve={curve} y={y} />
        ) : (
          <CurveLine key={curve.id ?? curve.name} curve={curve} y={y} />
        ),
      )}
    </Plot>
  );
}

/** What every curve has at this very position. */
function rowsAt(
  curves: readonly Curve[],
  at: number,
  x: Scale,
  showY: (y: number) => string,
): ReadRow[] {
  return curves.flatMap((curve) => {
    if (curve.x.length === 0) return [];
    const i = nearest(curve.x, at, x);
    if (Math.abs(x.at(curve.x[i] as number) - x.at(at)) > SAME) return [];
    const interval = curve.interval?.[i] ?? null;
    const value =
      showY(curve.y[i] as number) +
      (interval === null ? '' : ` [${showY(interval[0])}, ${showY(interval[1])}]`);
    return [{ name: curve.name, colour: curve.colour, value }];
  });
}

/** Held inside the axis, so that a log axis can show a zero at its foot. */
function placed({ x, y, interval }: Curve, scale: Scale): Placed[] {
  return Array.from(x, (value, i): Placed => {
    const at = held(y[i] as number, scale);
    return { x: value, y: at, ends: endsOf(interval?.[i], scale) };
  }).filter((point) => !Number.isNaN(point.y));
}

/** Of a line with signs. */
const MARKS = 6;

/** Marks at some of a line's points, the last among them. */
const signs = (shape: MarkShape, colour: string, every: number) =>
  function Sign({ index, points, cx, cy, key }: DotItemDotProps) {
    const here = (points.length - 1 - index) % every === 0;
    if (!here || cx === undefined || cy === undefined) return <g key={key} />;
    return (
      <path
        key={key}
        className="curve-sign"
        transform={`translate(${cx},${cy})`}
        d={markPath(shape, 3)}
        {...markLook(colour, true)}
      />
    );
  };

const CurveLine = memo(function CurveLine({ curve, y }: { curve: Curve; y: Scale }) {
  const data = useMemo(() => placed(curve, y), [curve, y]);
  const { shape, colour, dash } = curve;
  const own = curve.kind === 'points' ? 'line' : curve.kind;
  const kind = !curve.faint ? own : own === 'line' ? 'faint' : (`faint ${own}` as const);
  const every = Math.ceil(data.length / MARKS);
  return (
    <Line
      className="plot-curve"
      data={data}
      dataKey="y"
      shape={stillCurve}
      dot={shape === undefined ? false : signs(shape, colour, every)}
      activeDot={false}
      isAnimationActive={false}
      legendType="none"
      {...lineLook(kind, curve.colour)}
      {...(dash ? { strokeDasharray: dash } : {})}
    />
  );
});

const Points = memo(function Points({ curve, y }: { curve: Curve; y: Scale }) {
  const data = useMemo(() => placed(curve, y), [curve, y]);
  const { colour, overlay, interval } = curve;
  return (
    <Marks
      colour={colour}
      data={data}
      {...(interval === undefined ? {} : { along: 'y' as const })}
      laid={overlay !== undefined}
      dash={overlay?.dash}
      shape={overlay?.shape ?? curve.shape ?? 'circle'}
      hollow
      r={curve.r ?? 3}
    />
  );
});

/** Published values, each label in the first row in which it is clear of the others. */
function AxisMarks({ marks }: { marks: readonly AxisMark[] }) {
  const frame = useFrame();
  if (frame === null) return null;
  const spans = marks.map(({ value, label }) => labelSpan(frame.x(value), label, frame.width));
  const rows = labelRows(spans);
  return marks.map(({ value, label, colour = '--ink-faint' }, i) => (
    <Rule
      key={label}
      along="x"
      at={value}
      className="axis-mark"
      colour={colour}
      dash="2 3"
      name={label}
      nameColour={colour}
      side={spans[i]?.end === true ? 'left' : 'right'}
      down={13 * (rows[i] ?? 0) - 4}
    />
  ));
}

/** Lines and points with their names, above a plot. */
export function CurveLegend({
  entries,
}: {
  entries: readonly Pick<Curve, 'name' | 'colour' | 'kind' | 'shape' | 'dash'>[];
}) {
  return (
    <Legend
      items={entries.map(({ name, colour, kind, shape: own, dash = null }) =>
        kind === 'points'
          ? { name, colour, mark: own ?? 'circle', hollow: true, interval: false, times: [3.2] }
          : { name, colour, line: kind, dash, ...(own === undefined ? {} : { sign: own }) },
      )}
    />
  );
}
