/**
 * Measurements and predictions of the experiment `clipping`. Contract: pure float64 functions of the
 * prepared data; one pass over the ratios per objective, whatever the size of the epsilon grid. Under a
 * mismatch correction every token counts by its weight, a response by the mean weight of its tokens: shares,
 * mu and sigma are then those of tokens as pi_old would have drawn them.
 */
import type { ClusterBootstrap } from '../math/stats/clusters';
import { type Estimate } from '../math/stats/clusters';
import { normalCdf } from '../math/stats/distributions';
import { mean, variance } from '../math/stats/moments';
import { meanStatistic } from '../math/stats/statistics';
import { GRPO_BAND, GSPO_BAND, objective } from '../math/objectives/registry';
import { promptClusters } from '../rollouts/clusters';
import type { Rollouts } from '../rollouts/rollouts';
import { logRatios, responseLengths, sequenceMeans } from './input';
import { PromptSums, withRuleOfThree } from './proportions';

/** Which ratio is clipped: r, s, rho, or r in log space. */
export type ClipLevel = 'token' | 'sequence' | 'sequence-sum' | 'token-log';
export type ClippedObjective = 'grpo' | 'gspo' | 'gmpo' | 'rloo';

const LEVELS: Record<ClippedObjective, ClipLevel> = {
  grpo: 'token',
  gspo: 'sequence',
  gmpo: 'token-log',
  rloo: 'sequence-sum',
};

export interface Band {
  low: number;
  high: number;
}

/** The bands that the papers used; GMPO's is in log space. */
export const PUBLISHED: Record<ClippedObjective, Band> = {
  grpo: GRPO_BAND,
  gspo: GSPO_BAND,
  gmpo: { low: 0.4, high: 0.4 },
  rloo: GRPO_BAND,
};

export interface ClippingData {
  offsets: Uint32Array;
  /** [n] */
  lengths: Uint32Array;
  /** [n] prompt of each response */
  cluster: Uint32Array;
  advantage: Float64Array;
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
function edges(level: ClipLevel, { low, high }: Band): [number, number] {
  if (level === 'token-log') return [-low, high];
  return [low < 1 ? Math.log1p(-low) : -Infinity, Math.log1p(high)];
}

/** Probability that a ratio is below / above the band for one response of this length. */
function tails(
  data: ClippingData,
  level: ClipLevel,
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
  level: ClipLevel,
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

/** Distinct lengths with how much the responses of each count. */
function lengthCounts(data: ClippingData): Map<number, number> {
  const counts = new Map<number, number>();
  data.lengths.forEach((length, i) => {
    counts.set(length, (counts.get(length) ?? 0) + responseWeight(data, i));
  });
  return counts;
}

export interface ClipSide {
  /** [grid] share clipped: outside on this side with the advantage that makes it count */
  clipped: Float64Array;
  /** [grid] share outside on this side, whatever the advantage, and as predicted */
  outside: Float64Array;
  predictedOutside: Float64Array;
  /** [grid] predictedOutside times the share of the data with that sign of A */
  predictedClipped: Float64Array;
  /** [grid] share of the gradient mass (sum of |d loss / d log pi|) that clipping on this side removes */
  massLost: Float64Array;
}

export interface ClipMap {
  objective: ClippedObjective;
  title: string;
  /** what the shares count */
  unit: 'tokens' | 'sequences';
  observations: number;
  /** [grid] epsilon, for either side */
  epsilon: Float64Array;
  low: ClipSide;
  high: ClipSide;
  published: Band & { clipped: number; massKept: number };
}

/** Counts of observations whose own epsilon exceeds each grid point: suffix sums over one histogram. */
class Exceedance {
  private readonly bins: Float64Array;
  total = 0;
  constructor(private readonly grid: Float64Array) {
    this.bins = new Float64Array(grid.length + 1);
  }

  /** @param own largest epsilon at which the observation is still outside (exclusive) */
  add(own: number, weight: number): void {
    this.total += weight;
    const { grid } = this;
    // number of grid points strictly below `own`
    let from = 0;
    let to = grid.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((grid[middle] as number) < own) from = middle + 1;
      else to = middle;
    }
    this.bins[from] = (this.bins[from] as number) + weight;
  }

  /** [grid] weight outside at each point, over `total` */
  shares(total: number): Float64Array {
    const out = new Float64Array(this.grid.length);
    let above = 0;
    for (let k = this.grid.length; k > 0; k--) {
      above += this.bins[k] as number;
      out[k - 1] = total > 0 ? above / total : 0;
    }
    return out;
  }
}

/** Largest epsilon at which a log-ratio is still below / above the band. */
function ownEpsilon(level: ClipLevel, log: number): { low: number; high: number } {
  if (level === 'token-log') return { low: -log, high: log };
  const excess = Math.expm1(log);
  return { low: -excess, high: excess };
}

/** Calls `visit` for every ratio of the level with its log, advantage, ungated gradient mass and weight. */
function visitRatios(
  data: ClippingData,
  level: ClipLevel,
  visit: (log: number, advantage: number, logMass: number, weight: number) => void,
): void {
  for (let i = 0; i < data.lengths.length; i++) {
    const advantage = data.advantage[i] as number;
    const length = data.lengths[i] as number;
    const logSize = Math.log(Math.abs(advantage));
    const log = data.logWeight[i] as number;
    const whole = responseWeight(data, i);
    if (level === 'sequence') visit(log, advantage, logSize + log, whole);
    else if (level === 'sequence-sum') {
      // every one of the L tokens gets A rho
      visit(log * length, advantage, logSize + log * length + Math.log(length), whole);
    } else {
      for (let t = data.offsets[i] as number; t < (data.offsets[i + 1] as number); t++) {
        const d = data.logRatio[t] as number;
        // GMPO's tokens share the response's weight, GRPO's have their own ratio; both share 1 / L
        const shared = level === 'token-log' ? log : d;
        const own = data.tokenWeight ? (data.tokenWeight[t] as number) : 1;
        visit(d, advantage, logSize + shared - Math.log(length), own);
      }
    }
  }
}

interface Measured {
  low: Omit<ClipSide, 'predictedOutside' | 'predictedClipped'>;
  high: Omit<ClipSide, 'predictedOutside' | 'predictedClipped'>;
  observations: number;
}

function measure(data: ClippingData, level: ClipLevel, grid: Float64Array): Measured {
  // Masses of unnormalised ratios span hundreds of orders of magnitude: measured from the largest.
  let largest = -Infinity;
  visitRatios(data, level, (_log, _advantage, logMass) => {
    if (logMass > largest) largest = logMass;
  });
  const side = () => ({
    clipped: new Exceedance(grid),
    outside: new Exceedance(grid),
    mass: new Exceedance(grid),
  });
  const low = side();
  const high = side();
  let observations = 0;
  let total = 0;
  let mass = 0;
  visitRatios(data, level, (log, advantage, logMass, weight) => {
    const own = ownEpsilon(level, log);
    const size = advantage === 0 ? 0 : weight * Math.exp(logMass - largest);
    observations++;
    total += weight;
    mass += size;
    low.outside.add(own.low, weight);
    high.outside.add(own.high, weight);
    const counting = advantage < 0 ? low : advantage > 0 ? high : null;
    if (!counting) return;
    const epsilon = advantage < 0 ? own.low : own.high;
    counting.clipped.add(epsilon, weight);
    counting.mass.add(epsilon, size);
  });
  const shares = (from: ReturnType<typeof side>) => ({
    clipped: from.clipped.shares(total),
    outside: from.outside.shares(total),
    massLost: from.mass.shares(mass),
  });
  return { low: shares(low), high: shares(high), observations };
}

export function clipMap(data: ClippingData, id: ClippedObjective, grid: Float64Array): ClipMap {
  const level = LEVELS[id];
  const perToken = level === 'token' || level === 'token-log';
  const measured = measure(data, level, grid);
  // Token ratios do not depend on the length; one "length" stands for all.
  const counts = perToken ? new Map([[1, 1]]) : lengthCounts(data);
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const below = new Float64Array(grid.length);
  const above = new Float64Array(grid.length);
  grid.forEach((epsilon, k) => {
    for (const [length, count] of counts) {
      const tail = tails(data, level, length, { low: epsilon, high: epsilon });
      below[k] = (below[k] as number) + (tail.below * count) / total;
      above[k] = (above[k] as number) + (tail.above * count) / total;
    }
  });
  const unit = perToken ? 'tokens' : 'sequences';
  const published = PUBLISHED[id];
  const atLow = measure(data, level, Float64Array.of(published.low)).low;
  const atHigh = measure(data, level, Float64Array.of(published.high)).high;
  const first = (values: Float64Array) => values[0] as number;
  return {
    objective: id,
    title: objective(id).title,
    unit,
    observations: measured.observations,
    epsilon: grid,
    low: {
      ...measured.low,
      predictedOutside: below,
      predictedClipped: below.map((x) => x * data.negative[unit]),
    },
    high: {
      ...measured.high,
      predictedOutside: above,
      predictedClipped: above.map((x) => x * data.positive[unit]),
    },
    published: {
      ...published,
      clipped: first(atLow.clipped) + first(atHigh.clipped),
      massKept: 1 - first(atLow.massLost) - first(atHigh.massLost),
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
