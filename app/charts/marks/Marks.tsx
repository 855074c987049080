/**
 * Measurements: recharts' scatter of one colour over their intervals. Contract: symbols are ours, because runs laid
 * over need more shapes than recharts has; what is handed over again unchanged is not drawn again (recharts tells
 * all of a chart's parts of every one that is).
 */
import { memo, useCallback, useMemo } from 'react';
import { Scatter, type ScatterShapeProps } from 'recharts';
import { markLook, markPath, type MarkShape } from '../shapes';
import { Whiskers, type Measured } from './Whiskers';

export interface MarkLook {
  shape: MarkShape;
  /** drawn open */
  hollow?: boolean;
  /** without a rim: a point of a cloud */
  plain?: boolean;
  /** outlines only, as marks of a run laid over */
  outline?: boolean;
  /** px */
  r?: number;
}

export interface Placed extends Measured {
  /** of this mark, where it differs from its series' */
  look?: Partial<MarkLook>;
}

interface MarksProps extends MarkLook {
  /** CSS custom property */
  colour: string;
  data: readonly Placed[];
  /** the axis of intervals; none are drawn unless told */
  along?: 'x' | 'y';
  /** of a run laid over */
  laid?: boolean;
  /** SVG dash array of the line that joins them */
  dash?: string | undefined;
}

export const Marks = memo(function Marks({
  colour,
  data,
  along,
  laid = false,
  dash,
  shape,
  hollow = false,
  plain = false,
  outline = laid,
  r = 4,
}: MarksProps) {
  const usual = useMemo(
    () => ({ shape, hollow, plain, outline, r }),
    [shape, hollow, plain, outline, r],
  );
  const symbol = useCallback(
    ({ cx, cy, payload }: ScatterShapeProps) => {
      // Typed as undefined, it is null where a value has no place.
      if (typeof cx !== 'number' || typeof cy !== 'number') return <g />;
      if (!Number.isFinite(cx + cy)) return <g />;
      const { look }: Placed = payload;
      return <Symbol cx={cx} cy={cy} colour={colour} {...usual} {...look} />;
    },
    [usual, colour],
  );
  return (
    <>
      {along !== undefined && <Whiskers along={along} colour={colour} data={data} />}
      <Scatter
        className={laid ? 'plot-series overlay-series' : 'plot-series'}
        data={data}
        dataKey="y"
        shape={symbol}
        fill={`var(${colour})`}
        isAnimationActive={false}
        legendType="none"
        {...(dash === undefined
          ? {}
          : { line: { stroke: `var(${colour})`, strokeWidth: 1.5, strokeDasharray: dash } })}
      />
    </>
  );
});

type SymbolProps = Required<MarkLook> & { cx: number; cy: number; colour: string };

function Symbol({ cx, cy, colour, shape, hollow, plain, outline, r }: SymbolProps) {
  const stroke = shape === 'stroke';
  const look =
    outline || stroke
      ? { fill: 'none', stroke: `var(${colour})`, strokeWidth: stroke ? 2 : 1.5 }
      : plain
        ? { fill: `var(${colour})`, fillOpacity: 0.7 }
        : markLook(colour, hollow);
  return (
    <path
      className="plot-mark"
      transform={`translate(${cx.toFixed(2)},${cy.toFixed(2)})`}
      d={markPath(shape, r)}
      {...look}
    />
  );
}
