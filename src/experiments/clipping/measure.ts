/**
 * Shares outside and clipped, over all epsilons (`sides.ts`), per length, and at the published bands.
 *
 * A ratio is *outside* the band 1 - e_l .. 1 + e_h whatever its advantage; it is *clipped* when it is
 * outside on the side that its advantage pushes to (below with A < 0, above with A > 0). The two sides
 * do not overlap, so the share clipped at (e_l, e_h) is low(e_l) + high(e_h), and so is the gradient mass
 * lost: the map over both is the sum of two curves.
 */
import { objective, type ClippedId } from '../../math/objectives/registry';
import type { Library } from '../../math/objectives/types';
import type { Measured } from '../../math/stats/anytime';
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { jackknifeOf } from '../../math/stats/jackknife';
import { logRatioOf, meanStatistic } from '../../math/stats/statistics';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { applyCorrection, NO_CORRECTION, type CorrectionReport } from '../shared/settings';
import { stage } from '../shared/input';
import { geometricLengthBins } from '../shared/length-bins';
import { proportion, shareDifference, withRuleOfThree } from '../shared/proportions';
import { prepareClipping, responseWeight, type ClippingData } from './data';
import {
  adaptiveBand,
  type Band,
  clippedObjective,
  type ClippedObjective,
  edges,
  PAPER_BANDS,
  scaledBand,
} from './objective';
import type { ClippingSettings } from './settings';
import { measure as measureSides, type MeasuredSide } from './sides';

/** `points` values from low to high in equal steps of the logarithm. */
export function epsilonGrid(low: number, high: number, points: number): Float64Array {
  const step = Math.log(high / low) / (points - 1);
  return Float64Array.from({ length: points }, (_, k) => low * Math.exp(k * step));
}

export interface MeasuredClipMap {
  objective: ClippedId;
  /** whose settings: the one asked for, or the other where it has no such objective */
  library: Library;
  title: string;
  /** what the shares count */
  unit: ClippedObjective['unit'];
  observations: number;
  /** [grid] epsilon, for either side */
  epsilon: Float64Array;
  /** all 0 where the objective has no such edge */
  low: MeasuredSide;
  high: MeasuredSide;
  /** share of the gradient mass that the ceiling (delta, dual clip) takes whatever epsilon is */
  ceilingLost: number;
  /** where it stands; null where the library has none for the objective */
  ceiling: ClippedObjective['ceiling'];
  /** at the library's own default band */
  usual: BandShares;
  /** at the band that GSPO's paper used; null where it used none, or where that is the library's */
  paper: BandShares | null;
}

/** Share of `unit` clipped at a band, and of the gradient mass kept. */
export type BandShares = ClippedObjective['band'] & { clipped: number; massKept: number };

const inPaper = (id: ClippedId): id is keyof typeof PAPER_BANDS => id in PAPER_BANDS;

export interface MeasuredLengthBin {
  minLength: number;
  maxLength: number;
  /** mean length of the responses in the bin */
  length: number;
  /** indices of the responses */
  members: Uint32Array;
  /** share of responses outside the fixed band, and outside the adaptive one */
  fixed: Estimate;
  adaptive: Estimate;
}

/** Share of tokens clipped at the published bands, and log10 of their quotient. */
export interface Orders {
  gspo: number;
  grpo: number;
  log10: number | null;
  interval: [number, number] | null;
}

/** log10 of GSPO's over GRPO's share of clipped tokens, both bands times each factor. */
export interface Disparity {
  factors: readonly number[];
  /** [gspo factor][grpo factor]; null where one of them clips nothing */
  log10: (number | null)[][];
}

/** What the claims judge, each on its working scale; null where it is not defined. */
export interface ClippingInference {
  orders: Measured | null;
  /** largest less smallest log10 within a factor of two of both bands */
  ranges: Measured | null;
}

export interface MeasuredClipping {
  sequences: number;
  tokens: number;
  /** mu, sigma and the lengths are what the law is made of */
  data: ClippingData;
  maps: MeasuredClipMap[];
  lengths: MeasuredLengthBin[];
  /** share outside the published bands */
  outside: { grpo: Estimate; gspo: Estimate };
  orders: Orders;
  disparity: Disparity;
  inference: ClippingInference;
  /** share outside the adaptive band among the longest third minus the shortest third */
  adaptiveDifference: Estimate;
  correction: CorrectionReport;
}

export async function measureClipping(
  rollouts: Rollouts,
  settings: ClippingSettings,
  context: ExperimentContext,
): Promise<MeasuredClipping> {
  const { weights, available, effect } = applyCorrection(
    rollouts,
    settings.correction ?? NO_CORRECTION,
  );
  const correction = { available, effect };
  const data = prepareClipping(rollouts, weights);
  await stage(context, 0.2);
  const grid = epsilonGrid(settings.gridLow, settings.gridHigh, settings.gridPoints);
  const maps: MeasuredClipMap[] = [];
  for (const id of settings.objectives) {
    maps.push(clipMap(data, id, settings.library, grid));
    await stage(context, 0.2 + (0.5 * maps.length) / settings.objectives.length);
  }
  const intervals = new PromptIntervals(context);
  const lengths = lengthBins(data, settings, intervals);
  await stage(context, 0.9);
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    data,
    maps,
    lengths,
    outside: {
      gspo: outsideShare(data, 'sequence', PAPER_BANDS.gspo, intervals),
      grpo: outsideShare(data, 'token', PAPER_BANDS.grpo, intervals),
    },
    ...disparityOf(data, intervals),
    adaptiveDifference: adaptiveDifference(data, settings, intervals),
    correction,
  };
}

function clipMap(
  data: ClippingData,
  id: ClippedId,
  library: Library,
  grid: Float64Array,
): MeasuredClipMap {
  const clipped = clippedObjective(id, library);
  const { band, unit } = clipped;
  const published = inPaper(id) ? PAPER_BANDS[id] : null;
  const other =
    published !== null && (published.low !== band.low || published.high !== band.high)
      ? published
      : null;
  // The bands' edges are measured in the same pass as the grid.
  const edgesOf = (own: ClippedObjective['band'] | null): number[] =>
    own === null ? [] : [...(own.low === null ? [] : [own.low]), own.high];
  const points = Float64Array.from(new Set([...grid, ...edgesOf(band), ...edgesOf(other)])).sort();
  const { low, high, ceilingLost } = measureSides(data, clipped, points);
  const places = grid.map((epsilon) => points.indexOf(epsilon));
  const onGrid = (values: Float64Array) => places.map((k) => values[k]);
  const at = (values: Float64Array, epsilon: number | null) =>
    epsilon === null ? 0 : (values[points.indexOf(epsilon)] as number);
  const sharesAt = (own: ClippedObjective['band']): BandShares => ({
    ...own,
    clipped: at(low.clipped, own.low) + at(high.clipped, own.high),
    massKept: 1 - ceilingLost - at(low.massLost, own.low) - at(high.massLost, own.high),
  });
  const sideOf = (side: MeasuredSide): MeasuredSide => ({
    clipped: onGrid(side.clipped),
    outside: onGrid(side.outside),
    massLost: onGrid(side.massLost),
  });
  return {
    objective: id,
    library: clipped.settings.library,
    title: objective(id).title,
    unit,
    observations: unit === 'tokens' ? data.logRatio.length : data.lengths.length,
    epsilon: grid,
    low: sideOf(low),
    high: sideOf(high),
    ceilingLost,
    ceiling: clipped.ceiling,
    usual: sharesAt(band),
    paper: other && sharesAt(other),
  };
}

const isOutside = (log: number, { low, high }: { low: number; high: number }): boolean => {
  const ratio = Math.exp(log);
  return ratio < 1 - low || ratio > 1 + high;
};

function lengthBins(
  data: ClippingData,
  settings: ClippingSettings,
  intervals: PromptIntervals,
): MeasuredLengthBin[] {
  return geometricLengthBins(data.lengths, settings.bins).map((bin) => {
    const lengthOf = (i: number): number => data.lengths[i];
    const shareOutside = (bandOf: (length: number) => Band): Estimate =>
      proportion(
        data,
        bin.members,
        (i) => isOutside(data.logWeight[i], bandOf(lengthOf(i))),
        intervals,
        (i) => responseWeight(data, i),
      );
    let total = 0;
    for (const i of bin.members) total += lengthOf(i);
    return {
      ...bin,
      length: total / bin.members.length,
      fixed: shareOutside(() => settings),
      adaptive: shareOutside((own) => adaptiveBand(data, settings.z, own)),
    };
  });
}

function outsideShare(
  data: ClippingData,
  level: 'token' | 'sequence',
  band: Band,
  intervals: PromptIntervals,
): Estimate {
  const sums = data.newSums(2);
  const [low, high] = edges(level, band);
  const outside = (log: number) => (log < low || log > high ? 1 : 0);
  for (let i = 0; i < data.lengths.length; i++) {
    if (level === 'sequence') {
      const weight = responseWeight(data, i);
      sums.add(i, [weight, weight * outside(data.logWeight[i])]);
      continue;
    }
    let tokens = 0;
    let hits = 0;
    for (let t = data.offsets[i]; t < data.offsets[i + 1]; t++) {
      const weight = data.tokenWeight ? data.tokenWeight[t] : 1;
      tokens += weight;
      hits += weight * outside(data.logRatio[t]);
    }
    sums.add(i, [tokens, hits]);
  }
  return withRuleOfThree(intervals.estimate(sums.sums, meanStatistic));
}

const FACTORS = [0.25, 0.5, 1, 2, 4] as const;
const [HALF, PUBLISHED, DOUBLE] = [1, 2, 3] as const;

/** Clipped tokens of GSPO and of GRPO, token for token, both published bands times every factor. */
function disparityOf(
  data: ClippingData,
  intervals: PromptIntervals,
): Pick<MeasuredClipping, 'orders' | 'disparity' | 'inference'> {
  const count = FACTORS.length;
  const bands = FACTORS.map((by) => ({
    gspo: edges('sequence', scaledBand(PAPER_BANDS.gspo, by)),
    grpo: edges('token', scaledBand(PAPER_BANDS.grpo, by)),
  }));
  const clippedBy = (log: number, advantage: number, [low, high]: readonly [number, number]) =>
    advantage < 0 ? log < low : advantage > 0 && log > high;
  // per prompt: GSPO's clipped tokens by factor, then GRPO's
  const sums = data.newSums(2 * count);
  let total = 0;
  for (let i = 0; i < data.lengths.length; i++) {
    const advantage = data.advantage[i];
    const terms = new Array<number>(2 * count).fill(0);
    let size = 0;
    for (let t = data.offsets[i]; t < data.offsets[i + 1]; t++) {
      const weight = data.tokenWeight ? data.tokenWeight[t] : 1;
      const log = data.logRatio[t];
      size += weight;
      bands.forEach(({ grpo }, k) => {
        if (clippedBy(log, advantage, grpo)) terms[count + k] = terms[count + k] + weight;
      });
    }
    bands.forEach(({ gspo }, k) => {
      if (clippedBy(data.logWeight[i], advantage, gspo)) terms[k] = size;
    });
    total += size;
    sums.add(i, terms);
  }
  const totals = sums.sums.columns.map((column) => column.reduce((a, b) => a + b, 0));
  const clipped = (k: number): number => totals[k];
  const both = (k: number, j: number): boolean => clipped(k) > 0 && clipped(count + j) > 0;
  const orders = both(PUBLISHED, PUBLISHED)
    ? jackknifeOf(sums.sums, (own) => logRatioOf(PUBLISHED, count + PUBLISHED)(own) / Math.LN10)
    : null;
  const ranges =
    both(DOUBLE, DOUBLE) && both(HALF, HALF)
      ? jackknifeOf(
          sums.sums,
          (own) =>
            (logRatioOf(HALF, DOUBLE)(own) + logRatioOf(count + HALF, count + DOUBLE)(own)) /
            Math.LN10,
        )
      : null;
  return {
    orders: {
      gspo: clipped(PUBLISHED) / total,
      grpo: clipped(count + PUBLISHED) / total,
      log10: orders && orders.estimate,
      interval: orders && intervals.around(orders).interval,
    },
    disparity: {
      factors: FACTORS,
      log10: FACTORS.map((_, k) =>
        FACTORS.map((__, j) => (both(k, j) ? Math.log10(clipped(k) / clipped(count + j)) : null)),
      ),
    },
    inference: { orders, ranges },
  };
}

function adaptiveDifference(
  data: ClippingData,
  settings: ClippingSettings,
  intervals: PromptIntervals,
): Estimate {
  const sorted = Float64Array.from(data.lengths).sort();
  const shortest = sorted[Math.floor(sorted.length / 3)] ?? 0;
  const longest = sorted[Math.floor((2 * sorted.length) / 3)] ?? 0;
  return shareDifference(
    data,
    (i) => isOutside(data.logWeight[i], adaptiveBand(data, settings.z, data.lengths[i])),
    (i) => data.lengths[i] > longest,
    (i) => data.lengths[i] <= shortest,
    intervals,
    (i) => responseWeight(data, i),
  );
}
