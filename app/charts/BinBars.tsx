/** Bars over bins of any width, by recharts; each as wide as its bin. */
import { useCallback, useMemo } from 'react';
import { Bar, type BarShapeProps } from 'recharts';
import { useFrame } from './frame';
import type { Bin } from './marks/StepHistogram';

interface BinBarsProps {
  bins: readonly Bin[];
  className?: string;
  fill?: string;
  /** of one bar, where they differ */
  lookOf?: (index: number, bin: Bin) => { className: string; opacity: number };
  /** px between neighbours */
  gap?: number;
}

export function BinBars({ bins, className, fill, lookOf, gap = 0 }: BinBarsProps) {
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
    <Bar
      data={data}
      dataKey="y"
      shape={shape}
      activeBar={false}
      isAnimationActive={false}
      legendType="none"
    />
  );
}
