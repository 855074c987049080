import { describe, expect, it } from 'vitest';
import { CoverageTally, VerdictTally } from './coverage';
import { chanceInBand, summarise } from './summary';

/** `hits` of 400 intervals hold the truth. */
function report(scenario: string, hits: Record<string, number>) {
  const tally = new CoverageTally();
  for (const [estimator, count] of Object.entries(hits)) {
    for (let r = 0; r < 400; r++) {
      const interval: [number, number] = r < count ? [-1, 1] : [1, 2];
      tally.add({ estimator, truth: 0, estimate: 0, interval });
    }
  }
  return { scenario, coverage: tally.summary(), verdicts: new VerdictTally() };
}

describe('a calibration as a whole', () => {
  it('names what misses the band, by how much, and whether chance may do that', () => {
    const summary = summarise([
      report('clean', { good: 380, low: 368, lower: 340, high: 396 }),
      report('other', { good: 372 }),
    ]);
    expect(summary).toMatchObject({ estimators: 5, inBand: 2 });
    expect(summary.meanCoverage).toBeCloseTo((380 + 368 + 340 + 396 + 372) / 2000, 12);
    expect(summary.misses).toMatchObject([
      { scenario: 'clean', estimator: 'low', coverage: 0.92, beyondChance: false },
      { estimator: 'lower', coverage: 0.85, beyondChance: true },
      { estimator: 'high', coverage: 0.99, beyondChance: true },
    ]);
    const by = summary.misses.map((miss) => miss.by);
    [-0.01, -0.08, 0.02].forEach((expected, i) => expect(by[i]).toBeCloseTo(expected, 12));
  });

  it('knows how many miss by chance', () => {
    // 2 replications: only both or neither can hit, and 0.95^2 + ... lies outside 93-97 %
    expect(chanceInBand(2, 0.95)).toBe(0);
    // 20 replications: only 19 hits lie inside
    expect(chanceInBand(20, 0.95)).toBeCloseTo(20 * 0.95 ** 19 * 0.05, 12);
    expect(chanceInBand(400, 0.95)).toBeGreaterThan(0.94);
    expect(chanceInBand(400, 0.95)).toBeLessThan(0.96);
    expect(summarise([report('clean', { a: 380, b: 380 })]).missesByChance).toBeCloseTo(
      2 * (1 - chanceInBand(400, 0.95)),
      12,
    );
  });
});
