/**
 * Clip maps of the experiment `clipping`: measured and predicted shares over a grid of epsilons, and the same
 * at a published band, with its interval.
 */
import type { ClusterBootstrap, Estimate } from '../../math/stats/clusters';
import { meanStatistic } from '../../math/stats/statistics';
import { objective, type ClippedId } from '../../math/objectives/registry';
import { withRuleOfThree } from '../shared/proportions';
import { clippedObjective, type Band, type ClippedObjective } from './objective';
import { responseWeight, type ClippingData } from './data';
import { edges, predictOutside, predictSides } from './predict';
import { measure, type MeasuredSide } from './measure';

/** `points` values from low to high in equal steps of the logarithm. */
export function epsilonGrid(low: number, high: number, points: number): Float64Array {
  const step = Math.log(high / low) / (points - 1);
  return Float64Array.from({ length: points }, (_, k) => low * Math.exp(k * step));
}

export interface ClipSide extends MeasuredSide {
  /** [grid] share outside as predicted; null where no law is predicted */
  predictedOutside: Float64Array | null;
  /** [grid] predictedOutside times the share of the data with that sign of A */
  predictedClipped: Float64Array | null;
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
