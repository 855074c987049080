/**
 * The normal law of clipping: with mean mu and standard deviation sigma of d_t over tokens, log s is normal
 * with (mu, sigma^2 / L), log rho with (L mu, L sigma^2), log r with (mu, sigma^2), averaged over the lengths
 * that occur. Adaptive clipping e(L) = z sigma / sqrt(L) puts the same share outside at every L (exactly so
 * only where mu is small against sigma / sqrt(L)). Contract: of the data only mu, sigma, the lengths and what
 * a response counts enter.
 */
import type { Measured } from '../../math/stats/anytime';
import { normalCdf } from '../../math/stats/distributions';
import { jackknifeOf } from '../../math/stats/jackknife';
import { lengthClasses } from '../../math/stats/responses';
import { responseWeight, type ClippingData } from './data';
import type { MeasuredClipMap, MeasuredClipping, MeasuredLengthBin } from './measure';
import {
  adaptiveBand,
  type Band,
  clippedObjective,
  type ClippedObjective,
  edges,
  PAPER_BANDS,
  type RatioClipLevel,
} from './objective';
import type { ClippingSettings } from './settings';
import type { MeasuredSide } from './sides';

export interface ClipSide extends MeasuredSide {
  /** [grid] share outside as predicted; null where no law is predicted */
  predictedOutside: Float64Array | null;
  /** [grid] predictedOutside times the share of the data with that sign of A */
  predictedClipped: Float64Array | null;
}

export interface ClipMap extends MeasuredClipMap {
  low: ClipSide;
  high: ClipSide;
}

export interface SharePoint {
  measured: number;
  interval: [number, number] | null;
  predicted: number;
}

export interface LengthClipPoint extends Omit<MeasuredLengthBin, 'members' | 'fixed' | 'adaptive'> {
  sequences: number;
  fixed: SharePoint;
  adaptive: SharePoint;
  /** z sigma / sqrt(length) */
  adaptiveEpsilon: number;
}

export interface PredictedClipping extends Omit<
  MeasuredClipping,
  'data' | 'maps' | 'lengths' | 'outside'
> {
  /** of d_t over tokens */
  mu: number;
  sigma: number;
  maps: ClipMap[];
  lengths: LengthClipPoint[];
  outside: { grpo: SharePoint; gspo: SharePoint };
  /** log of the share outside over the predicted one; null where one of them is 0 */
  excess: { grpo: Measured | null; gspo: Measured | null };
}

export function predictClipping(
  { data, maps, lengths, outside, ...measured }: MeasuredClipping,
  settings: ClippingSettings,
): PredictedClipping {
  return {
    ...measured,
    mu: data.mu,
    sigma: data.sigma,
    maps: maps.map((map) => predictMap(data, map)),
    lengths: lengths.map((bin) => predictBin(data, bin, settings)),
    excess: {
      gspo: excessOver(data, 'sequence', PAPER_BANDS.gspo),
      grpo: excessOver(data, 'token', PAPER_BANDS.grpo),
    },
    outside: {
      gspo: {
        measured: outside.gspo.estimate,
        interval: outside.gspo.interval,
        predicted: meanOutside(data, data.lengths.keys(), () => PAPER_BANDS.gspo),
      },
      grpo: {
        measured: outside.grpo.estimate,
        interval: outside.grpo.interval,
        predicted: predictOutside(data, 'token', 1, PAPER_BANDS.grpo),
      },
    },
  };
}

/**
 * log of the share outside the band over that of the normal law, mu and sigma from the tokens of the same prompts;
 * one jackknife over both.
 */
function excessOver(data: ClippingData, level: 'token' | 'sequence', band: Band): Measured | null {
  const { classOf, at } = lengthClasses(level === 'token' ? Uint32Array.of(1) : data.lengths);
  const sums = data.newSums(5 + at.length);
  const [low, high] = edges(level, band);
  const outside = (log: number): boolean => log < low || log > high;
  for (let i = 0; i < data.lengths.length; i++) {
    const terms = new Array<number>(5 + at.length).fill(0);
    const add = (k: number, x: number): void => void (terms[k] = terms[k] + x);
    for (let t = data.offsets[i]; t < data.offsets[i + 1]; t++) {
      const weight = data.tokenWeight ? data.tokenWeight[t] : 1;
      const d = data.logRatio[t] - data.mu;
      add(2, weight);
      add(3, weight * d);
      add(4, weight * d * d);
      if (level === 'sequence') continue;
      add(0, weight);
      add(5, weight);
      if (outside(data.logRatio[t])) add(1, weight);
    }
    if (level === 'sequence') {
      const weight = responseWeight(data, i);
      add(0, weight);
      add(5 + (classOf.get(data.lengths[i]) as number), weight);
      if (outside(data.logWeight[i])) add(1, weight);
    }
    sums.add(i, terms);
  }
  const statistic = (totals: Float64Array): number => {
    const tokens = totals[2];
    const shift = totals[3] / tokens;
    const sigma = Math.sqrt(totals[4] / tokens - shift * shift);
    const law = { ...data, mu: data.mu + shift, sigma };
    let predicted = 0;
    at.forEach((length, k) => {
      predicted += totals[5 + k] * predictOutside(law, level, length, band);
    });
    // a law that predicts none at all is wrong by any factor: 300 orders of magnitude stand for it
    return Math.log(totals[1] / Math.max(predicted, 1e-300));
  };
  const hits = sums.sums.columns[1].some((own) => own > 0);
  return hits ? jackknifeOf(sums.sums, statistic) : null;
}

function predictMap(data: ClippingData, map: MeasuredClipMap): ClipMap {
  const predicted = predictSides(data, clippedObjective(map.objective, map.library), map.epsilon);
  const sideOf = (side: MeasuredSide, law: Float64Array | undefined, signed: number): ClipSide => ({
    ...side,
    predictedOutside: law ?? null,
    predictedClipped: law?.map((x) => x * signed) ?? null,
  });
  return {
    ...map,
    low: sideOf(map.low, predicted?.below, data.negative[map.unit]),
    high: sideOf(map.high, predicted?.above, data.positive[map.unit]),
  };
}

/** Predicted share of `members` whose s is outside, each counting by its weight. */
function meanOutside(
  data: ClippingData,
  members: Iterable<number>,
  bandOf: (length: number) => Band,
): number {
  let predicted = 0;
  let weight = 0;
  for (const i of members) {
    const own = responseWeight(data, i);
    const length = data.lengths[i];
    predicted += own * predictOutside(data, 'sequence', length, bandOf(length));
    weight += own;
  }
  return predicted / weight;
}

function predictBin(
  data: ClippingData,
  { members, fixed, adaptive, ...bin }: MeasuredLengthBin,
  settings: ClippingSettings,
): LengthClipPoint {
  const beside = (
    { estimate, interval }: MeasuredLengthBin['fixed'],
    bandOf: (length: number) => Band,
  ): SharePoint => ({
    measured: estimate,
    interval,
    predicted: meanOutside(data, members, bandOf),
  });
  const adaptiveAt = (length: number): Band => adaptiveBand(data, settings.z, length);
  return {
    ...bin,
    sequences: members.length,
    fixed: beside(fixed, () => settings),
    adaptive: beside(adaptive, adaptiveAt),
    adaptiveEpsilon: adaptiveAt(bin.length).low,
  };
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
function predictOutside(
  data: ClippingData,
  level: RatioClipLevel,
  length: number,
  band: Band,
): number {
  const { below, above } = tails(data, level, length, band);
  return below + above;
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

interface Tails {
  below: Float64Array;
  above: Float64Array;
}

/** [grid] normal law, averaged over the lengths that occur; null where the level is no ratio. */
function predictSides(
  data: ClippingData,
  { level, unit, band, ceiling }: ClippedObjective,
  grid: Float64Array,
): Tails | null {
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
      if (band.low !== null) below[k] = below[k] + (tail.below * count) / total;
      if (1 + epsilon < capped) above[k] = above[k] + (tail.above * count) / total;
    }
  });
  return { below, above };
}
