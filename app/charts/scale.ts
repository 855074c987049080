/**
 * Axes: linear and logarithmic scales, their ticks, and how they may move. Contract: pure functions over
 * d3-scale, whose scales recharts draws with too; a scale maps values to [0, 1]; ticks lie inside the domain
 * and are round numbers; `widen` never narrows, so that nothing jumps while a run is live.
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { count, decimal, percent, significant, superscript } from '../format/numbers';

export type Domain = readonly [low: number, high: number];

export interface Tick {
  value: number;
  label: string;
}

export interface Scale {
  /** as recharts names it */
  kind: 'linear' | 'log';
  domain: Domain;
  /** value -> share of the axis; outside [0, 1] outside the domain */
  at(value: number): number;
  /** share of the axis -> value */
  invert(share: number): number;
  ticks: readonly Tick[];
}

/** Enough decimals to tell neighbouring ticks apart. */
function tickLabel(value: number, step: number): string {
  const largest = Math.abs(value) + step;
  if (largest >= 1e6 || step < 1e-6) {
    return significant(value, Math.min(8, 1 + Math.ceil(Math.log10(largest / step))));
  }
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return '0';
  const grouped = decimals === 0 ? count(Number(text)) : decimal(text);
  return value < 0 ? `−${grouped}` : grouped;
}

/** What d3's scales give for infinities differs; an axis has them at infinity. */
const finiteOr = (share: number, value: number) => (Number.isNaN(share) ? value : share);

export function linearScale([low, high]: Domain, wantedTicks = 5): Scale {
  const end = low + (high - low || 1);
  const scale = scaleLinear([low, end], [0, 1]);
  const values = scale.ticks(wantedTicks);
  const step = values.length > 1 ? (values[1] as number) - (values[0] as number) : end - low;
  return {
    kind: 'linear',
    domain: [low, end],
    at: (value) => finiteOr(scale(value), value),
    invert: (share) => scale.invert(share),
    ticks: values.map((value) => ({ value, label: tickLabel(value, step) })),
  };
}

function logTickLabel(step: number, power: number): string {
  const value = Number(`${step}e${power}`);
  if (power >= -2 && power <= 4) return count(value);
  return `${step === 1 ? '' : `${step} × `}10${superscript(power)}`;
}

/** Base ten; both ends positive. Whole decades, thinned to about `wanted`; a short axis has 2 and 5 too. */
export function logScale([low, high]: Domain, wantedTicks = 6): Scale {
  const end = high === low ? 10 * low : high;
  const scale = scaleLog([low, end], [0, 1]);
  const from = Math.log10(low);
  const span = Math.log10(end) - from;
  // d3's own ticks of a log axis are 1 to 9 times each decade, which is more than there is room for.
  const short = span < 2.5;
  const every = short ? 1 : Math.max(1, Math.round(span / wantedTicks));
  const ticks: Tick[] = [];
  const first = Math.ceil(from - 1e-9) - (short ? 1 : 0);
  for (let power = first; power <= from + span + 1e-9; power += every) {
    for (const step of short ? [1, 2, 5] : [1]) {
      const value = Number(`${step}e${power}`);
      const share = scale(value);
      if (share < -1e-9 || share > 1 + 1e-9) continue;
      ticks.push({ value, label: logTickLabel(step, power) });
    }
  }
  return {
    kind: 'log',
    domain: [low, end],
    at: (value) => (value <= 0 ? -Infinity : finiteOr(scale(value), value)),
    invert: (share) => scale.invert(share),
    ticks,
  };
}

/** The smallest domain that holds both. */
export function widen(before: Domain | null, now: Domain): Domain {
  return before === null ? now : [Math.min(before[0], now[0]), Math.max(before[1], now[1])];
}

/** Upper end of a count axis: the next of 1, 2, 5 times a power of ten with some headroom. */
export function countCeiling(largest: number): number {
  if (largest <= 4) return 5;
  const wanted = largest * 1.06;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  return (steps.find((step) => step * power >= wanted) ?? 10) * power;
}

/** Domain of a set of finite values, padded by a share of its span; a single value gets a margin too. */
export function domainOf(values: Iterable<number>, padding = 0.04): Domain {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  // Differences in the last digits of float64 are rounding, not a spread to zoom into.
  const span = high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high)) ? high - low : 0;
  const margin = span > 0 ? span * padding : Math.max(Math.abs(low) * 0.01, 1e-6);
  return [low - margin, high + margin];
}

/** Linear from 0 to `high`, ticks in percent. */
export function percentScale(high = 1): Scale {
  const scale = linearScale([0, high], 5);
  return {
    ...scale,
    ticks: scale.ticks.map(({ value }) => ({
      value,
      label: `${decimal(String(Number((value * 100).toFixed(4))))} %`,
    })),
  };
}

/** Two decimals of percent; a share too small for them keeps three digits, and none is none. */
export function shareText(share: number): string {
  if (share === 0) return '0 %';
  return Math.abs(share) < 1e-3 ? `${significant(share * 100, 3)} %` : percent(share, 2);
}
