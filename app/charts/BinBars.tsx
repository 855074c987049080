/** Bars over bins of any width, by recharts; each as wide as its bin. Those of recorded data are hatched. */
import { useCallback, useId, useMemo } from 'react';
import { Bar, type BarShapeProps } from 'recharts';
import { useFrame } from './frame';
import type { Bin } from './marks/StepHistogram';

interface BinBarsProps {
  bins: readonly Bin[];
  className?: string;
  /** CSS custom property, where the class has no colour */
  colour?: string;
  /** in this colour, a CSS custom property, in place of a full one */
  hatch?: string | undefined;
  /** of one bar, where they differ */
  lookOf?: (index: number, bin: Bin) => { className: string; opacity: number };
  /** px between neighbours */
  gap?: number;
}

export function BinBars({ bins, className, colour, hatch, lookOf, gap = 0 }: BinBarsProps) {
  const pattern = useId();
  const full = colour === undefined ? undefined : `var(${colour})`;
  const fill = hatch === undefined ? full : `url(#${pattern})`;
  const frame = useFrame();
  const data = useMemo(
    () => bins.map((bin) => ({ ...bin, x: (bin.from + bin.to) / 2, y: bin.count })),
    [bins],
  );
  const shape = useCallback(
    ({ y, height, index, payload }: BarShapeProps) => {
      const bin: Bin = payload;
      if (frame === null || height === 0) return <g data-bin={index} data-count={bin.count} />;
      // From the chart's left edge, as recharts' own places are.
      const left = frame.left + frame.x(bin.from) + gap / 2;
      const width = Math.max(0.5, frame.x(bin.to) - frame.x(bin.from) - gap);
      return (
        <rect
          className={className}
          {...lookOf?.(index, bin)}
          {...(fill === undefined ? {} : { style: { fill } })}
          data-bin={index}
          data-count={bin.count}
          x={left}
          y={Math.min(y, y + height)}
          width={width}
          height={Math.abs(height)}
        />
      );
    },
    [frame, className, fill, lookOf, gap],
  );
  return (
    <>
      {hatch !== undefined && <Hatch id={pattern} colour={hatch} />}
      <Bar
        data={data}
        dataKey="y"
        shape={shape}
        activeBar={false}
        isAnimationActive={false}
        legendType="none"
      />
    </>
  );
}

function Hatch({ id, colour }: { id: string; colour: string }) {
  return (
    <defs>
      <pattern
        id={id}
        width="5"
        height="5"
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(45)"
      >
        <rect width="5" height="5" fill={`var(${colour})`} opacity="0.1" />
        <line y2="5" stroke={`var(${colour})`} strokeWidth="2" opacity="0.75" />
      </pattern>
    </defs>
  );
}
