/**
 * Evidence as rules ask for it: a tally with its totals, shares and estimates. Contract: pure reading. Intervals
 * are of smooth functions of sums over prompts, by their linearised cluster-robust standard error and Student's t;
 * shares of independent things have Wilson's. All are two-sided at CONFIDENCE, chosen so that the rules
 * together raise a false alarm in fewer than one healthy file of a hundred.
 */
import { normalQuantile, studentQuantile } from '../../../math/stats/distributions';
import type { Carrier, CarrierKind } from './carriers';
import {
  C,
  S,
  SIZE_BINS,
  sizeEdge,
  SUMS,
  type Column,
  type ColumnCount,
  type CountName,
  type HistogramName,
  type Pair,
  type PairCount,
  type PairSum,
  type SumName,
} from './names';
import type { Bands } from './measure';
import { StepTally } from './step-tally';
import type { HealthTally } from './tally';

export const CONFIDENCE = 1 - 1e-4;
/** Fewer prompts carry no interval. */
const LEAST_CLUSTERS = 5;

export interface Estimate {
  value: number;
  /** NaN with fewer than LEAST_CLUSTERS prompts */
  error: number;
  interval: [number, number] | null;
}

export type Totals = (name: SumName) => number;

export class Evidence {
  private readonly clusters: Float64Array[];
  private readonly totals = new Float64Array(SUMS.length);

  constructor(
    readonly tally: StepTally,
    readonly bands: Bands,
  ) {
    const names = [...tally.groups.keys()].sort((a, b) => (String(a) < String(b) ? -1 : 1));
    this.clusters = names.map((name) => tally.groups.get(name) as Float64Array);
    for (const sums of this.clusters) {
      for (let k = 0; k < sums.length; k++) {
        this.totals[k] = this.totals[k] + sums[k];
      }
    }
  }

  get groups(): number {
    return this.clusters.length;
  }

  get groupNames(): (string | number)[] {
    return [...this.tally.groups.keys()];
  }

  /** Sums of each prompt, in a fixed order. */
  get perGroup(): readonly Float64Array[] {
    return this.clusters;
  }

  count(name: CountName): number {
    return this.tally.counts[C[name]];
  }

  ofColumn(column: Column, name: ColumnCount): number {
    return this.count(`${column}.${name}`);
  }

  ofPair(pair: Pair, name: PairCount): number {
    return this.count(`${pair}.${name}`);
  }

  sum(name: SumName): number {
    return this.totals[S[name]];
  }

  pairSum(pair: Pair, name: PairSum): number {
    return this.sum(`${pair}.${name}`);
  }

  histogram(name: HistogramName): Float64Array {
    return this.tally.histograms[name];
  }

  carriers(kind: CarrierKind): Carrier[] {
    return this.tally.carriers[kind];
  }

  /** Whether old and new are two policies. */
  hasUpdate(): boolean {
    return this.count('withoutUpdate') < this.count('responses');
  }

  /** Responses that have the column. */
  having(column: Column): number {
    return this.count(column === 'sampler' ? 'withSampler' : 'responses');
  }

  /** The columns that responses have. */
  columns(): Column[] {
    const sampler: Column[] = this.hasSampler() ? ['sampler'] : [];
    return this.hasUpdate() ? ['old', 'new', ...sampler] : ['old', ...sampler];
  }

  hasSampler(): boolean {
    return this.count('withSampler') > 0;
  }

  pairs(): Pair[] {
    const sampler: Pair[] = this.hasSampler() ? ['so'] : [];
    return this.hasUpdate() ? [...sampler, 'on'] : sampler;
  }

  /** A share of independent things with Wilson's interval. */
  share(hits: number, of: number): Estimate {
    if (of === 0) return { value: NaN, error: NaN, interval: null };
    const value = hits / of;
    const z = normalQuantile(1 - (1 - CONFIDENCE) / 2);
    const middle = (value + (z * z) / (2 * of)) / (1 + (z * z) / of);
    const half =
      (z / (1 + (z * z) / of)) * Math.sqrt((value * (1 - value)) / of + (z * z) / (4 * of * of));
    return {
      value,
      error: Math.sqrt((value * (1 - value)) / of),
      interval: [hits === 0 ? 0 : middle - half, hits === of ? 1 : middle + half],
    };
  }

  /** A smooth function of the sums over prompts. */
  estimate(statistic: (of: Totals) => number): Estimate {
    const used = new Set<number>();
    const value = statistic((name) => {
      used.add(S[name]);
      return this.sum(name);
    });
    const n = this.clusters.length;
    if (n < LEAST_CLUSTERS || !Number.isFinite(value)) return { value, error: NaN, interval: null };
    const influence = new Float64Array(n);
    for (const k of used) {
      const total = this.totals[k];
      const scale = Math.sqrt(this.clusters.reduce((sum, x) => sum + x[k] ** 2, 0));
      if (scale === 0) continue;
      const step = 1e-4 * scale;
      const at = (x: number) => statistic((name) => (S[name] === k ? x : this.totals[S[name]]));
      const slope = (at(total + step) - at(total - step)) / (2 * step);
      this.clusters.forEach((sums, g) => {
        influence[g] = influence[g] + slope * sums[k];
      });
    }
    const squares = influence.reduce((sum, x) => sum + x * x, 0);
    const error = Math.sqrt((squares * n) / (n - 1));
    if (!Number.isFinite(error)) return { value, error: NaN, interval: null };
    const half = studentQuantile(1 - (1 - CONFIDENCE) / 2, n - 1) * error;
    return { value, error, interval: [value - half, value + half] };
  }

  /** Mean over tokens of a sum of a pair. */
  tokenMean(pair: Pair, name: PairSum): Estimate {
    return this.estimate((of) => of(`${pair}.${name}`) / of(`${pair}.tokens`));
  }

  /** Correlation of the columns of a pair; `lead`: first at t with second at t + 1; `lag`: the reverse. */
  correlation(pair: Pair, at: 'same' | 'lead' | 'lag'): Estimate {
    const names =
      at === 'same'
        ? (['n', 'u', 'w', 'uu', 'ww', 'uw'] as const)
        : at === 'lead'
          ? (['leadN', 'leadU', 'leadW', 'leadUU', 'leadWW', 'leadUW'] as const)
          : (['lagN', 'lagU', 'lagW', 'lagUU', 'lagWW', 'lagUW'] as const);
    const [n, u, w, uu, ww, uw] = names.map((name) => `${pair}.${name}` as const) as [
      SumName,
      SumName,
      SumName,
      SumName,
      SumName,
      SumName,
    ];
    return this.estimate((of) => {
      const m = of(n);
      const covariance = of(uw) / m - (of(u) / m) * (of(w) / m);
      const left = of(uu) / m - (of(u) / m) ** 2;
      const right = of(ww) / m - (of(w) / m) ** 2;
      return covariance / Math.sqrt(left * right);
    });
  }

  /** Mean of -log p over the tokens of a column, nats. */
  meanNll(column: Column): number {
    const sum = this.sum(column === 'old' ? 'nllOld' : column === 'new' ? 'nllNew' : 'nllSampler');
    return sum / this.ofColumn(column, 'tokens');
  }

  /**
   * Correlation of the entropy and -log pi_old; `lead`: entropy at t with the token at t + 1; `lag`: the reverse.
   * @param less the same there is taken from it
   */
  entropyCorrelation(at: 'same' | 'lead' | 'lag', less?: 'same'): Estimate {
    return this.estimate((of) => {
      const n = of('eh.n');
      const [u, w] = [of('eh.u') / n, of('eh.w') / n];
      const spread = Math.sqrt((of('eh.uu') / n - u * u) * (of('eh.ww') / n - w * w));
      const same = (of('eh.uw') / n - u * w) / spread;
      const there =
        at === 'same'
          ? same
          : (at === 'lead'
              ? of('eh.leadUW') / of('eh.leadN') - u * w
              : of('eh.lagUW') / of('eh.lagN') - u * w) / spread;
      return less === undefined ? there : there - same;
    });
  }

  /** |e| below which a share of the tokens lie, to a tenth of a decade. */
  sizeQuantile(pair: Pair, share: number): number {
    const bins = this.histogram(`${pair}.size`);
    const all = bins.reduce((sum, x) => sum + x, 0);
    let seen = 0;
    for (let bin = 0; bin < SIZE_BINS; bin++) {
      seen += bins[bin];
      if (seen >= share * all) return sizeEdge(bin);
    }
    return Infinity;
  }

  /** Tokens with |e| beyond, to a tenth of a decade. */
  sizesBeyond(pair: Pair, size: number): number {
    const bins = this.histogram(`${pair}.size`);
    let hits = 0;
    for (let bin = 1; bin < SIZE_BINS; bin++) {
      if (sizeEdge(bin - 1) >= size * (1 - 1e-9)) hits += bins[bin];
    }
    return hits;
  }
}

/** All steps as one. Groups of different steps are different groups. */
export function wholeEvidence(tally: HealthTally): Evidence {
  const all = new StepTally();
  const steps = [...tally.steps].sort(([a], [b]) => (a ?? -1) - (b ?? -1));
  const several = steps.length > 1;
  for (const [step, part] of steps) {
    if (!several) {
      all.merge(part);
      continue;
    }
    const renamed = Object.assign(new StepTally(), part);
    renamed.groups = new Map(
      [...part.groups].map(([group, sums]) => [`${step ?? ''}\u0000${group}`, sums]),
    );
    all.merge(renamed);
  }
  return new Evidence(all, tally.bands);
}
