/**
 * Thousands of points, cheaply: one canvas under the axes, placed by the chart's scales. Contract: draws every
 * point that it is given, those of runs laid over under the others; colours are CSS custom properties, so that
 * the theme may change at any time.
 */
import { useEffect, useRef, useState } from 'react';
import { Under, type Frame } from '../frame';
import { markPath, type OverlayLook } from '../shapes';

export interface Cloud {
  /** name of a CSS custom property that holds a colour */
  colour: string;
  shape: 'circle' | 'square' | 'triangle';
  /** [n] */
  x: readonly number[];
  y: readonly number[];
}

/** Points of a run laid over: open marks in the run's look, under the others. */
export interface LaidPoints {
  look: OverlayLook;
  /** [n] */
  x: readonly number[];
  y: readonly number[];
}

interface CloudCanvasProps {
  clouds: readonly Cloud[];
  laid: readonly LaidPoints[];
  hollow: boolean;
}

export function CloudCanvas(props: CloudCanvasProps) {
  return <Under>{(frame) => <Canvas frame={frame} {...props} />}</Under>;
}

/** Counts changes of the theme: a canvas' colours do not follow CSS by themselves. */
function useThemeChanges(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const changed = () => setChanges((n) => n + 1);
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', changed);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      media.removeEventListener('change', changed);
      observer.disconnect();
    };
  }, []);
  return changes;
}

/** All points of a cloud as one path. */
function pathOf({ x, y }: Pick<Cloud, 'x' | 'y'>, mark: Path2D, frame: Frame): Path2D {
  const path = new Path2D();
  x.forEach((value, i) => {
    const [px, py] = [frame.x(value), frame.y(y[i] as number)];
    if (Number.isFinite(px + py)) path.addPath(mark, new DOMMatrix([1, 0, 0, 1, px, py]));
  });
  return path;
}

function Canvas({ frame, clouds, laid, hollow }: CloudCanvasProps & { frame: Frame }) {
  const ref = useRef<HTMLCanvasElement>(null);
  const theme = useThemeChanges();
  useEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context) return;
    const density = window.devicePixelRatio || 1;
    canvas.width = Math.round(frame.width * density);
    canvas.height = Math.round(frame.height * density);
    context.scale(density, density);
    /** What the property comes to in the theme that is on. */
    const colourOf = (property: string) => {
      canvas.style.color = `var(${property})`;
      return getComputedStyle(canvas).color;
    };
    for (const { look, ...cloud } of laid) {
      const mark = new Path2D(markPath(look.shape, cloud.x.length > 1500 ? 2 : 2.8));
      context.lineWidth = 0.9;
      context.strokeStyle = colourOf(look.colour);
      context.stroke(pathOf(cloud, mark, frame));
    }
    for (const cloud of clouds) {
      const mark = new Path2D(markPath(cloud.shape, cloud.x.length > 1500 ? 1.8 : 2.5));
      const path = pathOf(cloud, mark, frame);
      if (hollow) {
        context.lineWidth = 0.8;
        context.strokeStyle = colourOf(cloud.colour);
        context.stroke(path);
      } else {
        context.globalAlpha = 0.7;
        context.fillStyle = colourOf(cloud.colour);
        context.fill(path);
        context.globalAlpha = 1;
      }
    }
  }, [frame, clouds, laid, hollow, theme]);
  return <canvas ref={ref} className="plot-points" aria-hidden="true" />;
}
