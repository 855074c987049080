/**
 * Thousands of points, cheaply: one canvas under the axes, the nearest point found by distance.
 * Contract: draws every point that it is given; colours come from CSS custom properties, so that the
 * theme may change at any time; `pick` is called with the index of the point clicked.
 */
import { useEffect, useRef, useState } from 'react';
import { type OverlayLook, markPath } from './shapes';
import { Plot, Tooltip, type Frame } from './Plot';
import type { Scale } from './scale';

export interface Cloud {
  /** name of a CSS custom property that holds a colour */
  colour: string;
  shape: 'circle' | 'square' | 'triangle';
  /** [n] */
  x: readonly number[];
  y: readonly number[];
}

/** Points of a run laid over: open marks in the run's look, under the others. */
export interface LaidCloud {
  id: string;
  label: string;
  look: OverlayLook;
  /** [n] */
  x: readonly number[];
  y: readonly number[];
  describe(point: number): React.ReactNode;
}

interface PointCloudProps {
  label: string;
  clouds: readonly Cloud[];
  laid?: readonly LaidCloud[];
  x: Scale;
  y: Scale;
  xLabel: React.ReactNode;
  yLabel: string;
  height: number;
  left?: number;
  recorded: boolean;
  /** the predicted line y = x, over the visible part */
  diagonal?: boolean;
  /** drawn over the points: a predicted curve */
  overlay?: (frame: Frame) => React.ReactNode;
  describe: (cloud: number, point: number) => React.ReactNode;
  /** the cloud's number comes second: most pages have one */
  pick?: (point: number, cloud: number) => void;
}

function drawShape(
  context: CanvasRenderingContext2D,
  shape: Cloud['shape'],
  x: number,
  y: number,
  r: number,
) {
  if (shape === 'circle') {
    context.moveTo(x + r, y);
    context.arc(x, y, r, 0, 2 * Math.PI);
  } else if (shape === 'square') {
    context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  } else {
    context.moveTo(x, y - 1.2 * r);
    context.lineTo(x + 1.1 * r, y + 0.8 * r);
    context.lineTo(x - 1.1 * r, y + 0.8 * r);
    context.closePath();
  }
}

function Points({
  frame,
  clouds,
  laid,
  hollow,
}: {
  frame: Frame;
  clouds: readonly Cloud[];
  laid: readonly LaidCloud[];
  hollow: boolean;
}) {
  const ref = useRef<HTMLCanvasElement>(null);
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    // Canvas colours do not follow CSS by themselves.
    const changed = () => setTheme((n) => n + 1);
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', changed);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      media.removeEventListener('change', changed);
      observer.disconnect();
    };
  }, []);
  useEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context) return;
    const density = window.devicePixelRatio || 1;
    canvas.width = Math.round(frame.width * density);
    canvas.height = Math.round(frame.height * density);
    context.scale(density, density);
    const style = getComputedStyle(canvas);
    for (const { look, x: xs, y: ys } of laid) {
      const marks = new Path2D();
      const mark = new Path2D(markPath(look.shape, xs.length > 1500 ? 2 : 2.8));
      xs.forEach((x, i) => {
        const y = ys[i] as number;
        if (!Number.isFinite(x) || !Number.isFinite(y)) return;
        marks.addPath(mark, new DOMMatrix([1, 0, 0, 1, frame.x(x), frame.y(y)]));
      });
      context.lineWidth = 0.9;
      context.strokeStyle = style.getPropertyValue(look.colour);
      context.stroke(marks);
    }
    for (const cloud of clouds) {
      const radius = cloud.x.length > 1500 ? 1.8 : 2.5;
      const colour = style.getPropertyValue(cloud.colour);
      context.beginPath();
      cloud.x.forEach((x, i) => {
        const y = cloud.y[i] as number;
        if (!Number.isFinite(x) || !Number.isFinite(y)) return;
        drawShape(context, cloud.shape, frame.x(x), frame.y(y), radius);
      });
      if (hollow) {
        context.lineWidth = 0.8;
        context.strokeStyle = colour;
        context.stroke();
      } else {
        context.globalAlpha = 0.7;
        context.fillStyle = colour;
        context.fill();
        context.globalAlpha = 1;
      }
    }
  }, [frame, clouds, laid, hollow, theme]);
  return <canvas ref={ref} className="plot-points" aria-hidden="true" />;
}

const REACH = 24;
const NOTHING: readonly LaidCloud[] = [];

export function PointCloud({
  label,
  clouds,
  laid = NOTHING,
  x,
  y,
  xLabel,
  yLabel,
  height,
  left = 56,
  recorded,
  diagonal = false,
  overlay,
  describe,
  pick: open,
}: PointCloudProps) {
  // Nothing is behind a point of a recorded run.
  const pick = recorded ? undefined : open;
  // Clouds of the run in view come first, then those laid over.
  const [near, setNear] = useState<{ cloud: number; point: number } | null>(null);
  const all = [...clouds, ...laid];

  const find = (frame: Frame, event: React.PointerEvent | React.MouseEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    let best: { cloud: number; point: number } | null = null;
    let least = REACH ** 2;
    for (const [c, cloud] of all.entries()) {
      for (const [i, value] of cloud.x.entries()) {
        const d = (frame.x(value) - px) ** 2 + (frame.y(cloud.y[i] as number) - py) ** 2;
        if (d < least) {
          least = d;
          best = { cloud: c, point: i };
        }
      }
    }
    return best;
  };

  const low = Math.max(x.domain[0], y.domain[0]);
  const high = Math.min(x.domain[1], y.domain[1]);
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      xLabel={xLabel}
      yLabel={yLabel}
      height={height}
      left={left}
      grid="both"
      under={(frame) => <Points frame={frame} clouds={clouds} laid={laid} hollow={recorded} />}
      over={(frame) => {
        const cloud = near === null ? undefined : all[near.cloud];
        if (near === null || cloud === undefined) return null;
        const other = laid[near.cloud - clouds.length];
        const px = cloud.x[near.point];
        const py = cloud.y[near.point];
        if (px === undefined || py === undefined) return null;
        return (
          <Tooltip frame={frame} x={frame.x(px)} y={frame.y(py)}>
            {other === undefined ? (
              describe(near.cloud, near.point)
            ) : (
              <>
                <div className="tooltip-row">{other.label}</div>
                {other.describe(near.point)}
              </>
            )}
          </Tooltip>
        );
      }}
    >
      {(frame) => {
        const cloud = near === null ? undefined : all[near.cloud];
        const px = near === null ? undefined : cloud?.x[near.point];
        const py = near === null ? undefined : cloud?.y[near.point];
        return (
          <>
            {diagonal && low < high && (
              <line
                className="prediction-line"
                x1={frame.x(low)}
                y1={frame.y(low)}
                x2={frame.x(high)}
                y2={frame.y(high)}
              />
            )}
            {overlay?.(frame)}
            {px !== undefined && py !== undefined && (
              <circle className="plot-near" cx={frame.x(px)} cy={frame.y(py)} r={6} />
            )}
            <rect
              className={pick ? 'plot-hit plot-hit-pick' : 'plot-hit'}
              width={frame.width}
              height={frame.height}
              onPointerMove={(event) => setNear(find(frame, event))}
              onPointerLeave={() => setNear(null)}
              onClick={(event) => {
                const found = find(frame, event);
                if (found !== null && found.cloud < clouds.length) pick?.(found.point, found.cloud);
              }}
            />
          </>
        );
      }}
    </Plot>
  );
}
