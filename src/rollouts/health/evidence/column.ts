/**
 * What one column of a response adds to the evidence: fillers and runs of one value, sums where tokens should be,
 * zeros. Contract: adds to the tally and keeps no reference to the arrays.
 */
import type { FloatArray } from '../../rollouts';
import { C, COLUMN_AT, DEPTHS, LOWEST_LOG_PROB, RUN_BINS, type Column } from './names';
import { agreement } from './places';
import { keep, total, type Response } from './response';
import { bump, type StepTally } from './step-tally';

/** nats: whole numbers below are fillers such as -100; a sampled token is that unlikely once in e^30 draws */
export const FILLER_DEPTH = 50;
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

const DEPTH_NAMES = DEPTHS.map((x) => `below${x}` as const);

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

export function measureColumn(
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
export function measureZeros(tally: StepTally, response: Response): void {
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
