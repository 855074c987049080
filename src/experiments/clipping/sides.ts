/**
 * What each epsilon clips, and what gradient mass that takes. Contract: pure float64; a fixed number of passes
 * over the ratios per objective, whatever the size of the epsilon grid. Ratio, weight and aggregation are those
 * of the registry's entry, so gradient masses are those of `evaluateObjective`, exactly; they take the weights of
 * a mismatch correction where the library multiplies by them.
 */
import { sequenceCoefficients, takesMultiplier } from '../../math/objectives/evaluate';
import { kindOf } from '../../math/objectives/registry';
import type { ClippedObjective } from './objective';
import { responseWeight, type ClippingData } from './data';

/** [grid] each, one edge of the band */
export interface MeasuredSide {
  /** share clipped: outside on this side with the advantage that makes it count */
  clipped: Float64Array;
  /** share outside on this side, whatever the advantage */
  outside: Float64Array;
  /**
   * share of the gradient mass (sum of |d loss / d log pi|) that clipping on this side removes, of the mass
   * without any clipping; below 0 where clipping adds (GMPO's lower edge raises its weight)
   */
  massLost: Float64Array;
}

/** Number of grid points strictly below `own`. */
function pointsBelow(grid: Float64Array, own: number): number {
  let from = 0;
  let to = grid.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (grid[middle] < own) from = middle + 1;
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
    this.bins[bin] = this.bins[bin] + weight;
  }

  /** [grid] */
  sums(): Float64Array {
    const out = new Float64Array(this.grid.length);
    let above = 0;
    for (let k = this.grid.length; k > 0; k--) {
      above += this.bins[k];
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
  { settings, level, unit, band, distance, logWeight }: ClippedObjective,
  visit: (ratio: Visited, i: number) => void,
): void {
  const { surrogate, library } = settings;
  const coefficient = sequenceCoefficients(settings, data.offsets);
  const corrected = takesMultiplier(surrogate, library);
  const perSequence = kindOf(surrogate).perSequence(surrogate);
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
    const length = data.lengths[i];
    const logSequence = data.logWeight[i];
    const factor = Math.log(Math.abs(data.advantage[i]) * coefficient[i]);
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
    // Where the loss is one per response (GMPO), each token gets its L-th part.
    ratio.logFactor = perSequence ? factor - Math.log(length) : factor;
    for (let t = data.offsets[i]; t < data.offsets[i + 1]; t++) {
      const d = data.logRatio[t];
      const own = data.tokenWeight ? data.tokenWeight[t] : 1;
      ratio.count = own;
      ratio.massWeight = corrected ? own : 1;
      ratio.logWeight = d;
      if (level === 'token') ratio.high = Math.expm1(d);
      else if (level === 'token-log') {
        ratio.high = d;
        ratio.logWeight = logSequence;
      } else if (distance) {
        ratio.high = distance(data.logpOld[t], data.logpNew[t]);
      }
      if (logWeight) ratio.logWeight = logWeight(d);
      ratio.low = band.low === null ? -Infinity : -ratio.high;
      ratio.logMass = ratio.logFactor + ratio.logWeight;
      visit(ratio, i);
    }
  }
}

export interface Measured {
  low: MeasuredSide;
  high: MeasuredSide;
  ceilingLost: number;
}

export function measure(
  data: ClippingData,
  clipped: ClippedObjective,
  grid: Float64Array,
): Measured {
  const { beyond: effect } = clipped;
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
    const advantage = data.advantage[i];
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
    if (effect === 'cap') {
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
  if (effect === 'cap') {
    const factors = share(high.factor.sums(), mass);
    measured.high.massLost = measured.high.massLost.map(
      (lost, k) => lost - (1 + grid[k]) * factors[k],
    );
  } else if (effect === 'geometric') {
    const lost = geometricMassLost(data, clipped, grid, largest);
    measured.low.massLost = share(lost.low, mass);
    measured.high.massLost = share(lost.high, mass);
  }
  return measured;
}

/**
 * A geometric mean (GMPO): clipping k of L tokens closes their gates and moves the weight of all, exp of the mean clipped
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
    const advantage = data.advantage[i];
    if (advantage === 0) continue;
    const length = data.lengths[i];
    const sign = Math.sign(advantage);
    const log = data.logWeight[i];
    counts.fill(0);
    excess.fill(0);
    for (let t = data.offsets[i]; t < data.offsets[i + 1]; t++) {
      const own = sign * data.logRatio[t];
      const bin = pointsBelow(grid, own);
      counts[bin] = counts[bin] + 1;
      excess[bin] = excess[bin] + own;
    }
    const factor = Math.log(Math.abs(advantage) * coefficient[i]) - largest;
    const weight = corrected ? responseWeight(data, i) : 1;
    const lost = advantage < 0 ? out.low : out.high;
    let clippedTokens = 0;
    let clippedSum = 0;
    for (let k = grid.length; k > 0; k--) {
      clippedTokens += counts[k];
      clippedSum += excess[k];
      if (clippedTokens === 0) continue;
      const epsilon = grid[k - 1];
      const moved = log - (sign * (clippedSum - clippedTokens * epsilon)) / length;
      const left = Math.exp(factor + moved) * (1 - clippedTokens / length);
      lost[k - 1] = lost[k - 1] + weight * (Math.exp(factor + log) - left);
    }
  }
  return out;
}
