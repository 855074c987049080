/**
 * Axes over measured curves: which values an axis must hold, and lines sampled along it. Contract: pure
 * functions and one hook; an axis holds every value and what is sensible of its interval, so that one
 * point that is hardly known does not flatten all others.
 */
import { useMemo } from 'react';
import { useStableDomain } from './hooks';
import { type Domain, linearScale, logScale, type Scale } from './scale';

export type AxisMode = 'log' | 'linear';

export interface Measured {
  y: number;
  interval: readonly [number, number] | null;
}

/** Domain of positive finite values, padded by a share of its logarithmic span. */
export function logDomainOf(values: Iterable<number>, padding = 0.05): Domain {
  let low = Infinity;
  let high = 0;
  for (const value of values) {
    if (!Number.isFinite(value) || value <= 0) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0.1, 10];
  const margin = Math.max((high / low) ** padding, 1.08);
  return [low / margin, high * margin];
}

/** Values and interval ends; an end further than `reach` times the value is cut there. */
export function extent(points: Iterable<Measured>, reach = 4): number[] {
  const shown: number[] = [];
  for (const { y, interval } of points) {
    if (!Number.isFinite(y)) continue;
    shown.push(y);
    if (interval === null) continue;
    const [low, high] = interval;
    const ends = y > 0 ? [Math.max(low, y / reach), Math.min(high, y * reach)] : [low, high];
    shown.push(...ends.filter(Number.isFinite));
  }
  return shown;
}

/** A value held inside an axis, so that what lies beyond it (the logarithm of zero) stands at its end. */
export function held(value: number, { domain: [low, high] }: Scale): number {
  return Number.isNaN(value) ? value : Math.min(high, Math.max(low, value));
}

/** (x, f(x)) at even steps along the axis, ends included; where f is not finite, no point. */
export function sampled(
  [low, high]: Domain,
  mode: AxisMode,
  f: (x: number) => number,
  steps = 72,
): [number, number][] {
  const points: [number, number][] = [];
  for (let i = 0; i <= steps; i++) {
    const x = mode === 'log' ? low * (high / low) ** (i / steps) : low + ((high - low) * i) / steps;
    const y = f(x);
    if (Number.isFinite(y)) points.push([x, y]);
  }
  return points;
}

/** An axis that only widens while `key` stays the same. */
export function useAxis(mode: AxisMode, now: Domain, key: string, ticks?: number): Scale {
  const [low, high] = useStableDomain(now, `${key} ${mode}`);
  return useMemo(
    () => (mode === 'log' ? logScale([low, high], ticks) : linearScale([low, high], ticks)),
    [mode, low, high, ticks],
  );
}

/** Where labels of lines across a plot go, so that none lies on another. */

export interface Span {
  /** px */
  from: number;
  to: number;
}

/** px that a letter of the small type takes on average; labels are not measured, so that exports match. */
const LETTER = 5.8;
const GAP = 4;

/** The label's extent beside its line, on the side where there is room. */
export function labelSpan(at: number, label: string, width: number): Span & { end: boolean } {
  const size = label.length * LETTER;
  const end = at + GAP + size > width;
  return end
    ? { from: at - GAP - size, to: at - GAP, end }
    : { from: at + GAP, to: at + GAP + size, end };
}

/** @returns the row of each, from 0: the first in which it is clear of all that stand there already */
export function labelRows(spans: readonly Span[]): number[] {
  const rows: Span[][] = [];
  return spans.map((span) => {
    const clear = (others: Span[]) =>
      others.every(({ from, to }) => span.to + GAP <= from || to + GAP <= span.from);
    const found = rows.findIndex(clear);
    const row = found < 0 ? rows.length : found;
    (rows[row] ??= []).push(span);
    return row;
  });
}
