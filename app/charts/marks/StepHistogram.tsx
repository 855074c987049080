/**
 * Histograms laid over one another as outlines. Contract: where outlines coincide they make one line of all
 * their colours, because each is drawn in turn for one dash in as many as there are; a histogram of a run laid
 * over has that run's dash. Between bins that do not touch the outline is interrupted.
 */
import { Drawn, type Frame } from '../frame';

export interface Steps {
  id: string;
  /** CSS custom property */
  colour: string;
  /** bins ascending, in units of the axes */
  bins: readonly Bin[];
  /** of a run laid over: SVG dash array */
  dash?: string;
}

export interface Bin {
  from: number;
  to: number;
  count: number;
}

/** px of one colour where several coincide */
const DASH = 8;

function outline(bins: readonly Bin[], frame: Frame, closed: boolean): string {
  const foot = frame.height;
  const px = (value: number) => frame.x(value).toFixed(1);
  const py = (value: number) => frame.y(value).toFixed(1);
  let path = '';
  bins.forEach(({ from, to, count }, i) => {
    const joined = i > 0 && Math.abs((bins[i - 1] as Bin).to - from) <= 1e-9 * Math.abs(to - from);
    if (!joined) path += closed ? `M${px(from)} ${foot}V${py(count)}` : `M${px(from)} ${py(count)}`;
    else path += `L${px(from)} ${py(count)}`;
    path += `H${px(to)}`;
  });
  return closed && bins.length > 0 ? `${path}V${foot}` : path;
}

export function StepHistogram({
  steps,
  closed = true,
}: {
  steps: readonly Steps[];
  closed?: boolean;
}) {
  const own = steps.filter(({ dash }) => dash === undefined);
  return (
    <Drawn>
      {(frame) =>
        steps.map(({ id, colour, bins, dash }) => {
          const turn = own.findIndex((one) => one.id === id);
          const look =
            dash === undefined
              ? {
                  className: 'outline',
                  strokeDasharray: `${DASH} ${(own.length - 1) * DASH}`,
                  strokeDashoffset: -turn * DASH,
                }
              : { className: 'overlay-series', strokeWidth: 1.5, strokeDasharray: dash };
          return (
            <path
              key={id}
              fill="none"
              stroke={`var(${colour})`}
              d={outline(bins, frame, closed)}
              {...look}
            />
          );
        })
      }
    </Drawn>
  );
}
