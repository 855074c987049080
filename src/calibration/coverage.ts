/**
 * Tallies of a calibration: how often an interval holds the truth, how far the estimate is from it on
 * average, how often a verdict falls. Contract: plain counts; nothing here knows an estimator.
 */

/** One estimate of one replication, with the truth it should find. */
export interface Reading {
  estimator: string;
  truth: number;
  estimate: number;
  interval: [number, number] | null;
}

export interface Coverage {
  estimator: string;
  truth: number;
  /** replications that gave an interval */
  replications: number;
  /** replications that gave none */
  without: number;
  meanEstimate: number;
  /** standard error of `meanEstimate` over the replications */
  meanError: number;
  /** share of intervals that hold the truth */
  coverage: number;
  /** 95 % interval of that share (Wilson 1927) */
  coverageInterval: [number, number];
  /** shares of intervals that lie wholly above or below the truth */
  above: number;
  below: number;
}

/** Wilson's score interval for a share. */
export function wilson(hits: number, n: number, z = 1.96): [number, number] {
  if (n === 0) return [0, 1];
  const share = hits / n;
  const center = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [center - half, center + half];
}

export class CoverageTally {
  private readonly byEstimator = new Map<string, Reading[]>();

  add(reading: Reading): void {
    const known = this.byEstimator.get(reading.estimator);
    if (known) known.push(reading);
    else this.byEstimator.set(reading.estimator, [reading]);
  }

  summary(): Coverage[] {
    return [...this.byEstimator].map(([estimator, readings]) => {
      const judged = readings.filter((r) => r.interval !== null);
      const n = judged.length;
      const above = judged.filter((r) => (r.interval as [number, number])[0] > r.truth).length;
      const below = judged.filter((r) => (r.interval as [number, number])[1] < r.truth).length;
      const mean = judged.reduce((sum, r) => sum + r.estimate / n, 0);
      const squares = judged.reduce((sum, r) => sum + (r.estimate - mean) ** 2, 0);
      return {
        estimator,
        truth: (readings[0] as Reading).truth,
        replications: n,
        without: readings.length - n,
        meanEstimate: mean,
        meanError: Math.sqrt(squares / (n - 1) / n),
        coverage: (n - above - below) / n,
        coverageInterval: wilson(n - above - below, n),
        above: above / n,
        below: below / n,
      };
    });
  }
}

/** Counts of verdicts per name. */
export class VerdictTally {
  private readonly counts = new Map<string, Map<string, number>>();

  add(name: string, verdict: string): void {
    const own = this.counts.get(name) ?? new Map<string, number>();
    own.set(verdict, (own.get(verdict) ?? 0) + 1);
    this.counts.set(name, own);
  }

  /** share of `verdict` among those of `name`; NaN where none was added */
  share(name: string, verdict: string): number {
    const own = this.counts.get(name);
    if (!own) return NaN;
    const total = [...own.values()].reduce((sum, count) => sum + count, 0);
    return (own.get(verdict) ?? 0) / total;
  }

  names(): string[] {
    return [...this.counts.keys()];
  }
}
