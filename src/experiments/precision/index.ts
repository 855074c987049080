/**
 * Experiment `precision`: what rounding log-probs does to the sequence weight and to the clip decision.
 *
 * Both log-probs of every token are rounded to a format, log s is computed again in float64. The wrong side:
 * the response is inside the band with exact log-probs and outside with rounded ones, or the reverse.
 *
 * Prediction: rounding errors are independent and uniform over one spacing u of the format at that value,
 * so the error of log s has variance v = sum_t (u(a_t)^2 + u(b_t)^2) / (12 L^2), and a response is on the
 * wrong side with the probability that a normal error of variance v carries it across an edge.
 *
 * Verdicts (`verdict.ts`): share on the wrong side against the prediction for bfloat16, by interval with
 * resolution WRONG_SIDE_RESOLUTION; "six decimals are enough" holds when the interval of its share lies
 * below ENOUGH, fails when it lies above, too few otherwise.
 */
import * as v from 'valibot';
import { ClusterBootstrap } from '../../math/stats/clusters';
import { normalCdf } from '../../math/stats/distributions';
import { quantileSorted } from '../../math/stats/quantiles';
import { GSPO_BAND } from '../../math/objectives/registry';
import { promptClusters } from '../../rollouts/clusters';
import { sequenceCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import type { Claim, Experiment } from '../experiment';
import { checkRollouts, logRatios, sequenceMeans, stage } from '../shared/input';
import { proportion } from '../shared/proportions';
import { roundTo, spacing, type NumberFormat } from './rounding';
import { BOOTSTRAP_METHOD, numberClaim } from '../shared/verdict';

export const WRONG_SIDE_RESOLUTION = 0.02;
export const ENOUGH = 0.005;

export const precisionSettingsSchema = v.strictObject({
  /** clip band around 1 */
  low: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1)),
  high: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(100)),
  /** decimals to try beside the float formats */
  decimals: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(12))),
});
export type PrecisionSettings = v.InferOutput<typeof precisionSettingsSchema>;

export interface PrecisionRow {
  format: NumberFormat;
  label: string;
  /** |log s - exact| over responses */
  error: { p50: number; p99: number; max: number; rms: number };
  /** root mean square of the predicted standard deviations */
  predictedRms: number;
  wrongSide: { measured: number; interval: [number, number] | null; predicted: number };
}

export interface PrecisionResult {
  sequences: number;
  band: { low: number; high: number };
  /** responses outside the band with exact log-probs */
  outside: number;
  rows: PrecisionRow[];
  claims: Claim[];
}

export const precision: Experiment<PrecisionSettings, PrecisionResult> = {
  id: 'precision',
  title: 'Precision',
  question: 'How many digits do log-probs need before the clip decision is right?',
  defaults: { low: GSPO_BAND.low, high: GSPO_BAND.high, decimals: [3, 4, 6] },
  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const exact = sequenceMeans(logRatios(rollouts), rollouts.offsets);
    const edges = [Math.log1p(-Math.min(settings.low, 1)), Math.log1p(settings.high)] as const;
    const bootstrap = new ClusterBootstrap({ seed: context.seed });
    // The claims are about these two, whatever else is asked for.
    const decimals = [...new Set([...settings.decimals, 6])].sort((a, b) => a - b);
    const formats: NumberFormat[] = ['fp32', 'bf16', 'fp16', ...decimals];
    const rows: PrecisionRow[] = [];
    const claims: Claim[] = [];
    for (const format of formats) {
      const { row, claim } = rowOf(rollouts, exact, edges, format, bootstrap);
      rows.push(row);
      if (claim) claims.push(claim);
      await stage(context, rows.length / formats.length);
    }
    return {
      sequences: sequenceCount(rollouts),
      band: { low: settings.low, high: settings.high },
      outside: exact.filter((x) => outside(x, edges)).length / exact.length,
      rows,
      claims,
    };
  },
};

type Edges = readonly [number, number];
const outside = (log: number, [low, high]: Edges): boolean => log < low || log > high;

/** [tokens] of d_t with both log-probs rounded first */
function roundedRatios(rollouts: Rollouts, format: NumberFormat): Float64Array {
  const out = new Float64Array(rollouts.logpOld.length);
  for (let t = 0; t < out.length; t++) {
    out[t] =
      roundTo(rollouts.logpNew[t] as number, format) -
      roundTo(rollouts.logpOld[t] as number, format);
  }
  return out;
}

/** [n] standard deviation of the error of log s by the uniform model; 0 where the data are on the grid */
function predictedSpread(rollouts: Rollouts, format: NumberFormat): Float64Array {
  const { offsets, logpOld, logpNew } = rollouts;
  const square = (values: FloatArray, t: number) => {
    const x = values[t] as number;
    return roundTo(x, format) === x ? 0 : spacing(x, format) ** 2;
  };
  return Float64Array.from({ length: offsets.length - 1 }, (_, i) => {
    const from = offsets[i] as number;
    const to = offsets[i + 1] as number;
    let sum = 0;
    for (let t = from; t < to; t++) sum += square(logpOld, t) + square(logpNew, t);
    return Math.sqrt(sum / 12) / (to - from);
  });
}

/** Probability that x + error is on the other side of the band than x. */
function crossing(x: number, sd: number, edges: Edges): number {
  if (sd === 0) return 0;
  const inside = normalCdf((edges[1] - x) / sd) - normalCdf((edges[0] - x) / sd);
  return outside(x, edges) ? inside : 1 - inside;
}

function labelOf(format: NumberFormat): string {
  return typeof format === 'number' ? `${format} decimals` : format;
}

function rowOf(
  rollouts: Rollouts,
  exact: Float64Array,
  edges: Edges,
  format: NumberFormat,
  bootstrap: ClusterBootstrap,
): { row: PrecisionRow; claim: Claim | null } {
  const rounded = sequenceMeans(roundedRatios(rollouts, format), rollouts.offsets);
  const spread = predictedSpread(rollouts, format);
  const n = exact.length;
  const errors = rounded.map((x, i) => Math.abs(x - (exact[i] as number)));
  const rms = (values: Float64Array) =>
    Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / Math.max(n, 1));
  const sorted = errors.slice().sort();
  let predicted = 0;
  for (let i = 0; i < n; i++) {
    predicted += crossing(exact[i] as number, spread[i] as number, edges) / n;
  }
  const all = Uint32Array.from({ length: n }, (_, i) => i);
  const estimate = proportion(
    promptClusters(rollouts),
    all,
    (i) => outside(rounded[i] as number, edges) !== outside(exact[i] as number, edges),
    bootstrap,
  );
  const row: PrecisionRow = {
    format,
    label: labelOf(format),
    error: {
      p50: quantileSorted(sorted, 0.5),
      p99: quantileSorted(sorted, 0.99),
      max: sorted.at(-1) ?? NaN,
      rms: rms(errors),
    },
    predictedRms: rms(spread),
    wrongSide: { measured: estimate.estimate, interval: estimate.interval, predicted },
  };
  if (format === 'bf16') {
    const claim = numberClaim({
      id: 'precision.bf16',
      claim:
        'Rounding log-probs to bfloat16 puts the share of responses on the wrong side of the band that a uniform rounding error predicts.',
      prediction: predicted,
      estimate,
      n,
      nOf: 'sequences',
      resolution: WRONG_SIDE_RESOLUTION,
      method: `Share of responses whose clip decision changes. ${BOOTSTRAP_METHOD}`,
    });
    return { row, claim };
  }
  return { row, claim: format === 6 ? sixDecimals(row, n) : null };
}

function sixDecimals({ wrongSide: { measured, interval } }: PrecisionRow, n: number): Claim {
  return {
    id: 'precision.six-decimals',
    claim: 'Six decimals of the log-probs leave the clip decision as it is.',
    prediction: 0,
    measured,
    interval,
    n,
    nOf: 'sequences',
    verdict:
      interval === null
        ? 'too few'
        : interval[1] <= ENOUGH
          ? 'holds'
          : interval[0] > ENOUGH
            ? 'fails'
            : 'too few',
    rule:
      `Share of responses whose clip decision changes. ${BOOTSTRAP_METHOD} (rule of three where none does). Holds ` +
      `when the interval lies below ${ENOUGH * 100} %, fails when it lies above; otherwise too few.`,
  };
}
