import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import {
  addToCluster,
  ClusterBootstrap,
  joinSums,
  MIN_CLUSTERS,
  newClusterSums,
  transformed,
  type ClusterSums,
} from './clusters';
import { logVariance, meanStatistic } from './statistics';

/** m values per cluster, with a shared part of standard deviation tau. */
function sample(clusters: number, m: number, tau: number, seed = 1): ClusterSums {
  const random = new Random(seed, STREAM.synthetic);
  const sums = newClusterSums(clusters, 3);
  for (let g = 0; g < clusters; g++) {
    const shift = tau * random.normal();
    for (let j = 0; j < m; j++) {
      const x = shift + random.normal();
      addToCluster(sums, g, [1, x, x * x]);
    }
  }
  return sums;
}

const meanColumns = (sums: ClusterSums): ClusterSums => ({
  clusters: sums.clusters,
  columns: sums.columns.slice(0, 2),
});

describe('cluster bootstrap', () => {
  it('sees the dependence within clusters: the error of a mean is sqrt((tau^2 + 1/m) / G)', () => {
    const bootstrap = new ClusterBootstrap({ seed: 1, replications: 99 });
    for (const [tau, m] of [
      [0, 1],
      [0, 10],
      [1, 10],
    ] as const) {
      const { standardError } = bootstrap.estimate(
        meanColumns(sample(2000, m, tau)),
        meanStatistic,
      );
      // blocks of clusters: about 300 units, 4 % error of a standard error
      expect(standardError / Math.sqrt((tau * tau + 1 / m) / 2000)).toBeGreaterThan(0.85);
      expect(standardError / Math.sqrt((tau * tau + 1 / m) / 2000)).toBeLessThan(1.15);
    }
  });

  it('covers a variance at about its level, and far less often at a third of the width', () => {
    let hits = 0;
    let narrowHits = 0;
    const trials = 200;
    for (let r = 0; r < trials; r++) {
      const bootstrap = new ClusterBootstrap({ seed: r, replications: 199 });
      const { estimate, interval } = bootstrap.estimate(sample(60, 4, 0.5, r), logVariance);
      const [low, high] = interval as [number, number];
      const truth = Math.log(1.25);
      if (low <= truth && truth <= high) hits++;
      if (Math.abs(truth - estimate) <= (high - low) / 6) narrowHits++;
    }
    expect(hits / trials).toBeGreaterThan(0.89);
    expect(hits / trials).toBeLessThan(0.99);
    expect(narrowHits / trials).toBeLessThan(0.7);
  });

  it('repeats itself for the same seed, and not for another', () => {
    const sums = sample(40, 3, 0);
    const interval = (seed: number) =>
      new ClusterBootstrap({ seed }).estimate(sums, logVariance).interval;
    expect(interval(1)).toEqual(interval(1));
    expect(interval(1)).not.toEqual(interval(2));
  });

  it('widens with the level', () => {
    const sums = sample(50, 3, 0);
    const width = (level: number) => {
      const { interval } = new ClusterBootstrap({ seed: 1, level }).estimate(sums, logVariance);
      return (interval as [number, number])[1] - (interval as [number, number])[0];
    };
    expect(width(0.99)).toBeGreaterThan(width(0.95));
    expect(width(0.95)).toBeGreaterThan(width(0.5));
  });

  it('gives no interval from too few clusters, without spread, or where nothing is defined', () => {
    const bootstrap = new ClusterBootstrap({ seed: 1, replications: 99 });
    expect(bootstrap.estimate(sample(MIN_CLUSTERS - 1, 50, 0), logVariance).interval).toBeNull();
    const constant = newClusterSums(50, 3);
    for (let g = 0; g < 50; g++) addToCluster(constant, g, [2, 2, 2]);
    expect(bootstrap.estimate(constant, logVariance).interval).toBeNull();
    expect(bootstrap.estimate(newClusterSums(0, 3), logVariance).interval).toBeNull();
  });

  it('does not count clusters that were not observed', () => {
    const bootstrap = new ClusterBootstrap({ seed: 1 });
    const seen = sample(30, 2, 0);
    const padded = newClusterSums(60, 3);
    for (let g = 0; g < 30; g++) {
      addToCluster(
        padded,
        2 * g,
        seen.columns.map((column) => column[g] as number),
      );
    }
    expect(bootstrap.estimate(padded, logVariance)).toEqual(bootstrap.estimate(seen, logVariance));
  });

  it('carries an interval to another scale', () => {
    const log = new ClusterBootstrap({ seed: 1 }).estimate(sample(40, 3, 0), logVariance);
    const plain = transformed(log, Math.exp);
    expect(plain.estimate).toBeCloseTo(Math.exp(log.estimate), 12);
    expect(plain.interval?.[0]).toBeCloseTo(Math.exp(log.interval?.[0] as number), 12);
    expect(plain.standardError / plain.estimate).toBeCloseTo(log.standardError, 5);
  });

  it('refuses to join sums over different clusters', () => {
    expect(() => joinSums(newClusterSums(2, 1), newClusterSums(3, 1))).toThrow(
      'different clusters',
    );
  });
});
