/**
 * Both log-probs of every token are rounded to a format, log s is computed again in float64. The wrong side:
 * the response is inside the band with exact log-probs and outside with rounded ones, or the reverse.
 */
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { quantileSorted } from '../../math/stats/quantiles';
import { promptClusters } from '../../rollouts/clusters';
import { sequenceCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { logRatios, responseLengths, sequenceMeans, stage } from '../shared/input';
import { proportion } from '../shared/proportions';
import { roundTo, spacing, type NumberFormat } from './rounding';
import type { PrecisionSettings } from './settings';

export interface MeasuredFormat {
  format: NumberFormat;
  label: string;
  /** |log s - exact| over responses */
  error: { p50: number; p99: number; max: number; rms: number };
  wrongSide: Estimate;
  /** [n] 1 where the clip decision changes */
  changed: Uint8Array;
  /** [n] sum_t (u(a_t)^2 + u(b_t)^2), u the spacing of the format there; 0 for numbers on its grid */
  squaredSpacing: Float64Array;
}

/** Logarithms of the band's edges. */
export type Edges = readonly [number, number];

export interface MeasuredPrecision {
  sequences: number;
  band: { low: number; high: number };
  /** responses outside the band with exact log-probs */
  outside: number;
  /** [n] exact log s, and response lengths */
  exact: Float64Array;
  lengths: Uint32Array;
  /** [n] prompt of each response */
  cluster: Uint32Array;
  edges: Edges;
  formats: MeasuredFormat[];
}

export async function measurePrecision(
  rollouts: Rollouts,
  settings: PrecisionSettings,
  context: ExperimentContext,
): Promise<MeasuredPrecision> {
  const exact = sequenceMeans(logRatios(rollouts), rollouts.offsets);
  const edges = [Math.log1p(-Math.min(settings.low, 1)), Math.log1p(settings.high)] as const;
  const intervals = new PromptIntervals(context);
  // The claims are about bf16 and six decimals, whatever else is asked for.
  const decimals = [...new Set([...settings.decimals, 6])].sort((a, b) => a - b);
  const wanted: NumberFormat[] = ['fp32', 'bf16', 'fp16', ...decimals];
  const formats: MeasuredFormat[] = [];
  for (const format of wanted) {
    formats.push(measureFormat(rollouts, exact, edges, format, intervals));
    await stage(context, formats.length / wanted.length);
  }
  return {
    sequences: sequenceCount(rollouts),
    band: { low: settings.low, high: settings.high },
    outside: exact.filter((x) => outside(x, edges)).length / exact.length,
    exact,
    lengths: responseLengths(rollouts),
    cluster: promptClusters(rollouts).cluster,
    edges,
    formats,
  };
}

export const outside = (log: number, [low, high]: Edges): boolean => log < low || log > high;

/** [tokens] of d_t with both log-probs rounded first */
function roundedRatios(rollouts: Rollouts, format: NumberFormat): Float64Array {
  const out = new Float64Array(rollouts.logpOld.length);
  for (let t = 0; t < out.length; t++) {
    out[t] = roundTo(rollouts.logpNew[t], format) - roundTo(rollouts.logpOld[t], format);
  }
  return out;
}

function squaredSpacing(rollouts: Rollouts, format: NumberFormat): Float64Array {
  const { offsets, logpOld, logpNew } = rollouts;
  const square = (values: FloatArray, t: number) => {
    const x = values[t];
    return roundTo(x, format) === x ? 0 : spacing(x, format) ** 2;
  };
  return Float64Array.from({ length: offsets.length - 1 }, (_, i) => {
    const from = offsets[i];
    const to = offsets[i + 1];
    let sum = 0;
    for (let t = from; t < to; t++) sum += square(logpOld, t) + square(logpNew, t);
    return sum;
  });
}

function labelOf(format: NumberFormat): string {
  return typeof format === 'number' ? `${format} decimals` : format;
}

/** Root mean square. */
export function rms(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / Math.max(values.length, 1));
}

function measureFormat(
  rollouts: Rollouts,
  exact: Float64Array,
  edges: Edges,
  format: NumberFormat,
  intervals: PromptIntervals,
): MeasuredFormat {
  const rounded = sequenceMeans(roundedRatios(rollouts, format), rollouts.offsets);
  const errors = rounded.map((x, i) => Math.abs(x - exact[i]));
  const sorted = errors.slice().sort();
  const all = Uint32Array.from({ length: exact.length }, (_, i) => i);
  const changed = Uint8Array.from(rounded, (x, i) =>
    outside(x, edges) !== outside(exact[i], edges) ? 1 : 0,
  );
  return {
    format,
    label: labelOf(format),
    error: {
      p50: quantileSorted(sorted, 0.5),
      p99: quantileSorted(sorted, 0.99),
      max: sorted.at(-1) ?? NaN,
      rms: rms(errors),
    },
    wrongSide: proportion(promptClusters(rollouts), all, (i) => changed[i] === 1, intervals),
    changed,
    squaredSpacing: squaredSpacing(rollouts, format),
  };
}
