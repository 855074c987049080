/**
 * What one response adds to the evidence. Contract: adds to the tally and keeps no reference to the arrays; the
 * cost is a few passes over the response's tokens.
 */
import { GRPO_BAND, GSPO_BAND } from '../../../math/objectives/registry';
import type { FloatArray, Rollouts } from '../../rollouts';
import { EXCERPT, offer, type Carrier, type CarrierKind } from './carriers';
import { CHANCE, type Copies } from './copies';
import {
  C,
  COLUMN_AT,
  DEPTHS,
  lengthBin,
  LOWEST_LOG_PROB,
  PAIR_COUNTS,
  PAIR_SUMS,
  PAIRS,
  RUN_BINS,
  S,
  signedBin,
  sizeBin,
  type Column,
  type Pair,
  type PairCount,
  type PairSum,
} from './names';
import { agreement, DEEPEST, LEAST_OVERLAP, measurePlaces } from './places';
import { measureRounding } from './rounding';
import { bump, type StepTally } from './step-tally';

export interface Band {
  low: number;
  high: number;
}

/** The clip ranges that the findings are about. */
export interface Bands {
  token: Band;
  sequence: Band;
}

export const DEFAULT_BANDS: Bands = { token: GRPO_BAND, sequence: GSPO_BAND };

/** One clip range for all, as a person gives it; what is left out stays each objective's own. */
export function bandsOf({
  low,
  high,
}: {
  low?: number | undefined;
  high?: number | undefined;
}): Bands {
  const filled = (own: Band): Band => ({ low: low ?? own.low, high: high ?? own.high });
  return { token: filled(GRPO_BAND), sequence: filled(GSPO_BAND) };
}

/** nats: whole numbers below are fillers such as -100; a sampled token is that unlikely once in e^30 draws */
export const FILLER_DEPTH = 50;
/** |d_t| of a token that decides sums by itself: a ratio of e^10 = 22,026 is no update */
export const OVERFLOW_LOG = 10;
/** nats: differences count for moments down to here, where verl clamps log-ratios */
const CLAMP_LOG = 20;
/** exp of more is Infinity in float32 */
export const FLOAT32_LOG = 88.722;
/** A run of one value is looked at from so many tokens on. */
export const SHORTEST_RUN = 4;
/** nats per token that another column must have where a run of one value is to be a filler */
const ELSEWHERE = 0.05;
/** A run that all columns share is one of fillers only if it is long and far from 0, where peaked policies live. */
const SHARED_RUN = 8;
const SHARED_VALUE = -0.5;
/** Shorter responses say nothing of falling or constant columns: 1 / 8! is 2.5e-5. */
const LONG = 8;
/** Log-probs of neighbours hardly go together; averages over all tokens before do, from so many tokens on. */
const SMOOTH_LENGTH = 16;
const SMOOTH = 0.6;

export interface Place {
  step: number | null;
  group: string | number;
  sample: number;
  at: string | null;
  cutKnown: boolean;
}

interface Response {
  rollouts: Rollouts;
  /** undefined where this response has none */
  sampler: FloatArray | undefined;
  from: number;
  to: number;
  place: Place;
}

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
const DEPTH_NAMES = DEPTHS.map((x) => `below${x}` as const);

/** @param i which response of the rollouts */
export function measure(
  tally: StepTally,
  copies: Copies,
  rollouts: Rollouts,
  i: number,
  place: Place,
  bands: Bands,
): void {
  const from = rollouts.offsets[i];
  const to = rollouts.offsets[i + 1];
  const length = to - from;
  if (length === 0) return;
  const known = rollouts.logpSampler;
  const sampler = known && !Number.isNaN(known[from]) ? known : undefined;
  const response: Response = { rollouts, sampler, from, to, place };
  const { counts } = tally;
  const sums = tally.sumsOf(place.group);
  bump(counts, C.responses);
  bump(counts, C.tokens, length);
  if (length === 1) bump(counts, C.single);
  bump(sums, S.responses);
  bump(sums, S.tokens, length);

  measureGroup(tally, sums, response, i);
  measureRatios(tally, sums, response, rollouts.advantage[i], bands);
  const { logpOld, logpNew, entropyOld } = rollouts;
  measureColumn(tally, 'old', logpOld, response, [logpNew, sampler]);
  measureColumn(tally, 'new', logpNew, response, [logpOld, sampler]);
  if (sampler) measureColumn(tally, 'sampler', sampler, response, [logpOld]);
  measureZeros(tally, response);
  bump(sums, S.nllOld, -total(logpOld, from, to));
  bump(sums, S.nllNew, -total(logpNew, from, to));
  measurePair(tally, sums, 'on', logpOld, logpNew, from, to);
  if (sampler) {
    bump(counts, C.withSampler);
    bump(sums, S.nllSampler, -total(sampler, from, to));
    const apart = measurePair(tally, sums, 'so', sampler, logpOld, from, to);
    keep(tally, 'pair.so', apart.size, response, [apart.token, apart.token + 1]);
    tally.weights.mismatch.add(apart.sum);
  }
  if (entropyOld) {
    bump(counts, C.withEntropy);
    bump(sums, S.entropy, total(entropyOld, from, to));
    bump(sums, S.entropyTokens, length);
    bump(sums, S.entropyNll, -total(logpOld, from, to));
    measureEntropy(sums, entropyOld, logpOld, from, to);
  }
  measureRounding(tally, sums, 'old', logpOld, response, bands.sequence);
  measureRounding(tally, sums, 'new', logpNew, response, bands.sequence);
  if (sampler) measureRounding(tally, sums, 'sampler', sampler, response, bands.sequence);
  if (total(logpOld, from, to) < CHANCE) {
    const columns = sampler ? [logpOld, logpNew, sampler] : [logpOld, logpNew];
    if (copies.add(columns, from, to)) keep(tally, 'copy', length, response, null);
  }
}

function total(values: FloatArray, from: number, to: number): number {
  let sum = 0;
  for (let t = from; t < to; t++) sum += values[t];
  return sum;
}

/** @param tokens positions within the response */
function keep(
  tally: StepTally,
  kind: CarrierKind,
  score: number,
  { rollouts, sampler, from, to, place }: Response,
  tokens: [number, number] | null,
): void {
  offer(tally.carriers[kind], score, (): Carrier => {
    const middle = tokens ? Math.floor((tokens[0] + tokens[1]) / 2) : 0;
    const first = Math.max(0, Math.min(middle - (EXCERPT >> 1), to - from - EXCERPT));
    const part = (values: FloatArray) =>
      Array.from(values.subarray(from + first, Math.min(to, from + first + EXCERPT)));
    const { logpOld, logpNew } = rollouts;
    return {
      at: place.at,
      step: place.step,
      group: place.group,
      sample: place.sample,
      tokens,
      score,
      excerpt: {
        from: first,
        old: part(logpOld),
        new: part(logpNew),
        sampler: sampler ? part(sampler) : null,
      },
    };
  });
}

function measureGroup(tally: StepTally, sums: Float64Array, response: Response, i: number): void {
  const { counts } = tally;
  const { rollouts, place } = response;
  if (place.cutKnown) {
    bump(counts, C.cutKnown);
    if (rollouts.finished[i] === 0) {
      bump(counts, C.cut);
      keep(tally, 'cut', response.to - response.from, response, null);
    }
  }
  const reward = rollouts.reward[i];
  const advantage = rollouts.advantage[i];
  if (!Number.isNaN(reward)) {
    tally.rewards = [Math.min(tally.rewards[0], reward), Math.max(tally.rewards[1], reward)];
  }
  if (Number.isNaN(advantage)) return;
  bump(counts, C.advantageKnown);
  const own = rollouts.tokenAdvantage?.subarray(response.from, response.to);
  if (own?.some((x) => x !== own[0])) bump(counts, C.unevenAdvantages);
  if (advantage === 0) bump(counts, C.advantageZero);
  tally.largest.advantage = Math.max(tally.largest.advantage, Math.abs(advantage));
  keep(tally, 'advantage', Math.abs(advantage), response, null);
  if (Number.isNaN(reward)) return;
  bump(counts, C.rewarded);
  bump(sums, S.rewarded);
  bump(sums, S.reward, reward);
  bump(sums, S.rewardReward, reward * reward);
  bump(sums, S.advantage, advantage);
  bump(sums, S.advantageAdvantage, advantage * advantage);
  bump(sums, S.advantageReward, advantage * reward);
}

function measureRatios(
  tally: StepTally,
  sums: Float64Array,
  response: Response,
  advantage: number,
  bands: Bands,
): void {
  const { counts, largest } = tally;
  const { rollouts, from, to } = response;
  const { logpOld, logpNew } = rollouts;
  const length = to - from;
  const [below, above] = [Math.log1p(-bands.token.low), Math.log1p(bands.token.high)];
  let sum = 0;
  let squares = 0;
  let outside = 0;
  let clipped = 0;
  let overflow = 0;
  let infinite = 0;
  let zeros = 0;
  let most = -1;
  let at = from;
  for (let t = from; t < to; t++) {
    const d = logpNew[t] - logpOld[t];
    const size = Math.abs(d);
    sum += d;
    squares += d * d;
    if (d === 0) zeros++;
    if (d < below) {
      outside++;
      if (advantage < 0) clipped++;
    } else if (d > above) {
      outside++;
      if (advantage > 0) clipped++;
    }
    if (size > OVERFLOW_LOG) overflow++;
    if (d > FLOAT32_LOG) infinite++;
    if (size > most) {
      most = size;
      at = t;
    }
  }
  const logS = sum / length;
  bump(sums, S.d, sum);
  bump(sums, S.d2, squares);
  bump(sums, S.logS, logS);
  bump(sums, S.logS2, logS * logS);
  bump(sums, S.logS2L, length * logS * logS);
  bump(counts, C.zeroRatios, zeros);
  bump(counts, C.tokensOutside, outside);
  bump(counts, C.tokensClipped, clipped);
  if (overflow > 0) {
    bump(counts, C.overflowTokens, overflow);
    bump(counts, C.overflowResponses);
  }
  bump(counts, C.infiniteTokens, infinite);
  if (sum > FLOAT32_LOG) bump(counts, C.infiniteSums);
  const low = logS < Math.log1p(-bands.sequence.low);
  const high = logS > Math.log1p(bands.sequence.high);
  if (low || high) bump(counts, C.responsesOutside);
  if ((low && advantage < 0) || (high && advantage > 0)) bump(counts, C.responsesClipped);
  largest.d = Math.max(largest.d, most);
  largest.logS = Math.max(largest.logS, Math.abs(logS));
  largest.logRho = Math.max(largest.logRho, Math.abs(sum));
  tally.weights.rho.add(sum);
  tally.weights.s.add(logS);
  bump(tally.histograms.logS, signedBin(logS));
  const bin = lengthBin(length);
  bump(tally.histograms.lengths, bin);
  bump(tally.lengthSquares, bin, sum * sum);
  tally.lengthLeast[bin] = Math.min(tally.lengthLeast[bin], length);
  tally.lengthMost[bin] = Math.max(tally.lengthMost[bin], length);
  keep(tally, 'token', most, response, [at - from, at - from + 1]);
  keep(tally, 'response', Math.abs(sum), response, null);
}

interface Run {
  /** within the response */
  from: number;
  to: number;
}

/** The longest run of one value. */
function longestRun(values: FloatArray, from: number, to: number): Run {
  let best: Run = { from: 0, to: 0 };
  let start = from;
  for (let t = from + 1; t <= to; t++) {
    if (t < to && values[t] === values[start]) continue;
    if (t - start > best.to - best.from) best = { from: start - from, to: t - from };
    start = t;
  }
  return best;
}

/** Whether the values over the run differ, and are not all near 0. */
function speaks(values: FloatArray | undefined, first: number, { from, to }: Run): boolean {
  if (!values) return false;
  let sum = 0;
  let differ = false;
  for (let t = first + from; t < first + to; t++) {
    sum += values[t];
    if (values[t] !== values[first + from]) differ = true;
  }
  return differ && sum < -ELSEWHERE * (to - from);
}

function measureColumn(
  tally: StepTally,
  name: Column,
  values: FloatArray,
  response: Response,
  others: readonly (FloatArray | undefined)[],
): void {
  const { counts } = tally;
  const { from, to } = response;
  const length = to - from;
  const at = COLUMN_AT[name];
  let zeros = 0;
  let fillers = 0;
  let round = 0;
  let lowest = 0;
  let atLowest = 0;
  let lowestEnds = 0;
  let deepest = from;
  let falling = true;
  let rising = true;
  const deep = DEPTHS.map(() => 0);
  let sum = 0;
  for (let t = from; t < to; t++) {
    const x = values[t];
    sum += x;
    if (x === 0) zeros++;
    if (x < lowest) {
      lowest = x;
      deepest = t;
      atLowest = 0;
      lowestEnds = 0;
    }
    if (x === lowest) {
      atLowest++;
      if (t === from || t === to - 1) lowestEnds++;
    }
    if (x < LOWEST_LOG_PROB) fillers++;
    else if (x < -FILLER_DEPTH && Number.isInteger(x)) round++;
    if (x < -DEPTHS[0]) DEPTHS.forEach((depth, k) => x < -depth && (deep[k] = (deep[k] ?? 0) + 1));
    if (t > from && x > values[t - 1]) falling = false;
    if (t > from && x < values[t - 1]) rising = false;
  }
  const run = longestRun(values, from, to);
  const constant = run.to - run.from === length;
  bump(counts, at.tokens, length);
  bump(counts, at.zero, zeros);
  DEPTH_NAMES.forEach((depth, k) => bump(counts, at[depth], deep[k]));
  tally.largest.lowest = Math.min(tally.largest.lowest, lowest);
  if (lowest < 0) tally.addLowest(name, { value: lowest, tokens: atLowest, ends: lowestEnds });
  if (lowest < 0)
    keep(tally, `lowest.${name}`, -lowest, response, [deepest - from, deepest - from + 1]);
  bump(counts, at.filler, fillers);
  bump(counts, at.round, round);
  if (fillers + round > 0) {
    keep(tally, 'filler', -lowest, response, [deepest - from, deepest - from + 1]);
  }
  if (name === 'old') keep(tally, 'unlikely', -sum / length, response, null);
  if (length >= LONG) {
    bump(counts, at.long);
    if (falling && !constant) {
      bump(counts, at.falling);
      keep(tally, 'falling', length, response, null);
    } else if (rising && !constant) {
      bump(counts, at.rising);
      keep(tally, 'falling', length, response, null);
    }
  }
  if (length >= SMOOTH_LENGTH && !constant) {
    bump(counts, at.looked);
    // A column that ends in one value goes with itself, too.
    const filled = run.to - run.from >= SHORTEST_RUN;
    if (!falling && !rising && !filled && agreement(values, values, from, to, 1) > SMOOTH) {
      bump(counts, at.smooth);
      keep(tally, 'falling', length, response, null);
    }
  }
  if (length >= SHORTEST_RUN && constant && values[from] !== 0) {
    bump(counts, at.constant);
    keep(tally, 'constant', length, response, null);
  }
  const other = others.find((one) => one && total(one, from, to) < -ELSEWHERE * length);
  // A narrow nucleus makes a short answer sure.
  if (zeros === length && length >= SHORTEST_RUN && other) {
    bump(counts, at.blank);
    keep(tally, `run.${name}`, length, response, [0, length]);
  }
  if (zeros > 0 && !constant) measureEnds(tally, name, values, response, others);
  const long = run.to - run.from;
  if (long < SHORTEST_RUN || long === length) return;
  const shared = long >= SHARED_RUN && values[from + run.from] < SHARED_VALUE;
  if (!shared && !others.some((other) => speaks(other, from, run))) return;
  bump(counts, at.runs);
  bump(counts, at.runTokens, long);
  bump(counts, at[run.from === 0 ? 'runsHead' : run.to === length ? 'runsTail' : 'runsInside']);
  keep(tally, `run.${name}`, long, response, [run.from, run.to]);
}

/** Zeros of one column at tokens of which another one speaks. */
function measureEnds(
  tally: StepTally,
  name: Column,
  values: FloatArray,
  response: Response,
  others: readonly (FloatArray | undefined)[],
): void {
  const { counts } = tally;
  const { from, to } = response;
  const at = COLUMN_AT[name];
  const alone = (t: number) =>
    values[t] === 0 && others.some((other) => other !== undefined && other[t] < -ELSEWHERE);
  let inner = 0;
  for (let t = from + 1; t < to - 1; t++) if (alone(t)) inner++;
  bump(counts, at.aloneZeros, inner);
  const last = alone(to - 1);
  if (!last && !alone(from)) return;
  bump(counts, at.endZeros);
  if (last) bump(counts, at.lastZeros);
  const token = last ? to - from - 1 : 0;
  keep(tally, `end.${name}`, to - from, response, [token, token + 1]);
}

/** Runs of 0.0 in all columns at once. */
function measureZeros(tally: StepTally, response: Response): void {
  const { rollouts, sampler, from, to } = response;
  const { logpOld, logpNew } = rollouts;
  const { histograms } = tally;
  const allZero = (t: number) =>
    logpOld[t] === 0 && logpNew[t] === 0 && (!sampler || sampler[t] === 0);
  let start = -1;
  let longest: Run = { from: 0, to: 0 };
  for (let t = from; t <= to; t++) {
    if (t < to && allZero(t)) {
      if (start < 0) start = t;
      continue;
    }
    if (start < 0) continue;
    const bin = Math.min(RUN_BINS - 1, t - start);
    bump(histograms.zeroRuns, bin);
    bump(histograms.zeroRunTokens, bin, t - start);
    const place = start === from ? 'Head' : t === to ? 'Tail' : 'Inside';
    bump(histograms[`zeroRuns${place}`], bin);
    if (t - start > longest.to - longest.from) longest = { from: start - from, to: t - from };
    start = -1;
  }
  if (to - from > 2) {
    if (allZero(from)) bump(tally.counts, C.firstAllZero);
    if (allZero(to - 1)) bump(tally.counts, C.lastAllZero);
    for (let t = from + 1; t < to - 1; t++) if (allZero(t)) bump(tally.counts, C.innerAllZero);
  }
  const long = longest.to - longest.from;
  if (long >= SHORTEST_RUN) keep(tally, 'zeros', long, response, [longest.from, longest.to]);
}

/** How the entropies go with -log pi_old, at the same token and one apart. */
function measureEntropy(
  sums: Float64Array,
  entropy: FloatArray,
  logp: FloatArray,
  from: number,
  to: number,
): void {
  for (let t = from; t < to; t++) {
    const u = entropy[t];
    const w = -Math.max(logp[t], DEEPEST);
    bump(sums, S['eh.n']);
    bump(sums, S['eh.u'], u);
    bump(sums, S['eh.w'], w);
    bump(sums, S['eh.uu'], u * u);
    bump(sums, S['eh.ww'], w * w);
    bump(sums, S['eh.uw'], u * w);
    if (t + 1 === to) continue;
    bump(sums, S['eh.leadN']);
    bump(sums, S['eh.leadUW'], u * -Math.max(logp[t + 1], DEEPEST));
    bump(sums, S['eh.lagN']);
    bump(sums, S['eh.lagUW'], entropy[t + 1] * w);
  }
}

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

function measurePair(
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
