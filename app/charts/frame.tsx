/**
 * The plotting area for marks of ours: recharts' scales as pixels, a group to draw in, and a layer of HTML
 * under it. Contract: only inside a `Plot`; what recharts has no place for (the logarithm of zero) lies where
 * the axis goes to, at infinity.
 */
import { createContext, use, useMemo, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { usePlotArea, useXAxisScale, useYAxisScale, ZIndexLayer } from 'recharts';
import { useStore } from 'zustand';
import type { StoreApi } from 'zustand/vanilla';
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
  /** the layer of HTML, once it is there; a store, so that its coming draws nothing again but what lies in it */
  under: StoreApi<HTMLElement | null>;
}

export const PlotContext = createContext<PlotContextValue | null>(null);

/**
 * The plotting area through recharts' scales; null until recharts has laid it out. The same object until a place
 * in it changes: recharts makes scales and areas anew with every series that it hears of, and marks hang on this.
 */
export function useFrame(): Frame | null {
  const area = usePlotArea();
  const x = useXAxisScale();
  const y = useYAxisScale();
  const context = use(PlotContext);
  const [left, top, width, height] = [area?.x, area?.y, area?.width, area?.height];
  const [low, high] = context === null ? [] : context.x.domain.map((end) => x?.(end));
  const [bottom, ceiling] = context === null ? [] : context.y.domain.map((end) => y?.(end));
  return useMemo(() => {
    if (context === null || left === undefined || top === undefined) return null;
    if (width === undefined || height === undefined) return null;
    if (low === undefined || high === undefined) return null;
    if (bottom === undefined || ceiling === undefined) return null;
    // recharts says where the axis ends; between them lies what its scale, which is d3's, and ours both say.
    const { x: across, y: up } = context;
    return {
      left,
      width,
      height,
      x: (value) => low - left + across.at(value) * (high - low),
      y: (value) => bottom - top + up.at(value) * (ceiling - bottom),
      xScale: across,
      yScale: up,
    };
  }, [left, top, width, height, low, high, bottom, ceiling, context]);
}

/** In recharts' order of layers: among its lines (400), or over its scatters (600) and under its cursor (1100). */
const LAYERS = { lines: 400, top: 700 };

interface DrawnProps {
  /** under recharts' lines and points unless told */
  at?: keyof typeof LAYERS;
  children: (frame: Frame) => ReactNode;
}

/** Marks of ours, in pixels of the plotting area. */
export function Drawn({ at, children }: DrawnProps) {
  const frame = useFrame();
  const area = usePlotArea();
  if (frame === null || area === undefined) return null;
  return (
    <ZIndexLayer zIndex={at && LAYERS[at]}>
      <g transform={`translate(${area.x},${area.y})`}>{children(frame)}</g>
    </ZIndexLayer>
  );
}

interface UnderProps {
  children: (frame: Frame) => ReactNode;
}

/** HTML under all lines, as large as the plotting area. */
export function Under({ children }: UnderProps) {
  const frame = useFrame();
  const context = use(PlotContext);
  if (frame === null || context === null) return null;
  return <Layer layer={context.under}>{children(frame)}</Layer>;
}

function Layer({ layer, children }: { layer: StoreApi<HTMLElement | null>; children: ReactNode }) {
  const element = useStore(layer);
  return element && createPortal(children, element);
}
