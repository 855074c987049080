/**
 * Where two columns of a response agree: at the same token, up to four tokens apart, or nowhere. Contract: adds to
 * the counts of the pair; where the columns agree at the same token nothing else is looked for.
 */
import type { FloatArray } from '../../rollouts';
import { LAGS, type Lag, type PairCount } from './names';
import { bump } from './step-tally';

/** Log-probs count for correlations down to here: one filler must not decide them. */
export const DEEPEST = -20;
/** Fewer tokens that overlap tell no shift. */
export const LEAST_OVERLAP = 8;
/** Columns that agree so well at the same token are in place. */
const IN_PLACE = 0.8;
/** Columns that agree so badly at every place are not about the same tokens. */
const UNRELATED = 0.5;
/** One token apart they agree so well, and so much better than at the same token. */
const ELSEWHERE_AGREES = 0.9;
const BETTER = 0.3;
/** nats per token: what differs less is not misplaced, but noise of sure tokens */
const MISPLACED = 0.05;
/** nats per token: columns in which next to nothing differs are not apart, however they go together */
const FAR = 0.5;

/** Correlation of u_t and w_{t + lag} over the tokens [from, to). */
export function agreement(
  u: FloatArray,
  w: FloatArray,
  from: number,
  to: number,
  lag: number,
): number {
  const first = Math.max(from, from - lag);
  const end = Math.min(to, to - lag);
  const n = end - first;
  let [su, sw, uu, ww, uw] = [0, 0, 0, 0, 0];
  for (let t = first; t < end; t++) {
    const x = Math.max(u[t], DEEPEST);
    const y = Math.max(w[t + lag], DEEPEST);
    su += x;
    sw += y;
    uu += x * x;
    ww += y * y;
    uw += x * y;
  }
  const spread = Math.sqrt((uu - (su * su) / n) * (ww - (sw * sw) / n));
  // Of a column that does not change nothing can be told.
  return spread > 1e-9 * n ? (uw - (su * sw) / n) / spread : NaN;
}

/** The lag at which the tokens [from, to) agree and at the same token do not; null where there is none. */
function lagOf(u: FloatArray, w: FloatArray, from: number, to: number): Lag | null {
  const same = agreement(u, w, from, to, 0);
  let best: Lag | null = null;
  let most = Math.max(ELSEWHERE_AGREES, same + BETTER);
  for (const lag of LAGS) {
    if (to - from - Math.abs(lag) < LEAST_OVERLAP) continue;
    const here = agreement(u, w, from, to, lag);
    if (here > most) {
      most = here;
      best = lag;
    }
  }
  return best;
}

/** Where the two columns of a response agree: nothing is looked for where they do so at the same token. */
export function measurePlaces(
  counts: Float64Array,
  c: Record<PairCount, number>,
  u: FloatArray,
  w: FloatArray,
  from: number,
  to: number,
  apart: number,
): void {
  if (to - from <= LEAST_OVERLAP) return;
  bump(counts, c.placed);
  const same = agreement(u, w, from, to, 0);
  if (!(same < IN_PLACE) || apart <= MISPLACED) return;
  const whole = lagOf(u, w, from, to);
  const middle = (from + to) >> 1;
  const lag = whole ?? lagOf(u, w, middle, to);
  if (lag !== null) {
    bump(counts, c[`by${lag}`]);
    if (whole === null) bump(counts, c.later);
  } else if (same < UNRELATED && apart > FAR) bump(counts, c.apart);
}
