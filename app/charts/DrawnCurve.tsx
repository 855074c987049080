/**
 * An empty chart to draw a curve on: handles at the ticks of its x axis, set by pointer, finger or keys, joined by
 * straight lines. Contract: a handle has a value once it was set, and none before; values lie on the axis; every handle
 * is a slider of its own (arrows a fiftieth of the axis, Page Up and Page Down a tenth, Home and End to its ends).
 */
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { significant } from '../format/numbers';
import { DrawnLine } from './ErrorBars';
import type { Frame } from './frame';
import { Plot, type Place } from './Plot';
import type { Scale } from './scale';

/** [ticks of x] null: not set yet */
export type Handles = readonly (number | null)[];

interface DrawnCurveProps {
  label: string;
  x: Scale;
  y: Scale;
  xLabel: string;
  yLabel: string;
  height: number;
  handles: Handles;
  /** null: to be looked at only */
  onDraw: ((handles: Handles) => void) | null;
}

/** CSS custom property of what a person drew, here and where it is laid over a measurement */
export const DRAWN_COLOUR = '--accent';

export function DrawnCurve({
  label,
  x,
  y,
  xLabel,
  yLabel,
  height,
  handles,
  onDraw,
}: DrawnCurveProps) {
  const [active, setActive] = useState<number | null>(null);
  const places = x.ticks.map(({ value }) => value);
  const points = places.flatMap((place, i): [number, number][] => {
    const value = handles[i];
    return typeof value === 'number' ? [[place, value]] : [];
  });
  const at = active === null ? null : (handles[active] ?? null);
  const set = handles.filter((value) => value !== null).length;
  return (
    <>
      <p className="small drawn-reading" data-testid="drawn-reading">
        {active !== null && at !== null
          ? `${xLabel}: ${x.ticks[active]?.label ?? ''}; ${yLabel}: ${significant(at, 3)}. `
          : ''}
        {set < places.length
          ? `${set} of ${places.length} points are set.`
          : 'All points are set; they can still be moved.'}
      </p>
      <Plot
        label={label}
        x={x}
        y={y}
        xLabel={xLabel}
        yLabel={yLabel}
        height={height}
        left={60}
        grid="both"
        over={(frame, place) => (
          <Pad
            frame={frame}
            place={place}
            {...{ x, y, xLabel, yLabel, handles, onDraw, setActive }}
          />
        )}
      >
        <DrawnLine line={{ id: 'drawn', kind: 'line', colour: DRAWN_COLOUR, points }} />
      </Plot>
    </>
  );
}

interface PadProps extends Pick<
  DrawnCurveProps,
  'x' | 'y' | 'xLabel' | 'yLabel' | 'handles' | 'onDraw'
> {
  frame: Frame;
  place: Place;
  setActive(index: number): void;
}

/** px around a handle within which a pointer that goes down takes it */
const REACH = 28;
/** px around the handle that was taken within which it follows the pointer; beyond, handles that are passed do */
const HOLD = 12;

const inUnit = (share: number) => Math.min(1, Math.max(0, share));

/** Values that a person sets are no more exact than the screen. */
const rounded = (value: number) => Number(value.toPrecision(4));

function Pad({ frame, place, x, y, xLabel, yLabel, handles, onDraw, setActive }: PadProps) {
  const places = x.ticks.map(({ value }) => frame.x(value));
  /** where the pointer was, and the handle that it has taken */
  const pen = useRef<{ x: number; y: number; taken: number | null } | null>(null);
  const sliders = useRef<(HTMLElement | null)[]>([]);

  const valueAt = (py: number) => rounded(y.invert(inUnit(1 - py / frame.height)));
  const change = (changes: ReadonlyMap<number, number>) => {
    if (changes.size === 0) return;
    onDraw?.(x.ticks.map((_, i) => changes.get(i) ?? handles[i] ?? null));
  };
  const where = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const nearest = (px: number) =>
    places.reduce((best, at, i) => {
      const found = places[best] ?? Infinity;
      return Math.abs(at - px) < Math.abs(found - px) ? i : best;
    }, 0);

  const down = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    // Else the pad, which is no stop, takes the focus from the slider below.
    event.preventDefault();
    const now = where(event);
    const near = nearest(now.x);
    const taken = Math.abs((places[near] ?? Infinity) - now.x) <= REACH ? near : null;
    event.currentTarget.setPointerCapture(event.pointerId);
    pen.current = { ...now, taken };
    if (taken === null) return;
    change(new Map([[taken, valueAt(now.y)]]));
    sliders.current[taken]?.focus({ preventScroll: true });
    setActive(taken);
  };
  const move = (event: PointerEvent<HTMLElement>) => {
    const before = pen.current;
    if (before === null) return;
    const now = where(event);
    const changes = new Map<number, number>();
    let last: number | null = null;
    places.forEach((at, i) => {
      const held = i === before.taken && Math.abs(at - now.x) <= HOLD;
      const passed = at !== before.x && (at - before.x) * (at - now.x) <= 0;
      if (held) changes.set(i, valueAt(now.y));
      else if (passed) {
        const share = (at - before.x) / (now.x - before.x);
        changes.set(i, valueAt(before.y + share * (now.y - before.y)));
      } else return;
      last = i;
    });
    pen.current = { ...now, taken: last ?? before.taken };
    change(changes);
    if (last !== null) setActive(last);
  };
  const up = () => {
    const last = pen.current;
    pen.current = null;
    if (last === null) return;
    // A stroke that ends short of a handle that is not set yet meant it.
    const near = nearest(last.x);
    const short = Math.abs((places[near] ?? Infinity) - last.x) <= REACH;
    if (short && typeof handles[near] !== 'number') change(new Map([[near, valueAt(last.y)]]));
  };
  const press = (event: KeyboardEvent, i: number) => {
    const by = STEPS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const value = handles[i];
    const share = typeof value === 'number' ? y.at(value) : 0.5;
    change(new Map([[i, rounded(y.invert(inUnit(share + by)))]]));
    setActive(i);
  };
  return (
    <div
      className="draw-pad"
      style={place}
      data-fixed={onDraw === null || undefined}
      {...(onDraw === null
        ? {}
        : { onPointerDown: down, onPointerMove: move, onPointerUp: up, onPointerCancel: up })}
    >
      {x.ticks.map(({ value, label }, i) => {
        const set = handles[i] ?? null;
        const share = set === null ? 0.5 : inUnit(y.at(set));
        return (
          <div
            key={value}
            ref={(element) => {
              sliders.current[i] = element;
            }}
            className="draw-handle"
            style={{ left: places[i], top: (1 - share) * frame.height }}
            data-set={set !== null || undefined}
            role="slider"
            tabIndex={onDraw === null ? -1 : 0}
            aria-disabled={onDraw === null || undefined}
            aria-orientation="vertical"
            aria-label={`${yLabel} at ${xLabel} ${label}`}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(100 * share)}
            aria-valuetext={set === null ? 'not set' : significant(set, 3)}
            onFocus={() => setActive(i)}
            onKeyDown={(event) => onDraw !== null && press(event, i)}
          />
        );
      })}
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowUp: 0.02,
  ArrowRight: 0.02,
  ArrowDown: -0.02,
  ArrowLeft: -0.02,
  PageUp: 0.1,
  PageDown: -0.1,
  Home: -1,
  End: 1,
};
