/** The evidence of one training step: counts, sums per prompt, histograms, and the responses that stand out. */
import { best, CARRIER_KINDS, type Carrier, type CarrierKind } from './carriers';
import { LogWeights } from './log-weights';
import { COLUMNS, COUNTS, HISTOGRAMS, SUMS, type Column, type HistogramName } from './names';

/** The smallest log-prob of a column, how many tokens have it, and how many of those begin or end a response. */
export interface Lowest {
  value: number;
  tokens: number;
  ends: number;
}

export const noLowest = (): Record<Column, Lowest> => ({
  old: { value: 0, tokens: 0, ends: 0 },
  new: { value: 0, tokens: 0, ends: 0 },
  sampler: { value: 0, tokens: 0, ends: 0 },
});

export class StepTally {
  counts = new Float64Array(COUNTS.length);
  histograms = Object.fromEntries(
    Object.entries(HISTOGRAMS).map(([name, bins]) => [name, new Float64Array(bins)]),
  ) as Record<HistogramName, Float64Array>;
  /** [bins] sum of (log rho)^2, shortest and longest response */
  lengthSquares = new Float64Array(HISTOGRAMS.lengths);
  lengthLeast = new Float64Array(HISTOGRAMS.lengths).fill(Infinity);
  lengthMost = new Float64Array(HISTOGRAMS.lengths);
  largest = { d: 0, logS: 0, logRho: 0, advantage: 0, lowest: 0 };
  lowest = noLowest();
  /** least and greatest reward */
  rewards: [number, number] = [Infinity, -Infinity];
  weights = { rho: new LogWeights(), s: new LogWeights(), mismatch: new LogWeights() };
  /** sums per group, by its name */
  groups = new Map<string | number, Float64Array>();
  carriers = Object.fromEntries(CARRIER_KINDS.map((kind) => [kind, []])) as unknown as Record<
    CarrierKind,
    Carrier[]
  >;

  sumsOf(group: string | number): Float64Array {
    let sums = this.groups.get(group);
    if (!sums) this.groups.set(group, (sums = new Float64Array(SUMS.length)));
    return sums;
  }

  addLowest(column: Column, { value, tokens, ends }: Lowest): void {
    const own = this.lowest[column];
    if (value > own.value || tokens === 0) return;
    if (value < own.value) this.lowest[column] = { value, tokens, ends };
    else this.lowest[column] = { value, tokens: own.tokens + tokens, ends: own.ends + ends };
  }

  merge(other: StepTally): void {
    addTo(this.counts, other.counts);
    for (const name of Object.keys(HISTOGRAMS) as HistogramName[]) {
      addTo(this.histograms[name], other.histograms[name]);
    }
    addTo(this.lengthSquares, other.lengthSquares);
    this.lengthLeast.forEach((x, i) => {
      this.lengthLeast[i] = Math.min(x, other.lengthLeast[i]);
    });
    this.lengthMost.forEach((x, i) => {
      this.lengthMost[i] = Math.max(x, other.lengthMost[i]);
    });
    const { largest } = this;
    for (const name of ['d', 'logS', 'logRho', 'advantage'] as const) {
      largest[name] = Math.max(largest[name], other.largest[name]);
    }
    largest.lowest = Math.min(largest.lowest, other.largest.lowest);
    for (const column of COLUMNS) this.addLowest(column, other.lowest[column]);
    this.rewards = [
      Math.min(this.rewards[0], other.rewards[0]),
      Math.max(this.rewards[1], other.rewards[1]),
    ];
    for (const name of ['rho', 's', 'mismatch'] as const) {
      this.weights[name].merge(other.weights[name]);
    }
    for (const [group, sums] of other.groups) addTo(this.sumsOf(group), sums);
    for (const kind of CARRIER_KINDS) {
      this.carriers[kind] = best(this.carriers[kind], other.carriers[kind]);
    }
  }
}

function addTo(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i] + from[i];
}

/** Adds to one of many counts. */
export function bump(counts: Float64Array, at: number, by = 1): void {
  counts[at] = counts[at] + by;
}
