/**
 * Intervals of measurements as one path of their colour. Contract: drawn through recharts' scales under all
 * scatters; recharts' own error bars are three animated elements to an interval, each with two questions to the
 * system about motion, set up anew whenever a point moves, which was the most of what a live page drew.
 */
import { memo } from 'react';
import { held } from '../axes';
import { Drawn, type Frame } from '../frame';
import type { Scale } from '../scale';

export interface Measured {
  x: number;
  y: number;
  /** of its interval, within the axis */
  ends?: readonly [number, number] | undefined;
}

/** What lies outside the axis is held at its end. */
export function endsOf(
  interval: readonly [number, number] | null | undefined,
  scale: Scale,
): Measured['ends'] {
  if (interval === null || interval === undefined) return undefined;
  return [held(interval[0], scale), held(interval[1], scale)];
}

interface WhiskersProps {
  /** CSS custom property */
  colour: string;
  data: readonly Measured[];
  /** the axis that intervals lie along */
  along: 'x' | 'y';
}

function path(data: readonly Measured[], along: 'x' | 'y', frame: Frame): string {
  let d = '';
  for (const { x, y, ends } of data) {
    if (ends === undefined) continue;
    const [across, up] = [frame.x(x), frame.y(y)];
    const [low, high] = ends.map(along === 'x' ? frame.x : frame.y) as [number, number];
    if (!Number.isFinite(across + up + low + high)) continue;
    d +=
      along === 'x'
        ? `M${low.toFixed(1)} ${up.toFixed(1)}H${high.toFixed(1)}`
        : `M${across.toFixed(1)} ${low.toFixed(1)}V${high.toFixed(1)}`;
  }
  return d;
}

export const Whiskers = memo(function Whiskers({ colour, data, along }: WhiskersProps) {
  return (
    <Drawn at="lines">
      {(frame) => {
        const d = path(data, along, frame);
        return (
          d !== '' && (
            <path
              className="plot-whiskers"
              d={d}
              fill="none"
              stroke={`var(${colour})`}
              strokeWidth={1.5}
            />
          )
        );
      }}
    </Drawn>
  );
});
