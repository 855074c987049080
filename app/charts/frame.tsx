/**
 * The plotting area for marks of ours: recharts' scales as pixels, a group to draw in, and a layer of HTML
 * under it. Contract: only inside a `Plot`; what recharts has no place for (the logarithm of zero) lies where
 * the axis goes to, at infinity.
 */
import { createContext, use, useMemo, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { usePlotArea, useXAxisScale, useYAxisScale, ZIndexLayer } from 'recharts';
import type { Scale } from './scale';

export interface Frame {
  /** px of the plotting area from the chart's left edge */
  left: number;
  width: number;
  height: number;
  /** value -> pixels from the plotting area's left edge */
  x(value: number): number;
  /** value -> pixels from its top */
  y(value: number): number;
  xScale: Scale;
  yScale: Scale;
}

interface PlotContextValue {
  x: Scale;
  y: Scale;
  under: HTMLElement | null;
}

export const PlotContext = createContext<PlotContextValue | null>(null);

/** The plotting area through recharts' scales; null until recharts has laid it out. */
export function useFrame(): Frame | null {
  const area = usePlotArea();
  const x = useXAxisScale();
  const y = useYAxisScale();
  const context = use(PlotContext);
  return useMemo(() => {
    if (area === undefined || x === undefined || y === undefined || context === null) return null;
    // A logarithm of zero lies at infinity, where recharts has no place.
    const px = (value: number) => {
      const at = x(value);
      return Number.isFinite(at) ? (at as number) - area.x : context.x.at(value) * area.width;
    };
    const py = (value: number) => {
      const at = y(value);
      return Number.isFinite(at)
        ? (at as number) - area.y
        : (1 - context.y.at(value)) * area.height;
    };
    const { width, height } = area;
    return { left: area.x, width, height, x: px, y: py, xScale: context.x, yScale: context.y };
  }, [area, x, y, context]);
}

/** in recharts' order: over its scatters (600), under its cursor (1100) */
const ABOVE = 700;

interface DrawnProps {
  /** over what recharts draws; else under its lines and points */
  above?: boolean;
  children: (frame: Frame) => ReactNode;
}

/** Marks of ours, in pixels of the plotting area. */
export function Drawn({ above = false, children }: DrawnProps) {
  const frame = useFrame();
  const area = usePlotArea();
  if (frame === null || area === undefined) return null;
  return (
    <ZIndexLayer zIndex={above ? ABOVE : undefined}>
      <g transform={`translate(${area.x},${area.y})`}>{children(frame)}</g>
    </ZIndexLayer>
  );
}

/** HTML under all lines, as large as the plotting area. */
export function Under({ children }: { children: (frame: Frame) => ReactNode }) {
  const frame = useFrame();
  const context = use(PlotContext);
  if (frame === null || !context?.under) return null;
  return createPortal(children(frame), context.under);
}
