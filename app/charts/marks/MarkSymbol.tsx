/** A mark at its point: ours because runs laid over need more shapes than recharts' symbols. */
import { useCallback } from 'react';
import type { ScatterShapeProps } from 'recharts';
import { markLook, markPath, type MarkShape } from '../shapes';

export interface SymbolLook {
  shape: MarkShape;
  /** CSS custom property */
  colour: string;
  /** drawn open; `hollow` of a point's own data comes before it */
  hollow?: boolean;
  /** without a rim: a point of a cloud */
  plain?: boolean;
  /** outlines only, as marks of a run laid over */
  outline?: boolean;
  /** px */
  r?: number;
}

/** What recharts' scatter draws at each of its points; the same function until the look changes. */
export function useSymbol({
  shape,
  colour,
  hollow = false,
  outline = false,
  plain = false,
  r = 4,
}: SymbolLook): (point: ScatterShapeProps) => React.JSX.Element {
  return useCallback(
    ({ cx, cy, payload }: ScatterShapeProps) => {
      // Typed as undefined, it is null where a value has no place.
      if (typeof cx !== 'number' || typeof cy !== 'number') return <g />;
      if (!Number.isFinite(cx + cy)) return <g />;
      const own: { hollow?: boolean } | undefined = payload;
      const look =
        outline || shape === 'stroke'
          ? { fill: 'none', stroke: `var(${colour})`, strokeWidth: shape === 'stroke' ? 2 : 1.5 }
          : plain
            ? { fill: `var(${colour})`, fillOpacity: 0.7 }
            : markLook(colour, own?.hollow ?? hollow);
      return (
        <path
          className="plot-mark"
          transform={`translate(${cx.toFixed(2)},${cy.toFixed(2)})`}
          d={markPath(shape, r)}
          {...look}
        />
      );
    },
    [shape, colour, hollow, outline, plain, r],
  );
}
