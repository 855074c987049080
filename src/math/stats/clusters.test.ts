import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { addToCluster, joinSums, newClusterSums, observed } from './clusters';
import { PromptIntervals, transformed } from './intervals';
import { MIN_PROMPTS } from './jackknife';
import { logVariance, meanStatistic } from './statistics';

/** (n, sum, squares) of m responses to each of G prompts, prompts shifted by tau. */
function sample(seed: number, clusters: number, m: number, tau: number) {
  const random = new Random(seed, STREAM.synthetic, 11);
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

describe('estimates over prompts', () => {
  it('see the dependence within prompts: the error of a mean is sqrt((tau^2 + 1/m) / G)', () => {
    const [clusters, m, tau] = [400, 8, 0.7];
    const { standardError } = new PromptIntervals().estimate(
      sample(1, clusters, m, tau),
      meanStatistic,
    );
    const truth = Math.sqrt((tau * tau + 1 / m) / clusters);
    expect(standardError / truth).toBeGreaterThan(0.85);
    expect(standardError / truth).toBeLessThan(1.15);
  });

  it('hold a variance at least as often as they say', () => {
    let missed = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { interval } = new PromptIntervals().estimate(sample(seed, 40, 4, 0), logVariance);
      if (interval === null || interval[0] > 0 || interval[1] < 0) missed++;
    }
    // time-uniform: far fewer than 5 % at one look
    expect(missed).toBeLessThan(4);
  });

  it('are the same every time, and narrower where the run is planned as long as it is', () => {
    const sums = sample(3, 100, 4, 0.2);
    const of = (planned?: number) => new PromptIntervals({ planned }).estimate(sums, meanStatistic);
    expect(of(100)).toEqual(of());
    const width = ([low, high]: [number, number]) => high - low;
    expect(width(of(400).interval as [number, number])).toBeLessThan(
      width(of(100_000).interval as [number, number]),
    );
  });

  it('carry no interval on few prompts, and none without spread', () => {
    const few = new PromptIntervals().estimate(sample(4, MIN_PROMPTS - 1, 4, 0), meanStatistic);
    expect(few.interval).toBeNull();
    const flat = newClusterSums(50, 2);
    flat.columns[0]?.fill(1);
    expect(new PromptIntervals().estimate(flat, meanStatistic)).toMatchObject({
      estimate: 0,
      interval: null,
    });
  });

  it('go to another scale, ends and all', () => {
    const plain = new PromptIntervals().estimate(sample(5, 60, 4, 0), logVariance);
    const back = transformed(plain, Math.exp);
    expect(back.estimate).toBeCloseTo(Math.exp(plain.estimate), 12);
    expect(back.interval?.map(Math.log)).toEqual(
      plain.interval?.map((end) => expect.closeTo(end, 9) as number),
    );
  });

  it('join sums side by side, and leave out prompts that were not seen', () => {
    const sums = newClusterSums(3, 1);
    addToCluster(sums, 1, [5]);
    expect(joinSums(sums, sums).columns).toHaveLength(2);
    expect(observed(sums)).toEqual({ clusters: 1, columns: [Float64Array.of(5)] });
    expect(() => joinSums(sums, newClusterSums(2, 1))).toThrow(RangeError);
  });
});
