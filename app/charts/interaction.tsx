/**
 * How every chart is read: by pointer, by touch and by keys. Contract: a chart names its stops, which are the
 * places where it has exact values, and what it says at each; this layer finds the stop that is meant, hands
 * it to recharts' tooltip and cursor (and through them to the charts that share its crosshair), rings it, and
 * says it. One tab stop: arrows go from stop to stop, Home and End to the ends, Page Up and Page Down a tenth,
 * Enter opens what is behind a stop, Escape ends. A finger reads while it moves sideways and leaves the
 * reading when it is lifted; a second tap on the same stop opens it. Nothing is interpolated.
 */
import {
  memo,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
} from 'react';
import { Scatter, Tooltip } from 'recharts';
import { useStore } from 'zustand';
import { createStore, type StoreApi } from 'zustand/vanilla';
import { Drawn, type Frame } from './frame';

/** A place where a chart has exact values, in units of its axes. */
export interface Stop {
  x: number;
  y: number;
  /** px to the right, as the mark is drawn */
  dodge?: number | undefined;
  /** of a run laid over: read by pointer and touch, passed over by the keys */
  laid?: boolean | undefined;
}

export interface ReadRow {
  name: string;
  value: string;
  /** CSS custom property of its swatch */
  colour?: string | undefined;
  muted?: boolean;
}

/** What is said at a stop, to the eye and to the ear. */
export interface Reading {
  head: string;
  rows: readonly ReadRow[];
}

export interface Readable {
  /** in the order of the keys */
  stops: readonly Stop[];
  read(index: number): Reading | null;
  /** how much a px across and a px up count, and how far a pointer reaches, px */
  reach: { x: number; y: number; within: number };
  /** by how many stops the arrow down goes on; 1 where stops stand below one another */
  down?: number;
  /** a line through all charts of one crosshair */
  cross?: boolean;
  /** drawn where the reading is; a ring unless told */
  mark?: ((index: number, frame: Frame) => ReactNode) | undefined;
  /** the read-out stands at the top, beside its line */
  pinned?: boolean;
  /** no box: another chart of the same crosshair has it */
  boxless?: boolean;
  /** told whenever a stop is read, where something beside the chart follows it */
  moved?: ((index: number) => void) | undefined;
  /** what is behind a stop */
  open?: ((index: number) => void) | undefined;
}

/** Along x alone, anywhere in the plot. */
export const ALONG_X = { x: 1, y: 0, within: Infinity };
/** Along y alone. */
export const ALONG_Y = { x: 0, y: 1, within: Infinity };
/** The nearest cell, everywhere. */
export const ANYWHERE = { x: 1, y: 1, within: Infinity };
/** One point of a cloud. */
export const POINT = { x: 1, y: 1, within: 24 };
/** A mark over its length: people point at a length, not at a value. */
export const OVER_LENGTH = { x: 1, y: 0.2, within: 56 };

interface NearState {
  index: number | null;
  by: 'pointer' | 'keys';
}

export type Near = StoreApi<NearState>;

/** Which stop is read; outside of React's tree of charts, so that a moving pointer draws no chart again. */
export function useNear(): Near {
  const [near] = useState(() => createStore<NearState>(() => ({ index: null, by: 'pointer' })));
  return near;
}

const clamp = (px: number, size: number) =>
  Number.isNaN(px) ? size : Math.min(size, Math.max(0, px));

/** The stop nearest to a place, px of the plotting area; null: none within reach. */
export function nearestStop(
  { stops, reach }: Pick<Readable, 'stops' | 'reach'>,
  frame: Frame,
  px: number,
  py: number,
): number | null {
  let best: number | null = null;
  let least = reach.within ** 2;
  for (let i = 0; i < stops.length; i++) {
    const stop = stops[i] as Stop;
    const dx = frame.x(stop.x) + (stop.dodge ?? 0) - px;
    const dy = reach.y === 0 ? 0 : clamp(frame.y(stop.y), frame.height) - py;
    const distance = reach.x * dx ** 2 + reach.y * dy ** 2;
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

const spoken = ({ head, rows }: Reading) =>
  `${head}: ${rows.map(({ name, value }) => `${name} ${value}`).join(', ')}`;

/** The crosshairs that have been read through: only then do their other charts need what reads them. */
const crossed = createStore<ReadonlySet<string>>(() => new Set());

interface HitAreaProps {
  label: string;
  /** of the crosshair that the chart shares */
  sync: string | undefined;
  near: Near;
  readable: Readable;
  frame: Frame;
  /** px */
  place: { left: number; top: number; width: number; height: number };
}

/** What takes pointer, touch and keys, over the plotting area. */
export function HitArea({ label, sync, near, readable, frame, place }: HitAreaProps) {
  const { stops, open } = readable;
  const { index, by } = useStore(near);
  const lastKey = useRef<number | null>(null);
  /** whether a tap would open: the finger was on this stop before */
  const armed = useRef(true);
  const keyed = useMemo(() => stops.flatMap((stop, i) => (stop.laid === true ? [] : [i])), [stops]);
  const reading = index === null || index >= stops.length ? null : readable.read(index);

  const go = (next: number | null, how: NearState['by']) => {
    const now = near.getState();
    if (now.index !== next || now.by !== how) near.setState({ index: next, by: how });
    if (next === null) return;
    if (sync !== undefined && !crossed.getState().has(sync)) {
      crossed.setState(new Set([...crossed.getState(), sync]), true);
    }
    lastKey.current = next;
    if (now.index !== next) readable.moved?.(next);
  };
  const find = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return nearestStop(readable, frame, event.clientX - box.left, event.clientY - box.top);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key === 'Escape') {
      if (index === null) return;
      event.preventDefault();
      return go(null, 'keys');
    }
    if ((event.key === 'Enter' || event.key === ' ') && open !== undefined && index !== null) {
      event.preventDefault();
      return open(index);
    }
    const by = keySteps(event.key, keyed.length, readable.down ?? -1);
    if (by === undefined || keyed.length === 0) return;
    event.preventDefault();
    const at = keyed.indexOf(index ?? lastKey.current ?? -1);
    const from = at < 0 ? 0 : at;
    const to = at < 0 && Number.isFinite(by) ? from : from + by;
    go(keyed[Math.min(keyed.length - 1, Math.max(0, to))] ?? null, 'keys');
  };
  return (
    <>
      <div
        className={open === undefined ? 'plot-hit' : 'plot-hit plot-hit-pick'}
        style={place}
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Arrow keys read values`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, keyed.length - 1)}
        aria-valuenow={index === null ? 0 : Math.max(0, keyed.indexOf(index))}
        aria-valuetext={reading === null ? 'nothing read' : spoken(reading)}
        onPointerDown={(event) => {
          const found = find(event);
          armed.current = event.pointerType === 'mouse' || found === index;
          go(found, 'pointer');
        }}
        onPointerMove={(event) => go(find(event), 'pointer')}
        onPointerLeave={(event) => {
          // A finger that is lifted leaves what it read.
          if (event.pointerType === 'mouse') go(null, 'pointer');
        }}
        onClick={() => {
          if (armed.current && index !== null) open?.(index);
        }}
        onFocus={() => {
          if (near.getState().index !== null) return;
          const last = lastKey.current;
          go(last !== null && keyed.includes(last) ? last : (keyed[0] ?? null), 'keys');
        }}
        onBlur={() => go(null, 'keys')}
        onKeyDown={onKeyDown}
      />
      <div className="visually-hidden" role="status">
        {by === 'pointer' && reading !== null ? spoken(reading) : ''}
      </div>
    </>
  );
}

function keySteps(key: string, stops: number, down: number): number | undefined {
  const page = Math.max(1, Math.round(stops / 10));
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: down,
    ArrowUp: -down,
    PageDown: page,
    PageUp: -page,
    Home: -Infinity,
    End: Infinity,
  };
  return steps[key];
}

interface ReadOutProps {
  near: Near;
  readable: Readable;
  frame: Frame;
  /** of the crosshair through which another chart may say which stop is read */
  sync: string | undefined;
}

/**
 * Inside the chart: the stops as a series that is not drawn, and recharts' tooltip and cursor at one of them. A
 * chart that nobody has read yet goes without: most of a page's are drawn again and again while a run grows.
 */
export function ReadOut({ near, readable, frame, sync }: ReadOutProps) {
  const index = useStore(near, (state) => state.index);
  const through = useStore(crossed, (ids) => sync !== undefined && ids.has(sync));
  const [touched, setTouched] = useState(false);
  if ((index !== null || through) && !touched) setTouched(true);
  const { stops, cross = false, pinned = false } = readable;
  const shown = index !== null && index < stops.length ? index : null;
  // Through a shared crosshair others name any stop by its number; alone, the one that is read is enough.
  const alone = sync === undefined ? shown : null;
  const known = useMemo(
    () => (sync !== undefined ? stops : alone === null ? [] : stops.slice(alone, alone + 1)),
    [sync, stops, alone],
  );
  if (!touched) return null;
  const at = (active: unknown) => alone ?? (typeof active === 'string' ? Number(active) : null);
  return (
    <>
      <Stops stops={known} frame={frame} pinned={pinned} />
      <Tooltip
        {...(shown === null ? {} : { active: true, defaultIndex: alone === null ? shown : 0 })}
        includeHidden
        isAnimationActive={false}
        offset={12}
        wrapperStyle={{ zIndex: 2, maxWidth: frame.width }}
        content={({ active, activeIndex }) => (
          <Box readable={readable} index={active ? at(activeIndex) : null} />
        )}
        cursor={<Cursor readable={readable} cross={cross} at={at} />}
      />
    </>
  );
}

interface StopsProps {
  stops: readonly Stop[];
  frame: Frame;
  pinned: boolean;
}

const Stops = memo(function Stops({ stops, frame, pinned }: StopsProps) {
  const data = useMemo(() => {
    const [low, high] = frame.yScale.domain;
    const held = (y: number) => (Number.isFinite(y) ? Math.min(high, Math.max(low, y)) : low);
    return stops.map(({ x, y }) => ({ x, y: pinned ? high : held(y) }));
  }, [stops, frame.yScale, pinned]);
  return <Scatter data={data} dataKey="y" hide isAnimationActive={false} legendType="none" />;
});

/** The read-out beside a stop. The table behind the figure has its values too, so this one is silent. */
function Box({ readable, index }: { readable: Readable; index: number | null }) {
  const reading = index === null || readable.boxless === true ? null : readable.read(index);
  if (reading === null) return null;
  return (
    <div className="plot-tooltip" aria-hidden="true">
      <div className="tooltip-head">{reading.head}</div>
      {reading.rows.map(({ name, value, colour, muted }, i) => (
        <div key={i} className="tooltip-row">
          {colour !== undefined && (
            <span className="swatch" style={{ background: `var(${colour})` }} />
          )}
          {name}
          <b className={muted === true ? 'muted' : ''}>{value}</b>
        </div>
      ))}
    </div>
  );
}

interface CursorProps {
  readable: Readable;
  cross: boolean;
  /** the number of a stop from recharts' */
  at: (active: unknown) => number | null;
  /** from recharts */
  payloadIndex?: string | null;
}

function Cursor({ readable, cross, at, payloadIndex }: CursorProps) {
  const index = at(payloadIndex);
  const stop = index === null ? undefined : readable.stops[index];
  if (index === null || stop === undefined) return null;
  return (
    <Drawn>
      {(frame) => {
        const px = frame.x(stop.x) + (stop.dodge ?? 0);
        return (
          <g className="plot-cursor">
            {cross && <line className="cursor-line" x1={px} x2={px} y2={frame.height} />}
            {readable.mark === undefined ? (
              <circle
                className="plot-near"
                cx={px}
                cy={clamp(frame.y(stop.y), frame.height)}
                r={6.5}
              />
            ) : (
              readable.mark(index, frame)
            )}
          </g>
        );
      }}
    </Drawn>
  );
}
