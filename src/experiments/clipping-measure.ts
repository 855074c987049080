/**
 * Measurements and predictions of the experiment `clipping`. Contract: pure float64 functions of the
 * prepared data; one pass over the ratios per objective, whatever the size of the epsilon grid. Ratio,
 * weight and aggregation are those of the registry's entry, so gradient masses are those of
 * `evaluateObjective`, exactly. Under a mismatch correction every token counts by its weight, a response by
 * the mean weight of its tokens: shares, mu and sigma are then those of tokens as pi_old would have drawn
 * them; masses take the weights where the library multiplies by them.
 */
import type { ClusterBootstrap } from '../math/stats/clusters';
import { type Estimate } from '../math/stats/clusters';
import { normalCdf } from '../math/stats/distributions';
import { mean, variance } from '../math/stats/moments';
import { meanStatistic } from '../math/stats/statistics';
import { sequenceCoefficients, takesMultiplier } from '../math/objectives/evaluate';
import { objective, type ClippedId } from '../math/objectives/registry';
import { binaryKl, clamp, VERL_LOG_RATIO_LIMIT } from '../math/objectives/surrogates';
import type { ObjectiveSettings, Surrogate } from '../math/objectives/types';
import { promptClusters } from '../rollouts/clusters';
import type { FloatArray, Rollouts } from '../rollouts/rollouts';
import { logRatios, responseLengths, sequenceMeans } from './input';
import { PromptSums, withRuleOfThree } from './proportions';

/** Which ratio is compared with the band: r, log r, s, rho. */
export type RatioClipLevel = 'token' | 'token-log' | 'sequence' | 'sequence-sum';
/** `divergence`: not a ratio, but how far the token's probability moved (DPPO) */
export type ClipLevel = RatioClipLevel | 'divergence';

export interface Band {
  low: number;
  high: number;
}

/** What a map needs to know of an objective. */
export interface ClippedObjective {
  settings: ObjectiveSettings;
  level: ClipLevel;
  /** what its library counts as clipped */
  unit: 'tokens' | 'sequences';
  /** published epsilons; GMPO's are of log r, CISPO's is the largest weight minus 1, without a lower edge */
  band: { low: number | null; high: number };
  /** ratios above it get no gradient whatever epsilon is (TRL's delta), or only where A < 0 (dual clip) */
  ceiling: { ratio: number; negativeOnly: boolean } | null;
}

/** From the registry: TRL's entry, or verl's where TRL has no such objective. */
export function clippedObjective(id: ClippedId): ClippedObjective {
  const { trl, verl } = objective(id);
  const settings = trl ?? verl;
  if (!settings) throw new RangeError(`Objective "${id}" has settings in neither library.`);
  return { settings, ...clipOf(settings.surrogate) };
}

function clipOf(s: Surrogate): Omit<ClippedObjective, 'settings'> {
  switch (s.kind) {
    case 'clip': {
      const { low, high, dual, delta } = s;
      return {
        level: s.level === 'sequence-token' ? 'sequence' : s.level,
        unit: s.level === 'sequence' || s.level === 'sequence-sum' ? 'sequences' : 'tokens',
        band: { low, high },
        ceiling:
          delta !== undefined
            ? { ratio: delta, negativeOnly: false }
            : dual !== undefined
              ? { ratio: dual, negativeOnly: true }
              : null,
      };
    }
    case 'gmpo':
      return {
        level: 'token-log',
        unit: 'tokens',
        band: { low: s.low, high: s.high },
        ceiling: null,
      };
    case 'cispo':
      return {
        level: 'token',
        unit: 'tokens',
        band: { low: null, high: s.max - 1 },
        ceiling: null,
      };
    case 'dppo':
      return {
        level: 'divergence',
        unit: 'tokens',
        band: { low: s.low, high: s.high },
        ceiling: null,
      };
    case 'reinforce':
    case 'sapo':
    case 'vespo':
    case 'dro':
      throw new RangeError(`Objectives of kind "${s.kind}" have no clip range.`);
  }
}

export interface ClippingData {
  offsets: Uint32Array;
  /** [n] */
  lengths: Uint32Array;
  /** [n] prompt of each response */
  cluster: Uint32Array;
  advantage: Float64Array;
  /** [tokens] */
  logpOld: FloatArray;
  logpNew: FloatArray;
  /** [tokens] d_t */
  logRatio: Float64Array;
  /** [n] mean d_t */
  logWeight: Float64Array;
  /** [tokens] mismatch correction; null = 1 */
  tokenWeight: Float64Array | null;
  /** [n] mean of them over the response; null = 1 */
  sequenceWeight: Float64Array | null;
  /** of d_t over tokens */
  mu: number;
  sigma: number;
  /** share of responses with A < 0 and with A > 0, and of tokens */
  negative: { sequences: number; tokens: number };
  positive: { sequences: number; tokens: number };
  newSums(columns: number): PromptSums;
}

/** Mean and variance (n - 1) under weights; NaN where they are all 0. */
function moments(values: Float64Array, weights: Float64Array | null): [number, number] {
  if (!weights) return [mean(values), variance(values)];
  let total = 0;
  let sum = 0;
  for (let t = 0; t < values.length; t++) {
    total += weights[t] as number;
    sum += (weights[t] as number) * (values[t] as number);
  }
  const center = sum / total;
  let squares = 0;
  for (let t = 0; t < values.length; t++) {
    squares += (weights[t] as number) * ((values[t] as number) - center) ** 2;
  }
  return [center, (squares / total) * (values.length / (values.length - 1))];
}

/** @param tokenWeight [tokens] mismatch correction; null = 1 */
export function prepareClipping(
  rollouts: Rollouts,
  tokenWeight: Float64Array | null = null,
): ClippingData {
  const logRatio = logRatios(rollouts);
  const lengths = responseLengths(rollouts);
  const { cluster } = promptClusters(rollouts);
  const n = lengths.length;
  const sequenceWeight = tokenWeight && sequenceMeans(tokenWeight, rollouts.offsets);
  const count = (sign: number) => {
    let sequences = 0;
    let tokens = 0;
    let allSequences = 0;
    let allTokens = 0;
    for (let i = 0; i < n; i++) {
      const weight = sequenceWeight ? (sequenceWeight[i] as number) : 1;
      allSequences += weight;
      allTokens += weight * (lengths[i] as number);
      if (Math.sign(rollouts.advantage[i] as number) !== sign) continue;
      sequences += weight;
      tokens += weight * (lengths[i] as number);
    }
    return { sequences: sequences / allSequences, tokens: tokens / allTokens };
  };
  const [mu, spread] = moments(logRatio, tokenWeight);
  return {
    offsets: rollouts.offsets,
    lengths,
    cluster,
    advantage: rollouts.advantage,
    logpOld: rollouts.logpOld,
    logpNew: rollouts.logpNew,
    logRatio,
    logWeight: sequenceMeans(logRatio, rollouts.offsets),
    tokenWeight,
    sequenceWeight,
    mu,
    sigma: Math.sqrt(spread),
    negative: count(-1),
    positive: count(1),
    newSums: (columns) => new PromptSums(cluster, columns),
  };
}

/** `points` values from low to high in equal steps of the logarithm. */
export function epsilonGrid(low: number, high: number, points: number): Float64Array {
  const step = Math.log(high / low) / (points - 1);
  return Float64Array.from({ length: points }, (_, k) => low * Math.exp(k * step));
}

/** Logarithms of the band's edges at this level; -Infinity below a ratio of 0. */
function edges(level: RatioClipLevel, { low, high }: Band): [number, number] {
  if (level === 'token-log') return [-low, high];
  return [low < 1 ? Math.log1p(-low) : -Infinity, Math.log1p(high)];
}

/** Probability that a ratio is below / above the band for one response of this length. */
function tails(
  data: ClippingData,
  level: RatioClipLevel,
  length: number,
  band: Band,
): { below: number; above: number } {
  const { mu, sigma } = data;
  const [low, high] = edges(level, band);
  const center = level === 'sequence-sum' ? mu * length : mu;
  const spread =
    level === 'sequence'
      ? sigma / Math.sqrt(length)
      : level === 'sequence-sum'
        ? sigma * Math.sqrt(length)
        : sigma;
  // Without spread the law is a step.
  const cdf = (x: number) =>
    spread > 0 ? normalCdf((x - center) / spread) : x > center ? 1 : x < center ? 0 : 0.5;
  return { below: cdf(low), above: 1 - cdf(high) };
}

/** Predicted share outside the band, either side, at one length. */
export function predictOutside(
  data: ClippingData,
  level: RatioClipLevel,
  length: number,
  band: Band,
): number {
  const { below, above } = tails(data, level, length, band);
  return below + above;
}

/** How much response i counts. */
export function responseWeight(data: ClippingData, i: number): number {
  return data.sequenceWeight ? (data.sequenceWeight[i] as number) : 1;
}

/** Distinct lengths with how much the responses of each count, or their tokens. */
function lengthCounts(data: ClippingData, unit: ClippedObjective['unit']): Map<number, number> {
  const counts = new Map<number, number>();
  data.lengths.forEach((length, i) => {
    const own = responseWeight(data, i) * (unit === 'tokens' ? length : 1);
    counts.set(length, (counts.get(length) ?? 0) + own);
  });
  return counts;
}

export interface ClipSide {
  /** [grid] share clipped: outside on this side with the advantage that makes it count */
  clipped: Float64Array;
  /** [grid] share outside on this side, whatever the advantage */
  outside: Float64Array;
  /** [grid] the same as predicted; null where no law is predicted */
  predictedOutside: Float64Array | null;
  /** [grid] predictedOutside times the share of the data with that sign of A */
  predictedClipped: Float64Array | null;
  /**
   * [grid] share of the gradient mass (sum of |d loss / d log pi|) that clipping on this side removes,
   * of the mass without any clipping; below 0 where clipping adds (GMPO's lower edge raises its weight)
   */
  massLost: Float64Array;
}

export interface ClipMap {
  objective: ClippedId;
  title: string;
  /** what the shares count */
  unit: ClippedObjective['unit'];
  observations: number;
  /** [grid] epsilon, for either side */
  epsilon: Float64Array;
  /** all 0 where the objective has no such edge */
  low: ClipSide;
  high: ClipSide;
  /** share of the gradient mass that the ceiling (delta, dual clip) takes whatever epsilon is */
  ceilingLost: number;
  published: ClippedObjective['band'] & { clipped: number; massKept: number };
}

/** Number of grid points strictly below `own`. */
function pointsBelow(grid: Float64Array, own: number): number {
  let from = 0;
  let to = grid.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((grid[middle] as number) < own) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Sums over observations whose own epsilon exceeds each grid point: suffix sums over one histogram. */
class Exceedance {
  private readonly bins: Float64Array;
  constructor(private readonly grid: Float64Array) {
    this.bins = new Float64Array(grid.length + 1);
  }

  /** @param own largest epsilon at which the observation is still outside (exclusive) */
  add(own: number, weight: number): void {
    const bin = pointsBelow(this.grid, own);
    this.bins[bin] = (this.bins[bin] as number) + weight;
  }

  /** [grid] */
  sums(): Float64Array {
    const out = new Float64Array(this.grid.length);
    let above = 0;
    for (let k = this.grid.length; k > 0; k--) {
      above += this.bins[k] as number;
      out[k - 1] = above;
    }
    return out;
  }
}

/** One ratio, or one response where all of its tokens share one. */
interface Visited {
  /** largest epsilon at which it is still below / above the band (exclusive) */
  low: number;
  high: number;
  /** how much it counts in shares, and in masses beside `logMass` */
  count: number;
  massWeight: number;
  /** log of the importance weight */
  logWeight: number;
  /** log of the gradient mass with every gate open, and of that per unit of importance weight */
  logMass: number;
  logFactor: number;
}

/** Calls `visit` for every ratio; the record is one and the same, overwritten each time. */
function visitRatios(
  data: ClippingData,
  { settings, level, unit, band }: ClippedObjective,
  visit: (ratio: Visited, i: number) => void,
): void {
  const { surrogate, library } = settings;
  const coefficient = sequenceCoefficients(settings, data.offsets);
  const corrected = takesMultiplier(surrogate, library);
  const ratio = {
    low: 0,
    high: 0,
    count: 1,
    massWeight: 1,
    logWeight: 0,
    logMass: 0,
    logFactor: 0,
  };
  for (let i = 0; i < data.lengths.length; i++) {
    const length = data.lengths[i] as number;
    const logSequence = data.logWeight[i] as number;
    const factor = Math.log(Math.abs(data.advantage[i] as number) * (coefficient[i] as number));
    if (level === 'sequence' || level === 'sequence-sum') {
      const log = level === 'sequence' ? logSequence : logSequence * length;
      const own = responseWeight(data, i);
      ratio.high = Math.expm1(log);
      ratio.low = -ratio.high;
      ratio.count = unit === 'tokens' ? own * length : own;
      ratio.massWeight = corrected ? own : 1;
      ratio.logWeight = log;
      // every one of the L tokens gets A s, or A rho
      ratio.logFactor = factor + Math.log(length);
      ratio.logMass = ratio.logFactor + log;
      visit(ratio, i);
      continue;
    }
    // GMPO's loss is one per response: each token gets its L-th part.
    ratio.logFactor = level === 'token-log' ? factor - Math.log(length) : factor;
    for (let t = data.offsets[i] as number; t < (data.offsets[i + 1] as number); t++) {
      const d = data.logRatio[t] as number;
      const own = data.tokenWeight ? (data.tokenWeight[t] as number) : 1;
      ratio.count = own;
      ratio.massWeight = corrected ? own : 1;
      ratio.logWeight = d;
      if (level === 'token') ratio.high = Math.expm1(d);
      else if (level === 'token-log') {
        ratio.high = d;
        ratio.logWeight = logSequence;
      } else if (surrogate.kind === 'dppo') {
        const [a, b] = [data.logpOld[t] as number, data.logpNew[t] as number];
        ratio.high =
          surrogate.divergence === 'tv'
            ? Math.exp(b) - Math.exp(a)
            : Math.sign(b - a) * binaryKl(a, b);
        ratio.logWeight = Math.min(
          clamp(d, -VERL_LOG_RATIO_LIMIT, VERL_LOG_RATIO_LIMIT),
          Math.log(surrogate.cap),
        );
      }
      ratio.low = band.low === null ? -Infinity : -ratio.high;
      ratio.logMass = ratio.logFactor + ratio.logWeight;
      visit(ratio, i);
    }
  }
}

type MeasuredSide = Pick<ClipSide, 'clipped' | 'outside' | 'massLost'>;

interface Measured {
  low: MeasuredSide;
  high: MeasuredSide;
  ceilingLost: number;
}

function measure(data: ClippingData, clipped: ClippedObjective, grid: Float64Array): Measured {
  const { kind } = clipped.settings.surrogate;
  // Masses of unnormalised ratios span hundreds of orders of magnitude: measured from the largest.
  let largest = -Infinity;
  visitRatios(data, clipped, ({ logMass }) => {
    if (logMass > largest) largest = logMass;
  });
  const side = () => ({
    clipped: new Exceedance(grid),
    outside: new Exceedance(grid),
    mass: new Exceedance(grid),
    /** mass per unit of importance weight: what a cap leaves is that times the cap */
    factor: new Exceedance(grid),
  });
  const low = side();
  const high = side();
  const beyond = (clipped.ceiling?.ratio ?? Infinity) - 1;
  const both = clipped.ceiling?.negativeOnly === false;
  let total = 0;
  let mass = 0;
  let ceiling = 0;
  visitRatios(data, clipped, (ratio, i) => {
    const advantage = data.advantage[i] as number;
    // TRL compares min(r, delta) with the band.
    const above = both ? Math.min(ratio.high, beyond) : ratio.high;
    total += ratio.count;
    low.outside.add(ratio.low, ratio.count);
    high.outside.add(above, ratio.count);
    if (advantage === 0) return;
    const size = ratio.massWeight * Math.exp(ratio.logMass - largest);
    mass += size;
    const counting = advantage < 0 ? low : high;
    const epsilon = advantage < 0 ? ratio.low : above;
    counting.clipped.add(epsilon, ratio.count);
    if (kind === 'cispo') {
      // The cap holds whatever the sign of A.
      high.mass.add(ratio.high, size);
      high.factor.add(ratio.high, ratio.massWeight * Math.exp(ratio.logFactor - largest));
    } else if (ratio.high > beyond && (both || advantage < 0)) ceiling += size;
    else counting.mass.add(epsilon, size);
  });
  const share = (sums: Float64Array, of: number) => sums.map((x) => (of > 0 ? x / of : 0));
  const shares = (from: ReturnType<typeof side>): MeasuredSide => ({
    clipped: share(from.clipped.sums(), total),
    outside: share(from.outside.sums(), total),
    massLost: share(from.mass.sums(), mass),
  });
  const measured = {
    low: shares(low),
    high: shares(high),
    ceilingLost: mass > 0 ? ceiling / mass : 0,
  };
  if (kind === 'cispo') {
    const factors = share(high.factor.sums(), mass);
    measured.high.massLost = measured.high.massLost.map(
      (lost, k) => lost - (1 + (grid[k] as number)) * (factors[k] as number),
    );
  } else if (kind === 'gmpo') {
    const lost = geometricMassLost(data, clipped, grid, largest);
    measured.low.massLost = share(lost.low, mass);
    measured.high.massLost = share(lost.high, mass);
  }
  return measured;
}

/**
 * GMPO: clipping k of L tokens closes their gates and moves the weight of all, exp of the mean clipped
 * log r. With A < 0 only the lower edge acts, with A > 0 only the upper one, so the sides still add up.
 * @returns [grid] mass without clipping minus mass left, over exp(largest)
 */
function geometricMassLost(
  data: ClippingData,
  { settings }: ClippedObjective,
  grid: Float64Array,
  largest: number,
): { low: Float64Array; high: Float64Array } {
  const coefficient = sequenceCoefficients(settings, data.offsets);
  const corrected = takesMultiplier(settings.surrogate, settings.library);
  const out = { low: new Float64Array(grid.length), high: new Float64Array(grid.length) };
  const counts = new Float64Array(grid.length + 1);
  const excess = new Float64Array(grid.length + 1);
  for (let i = 0; i < data.lengths.length; i++) {
    const advantage = data.advantage[i] as number;
    if (advantage === 0) continue;
    const length = data.lengths[i] as number;
    const sign = Math.sign(advantage);
    const log = data.logWeight[i] as number;
    counts.fill(0);
    excess.fill(0);
    for (let t = data.offsets[i] as number; t < (data.offsets[i + 1] as number); t++) {
      const own = sign * (data.logRatio[t] as number);
      const bin = pointsBelow(grid, own);
      counts[bin] = (counts[bin] as number) + 1;
      excess[bin] = (excess[bin] as number) + own;
    }
    const factor = Math.log(Math.abs(advantage) * (coefficient[i] as number)) - largest;
    const weight = corrected ? responseWeight(data, i) : 1;
    const lost = advantage < 0 ? out.low : out.high;
    let clippedTokens = 0;
    let clippedSum = 0;
    for (let k = grid.length; k > 0; k--) {
      clippedTokens += counts[k] as number;
      clippedSum += excess[k] as number;
      if (clippedTokens === 0) continue;
      const epsilon = grid[k - 1] as number;
      const moved = log - (sign * (clippedSum - clippedTokens * epsilon)) / length;
      const left = Math.exp(factor + moved) * (1 - clippedTokens / length);
      lost[k - 1] = (lost[k - 1] as number) + weight * (Math.exp(factor + log) - left);
    }
  }
  return out;
}

interface Predicted {
  below: Float64Array;
  above: Float64Array;
}

/** [grid] normal law, averaged over the lengths that occur; null where the level is no ratio. */
function predictSides(
  data: ClippingData,
  { level, unit, band, ceiling }: ClippedObjective,
  grid: Float64Array,
): Predicted | null {
  if (level === 'divergence') return null;
  const perToken = level === 'token' || level === 'token-log';
  // Token ratios do not depend on the length; one "length" stands for all.
  const counts = perToken ? new Map([[1, 1]]) : lengthCounts(data, unit);
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const below = new Float64Array(grid.length);
  const above = new Float64Array(grid.length);
  const capped = ceiling?.negativeOnly === false ? ceiling.ratio : Infinity;
  grid.forEach((epsilon, k) => {
    for (const [length, count] of counts) {
      const tail = tails(data, level, length, { low: epsilon, high: epsilon });
      if (band.low !== null) below[k] = (below[k] as number) + (tail.below * count) / total;
      if (1 + epsilon < capped) above[k] = (above[k] as number) + (tail.above * count) / total;
    }
  });
  return { below, above };
}

export function clipMap(data: ClippingData, id: ClippedId, grid: Float64Array): ClipMap {
  const clipped = clippedObjective(id);
  const { band, unit } = clipped;
  // The published edges are measured in the same pass as the grid.
  const points = Float64Array.from(
    new Set([...grid, ...(band.low === null ? [] : [band.low]), band.high]),
  ).sort();
  const measured = measure(data, clipped, points);
  const places = grid.map((epsilon) => points.indexOf(epsilon));
  const onGrid = (values: Float64Array) => places.map((k) => values[k] as number);
  const at = (values: Float64Array, epsilon: number | null) =>
    epsilon === null ? 0 : (values[points.indexOf(epsilon)] as number);
  const predicted = predictSides(data, clipped, grid);
  const sideOf = (
    { clipped: share, outside, massLost }: MeasuredSide,
    law: Float64Array | undefined,
    signed: number,
  ): ClipSide => ({
    clipped: onGrid(share),
    outside: onGrid(outside),
    massLost: onGrid(massLost),
    predictedOutside: law ?? null,
    predictedClipped: law?.map((x) => x * signed) ?? null,
  });
  const { low, high, ceilingLost } = measured;
  return {
    objective: id,
    title: objective(id).title,
    unit,
    observations: unit === 'tokens' ? data.logRatio.length : data.lengths.length,
    epsilon: grid,
    low: sideOf(low, predicted?.below, data.negative[unit]),
    high: sideOf(high, predicted?.above, data.positive[unit]),
    ceilingLost,
    published: {
      ...band,
      clipped: at(low.clipped, band.low) + at(high.clipped, band.high),
      massKept: 1 - ceilingLost - at(low.massLost, band.low) - at(high.massLost, band.high),
    },
  };
}

/** Share outside a band, measured with interval and predicted. */
export function outsideShare(
  data: ClippingData,
  level: 'token' | 'sequence',
  band: Band,
  bootstrap: ClusterBootstrap,
): { measured: Estimate; predicted: number } {
  const sums = data.newSums(2);
  const [low, high] = edges(level, band);
  const outside = (log: number) => (log < low || log > high ? 1 : 0);
  let predicted = 0;
  let total = 0;
  for (let i = 0; i < data.lengths.length; i++) {
    const length = data.lengths[i] as number;
    if (level === 'sequence') {
      const weight = responseWeight(data, i);
      sums.add(i, [weight, weight * outside(data.logWeight[i] as number)]);
      predicted += weight * predictOutside(data, level, length, band);
      total += weight;
      continue;
    }
    let tokens = 0;
    let hits = 0;
    for (let t = data.offsets[i] as number; t < (data.offsets[i + 1] as number); t++) {
      const weight = data.tokenWeight ? (data.tokenWeight[t] as number) : 1;
      tokens += weight;
      hits += weight * outside(data.logRatio[t] as number);
    }
    sums.add(i, [tokens, hits]);
  }
  predicted = level === 'token' ? predictOutside(data, level, 1, band) : predicted / total;
  return { measured: withRuleOfThree(bootstrap.estimate(sums.sums, meanStatistic)), predicted };
}
