/**
 * Rounding errors are independent and uniform over one spacing u of the format at that value, so the error of
 * log s has variance v = sum_t (u(a_t)^2 + u(b_t)^2) / (12 L^2), and a response is on the wrong side with the
 * probability that a normal error of variance v carries it across an edge.
 */
import type { Measured } from '../../math/stats/anytime';
import { normalCdf } from '../../math/stats/distributions';
import { jackknifeOf } from '../../math/stats/jackknife';
import { meanStatistic } from '../../math/stats/statistics';
import { PromptSums } from '../shared/proportions';
import { outside, rms, type Edges, type MeasuredFormat, type MeasuredPrecision } from './measure';

export interface PrecisionRow extends Omit<
  MeasuredFormat,
  'wrongSide' | 'squaredSpacing' | 'changed'
> {
  /** root mean square of the predicted standard deviations */
  predictedRms: number;
  wrongSide: { measured: number; interval: [number, number] | null; predicted: number };
  /** the share on the wrong side, and how much it exceeds the predicted one */
  wrong: Measured;
  excess: Measured;
}

export interface PredictedPrecision {
  sequences: number;
  band: { low: number; high: number };
  /** share of responses outside the band with exact log-probs */
  outside: number;
  rows: PrecisionRow[];
}

export function predictPrecision(measured: MeasuredPrecision): PredictedPrecision {
  const { sequences, band, outside: share, formats } = measured;
  return { sequences, band, outside: share, rows: formats.map((own) => rowOf(own, measured)) };
}

function rowOf(
  { wrongSide, squaredSpacing, changed, ...rest }: MeasuredFormat,
  { exact, lengths, edges, cluster }: MeasuredPrecision,
): PrecisionRow {
  const spread = squaredSpacing.map((sum, i) => Math.sqrt(sum / 12) / lengths[i]);
  // (n, changed less predicted) per prompt
  const sums = new PromptSums(cluster, 2);
  let predicted = 0;
  for (let i = 0; i < exact.length; i++) {
    const own = crossing(exact[i], spread[i], edges);
    predicted += own / exact.length;
    sums.add(i, [1, changed[i] - own]);
  }
  return {
    ...rest,
    predictedRms: rms(spread),
    wrongSide: { measured: wrongSide.estimate, interval: wrongSide.interval, predicted },
    wrong: wrongSide,
    excess: jackknifeOf(sums.sums, meanStatistic),
  };
}

/** Probability that x + error is on the other side of the band than x. */
function crossing(x: number, sd: number, edges: Edges): number {
  if (sd === 0) return 0;
  const inside = normalCdf((edges[1] - x) / sd) - normalCdf((edges[0] - x) / sd);
  return outside(x, edges) ? inside : 1 - inside;
}
