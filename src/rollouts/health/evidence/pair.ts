/** What two columns of a response, u and w, add to the evidence: moments, weights, where they agree. */
import type { FloatArray } from '../../rollouts';
import {
  C,
  PAIR_COUNTS,
  PAIR_SUMS,
  PAIRS,
  S,
  signedBin,
  sizeBin,
  type Pair,
  type PairCount,
  type PairSum,
} from './names';
import { DEEPEST, LEAST_OVERLAP, measurePlaces } from './places';
import { bump, type StepTally } from './step-tally';

/** |d_t| of a token that decides sums by itself: a ratio of e^10 = 22,026 is no update */
export const OVERFLOW_LOG = 10;
/** nats: differences count for moments down to here, where verl clamps log-ratios */
const CLAMP_LOG = 20;
/** Places of a pair's sums and counts: looked up once, not per response. */
const PAIR_AT = Object.fromEntries(
  PAIRS.map((pair) => [
    pair,
    {
      ...Object.fromEntries(PAIR_SUMS.map((sum) => [sum, S[`${pair}.${sum}`]])),
      counts: Object.fromEntries(PAIR_COUNTS.map((count) => [count, C[`${pair}.${count}`]])),
    },
  ]),
) as unknown as Record<Pair, Record<PairSum, number> & { counts: Record<PairCount, number> }>;
interface Apart {
  /** sum of w - u */
  sum: number;
  /** sum of |w - u| */
  size: number;
  /** within the response, where |w - u| is largest */
  token: number;
}

/** Moments of (u, w) at one lag, written from `at` on in the order n, u, w, uu, ww, uw. */
function correlate(
  sums: Float64Array,
  at: number,
  u: FloatArray,
  w: FloatArray,
  from: number,
  to: number,
  lagU: number,
  lagW: number,
): void {
  let n = 0;
  let su = 0;
  let sw = 0;
  let uu = 0;
  let ww = 0;
  let uw = 0;
  for (let t = from; t < to; t++) {
    let x = u[t + lagU];
    let y = w[t + lagW];
    if (x === 0 && y === 0) continue;
    if (x < DEEPEST) x = DEEPEST;
    if (y < DEEPEST) y = DEEPEST;
    n++;
    su += x;
    sw += y;
    uu += x * x;
    ww += y * y;
    uw += x * y;
  }
  bump(sums, at, n);
  bump(sums, at + 1, su);
  bump(sums, at + 2, sw);
  bump(sums, at + 3, uu);
  bump(sums, at + 4, ww);
  bump(sums, at + 5, uw);
}

export function measurePair(
  tally: StepTally,
  sums: Float64Array,
  pair: Pair,
  u: FloatArray,
  w: FloatArray,
  from: number,
  to: number,
): Apart {
  const s = PAIR_AT[pair];
  const c = s.counts;
  const { counts } = tally;
  correlate(sums, s.n, u, w, from, to, 0, 0);
  correlate(sums, s.leadN, u, w, from, to - 1, 0, 1);
  correlate(sums, s.lagN, u, w, from, to - 1, 1, 0);
  const sizes = tally.histograms[`${pair}.size`];
  const signed = tally.histograms[`${pair}.signed`];
  let k1 = 0;
  let k3 = 0;
  let e2 = 0;
  let absolute = 0;
  let equal = 0;
  let unequal = 0;
  let sure = 0;
  let surer = 0;
  let overflow = 0;
  let most = -1;
  let token = 0;
  let [forward, forwardU, forwardW, back, backU, backW] = [0, 0, 0, 0, 0, 0];
  for (let t = from; t < to; t++) {
    const x = u[t];
    const y = w[t];
    const e = y - x;
    const size = Math.abs(e);
    const log = Math.log10(size);
    bump(sizes, sizeBin(size, log));
    bump(signed, signedBin(e, log));
    if (size > most) {
      most = size;
      token = t - from;
    }
    if (e === 0) {
      if (x !== 0) equal++;
      continue;
    }
    unequal++;
    const bounded = e > CLAMP_LOG ? CLAMP_LOG : e < -CLAMP_LOG ? -CLAMP_LOG : e;
    if (size > OVERFLOW_LOG) overflow++;
    const up = Math.expm1(bounded);
    const down = Math.expm1(-bounded);
    k1 -= e;
    k3 += up - bounded;
    e2 += e * e;
    absolute += size;
    forward += up;
    forwardU += up * x;
    forwardW += up * y;
    back += down;
    backU += down * x;
    backW += down * y;
    if (x > -Math.LN2) {
      sure++;
      if (e > 0) surer++;
    }
  }
  bump(counts, c.tokens, to - from);
  // Of sure tokens two engines may agree; over a whole response they do not.
  if (unequal === 0 && equal >= LEAST_OVERLAP) {
    bump(counts, c.equalResponses);
    bump(counts, c.equalThere, equal);
  }
  bump(counts, c.equal, equal);
  bump(counts, c.unequal, unequal);
  bump(counts, c.sure, sure);
  bump(counts, c.overflow, overflow);
  measurePlaces(counts, c, u, w, from, to, absolute / (to - from));
  bump(counts, c.surer, surer);
  bump(sums, s.tokens, to - from);
  bump(sums, s.k1, k1);
  bump(sums, s.k3, k3);
  bump(sums, s.e2, e2);
  bump(sums, s.forward, forward);
  bump(sums, s.forwardU, forwardU);
  bump(sums, s.forwardW, forwardW);
  bump(sums, s.back, back);
  bump(sums, s.backU, backU);
  bump(sums, s.backW, backW);
  return { sum: -k1, size: absolute, token };
}
