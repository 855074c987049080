import { describe, expect, it } from 'vitest';
import { calibrateSamples, calibrateScenario, isCalibrated } from './calibrate';
import { CoverageTally, wilson } from './coverage';
import { SCENARIOS, type Scenario } from './scenarios';

const SLOW = 120_000;

const scenario = (name: string): Scenario => {
  const found = SCENARIOS.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no scenario "${name}"`);
  return found;
};

/** What CI can afford of `npm run calibrate`: enough to see intervals that are a third too narrow. */
describe('calibration, small', () => {
  it(
    'covers the truth on clean data, and does not call it dependent',
    { timeout: SLOW },
    async () => {
      const { coverage, verdicts } = await calibrateScenario(scenario('clean'), 8);
      const intervals = coverage.reduce((sum, c) => sum + c.replications, 0);
      const hits = coverage.reduce((sum, c) => sum + c.coverage * c.replications, 0);
      expect(coverage.length).toBeGreaterThan(15);
      // about 170 intervals, correlated within a replication; 95 % of them are due
      expect(hits / intervals).toBeGreaterThan(0.86);
      for (const c of coverage) {
        // recovered: the mean is within what 8 replications can tell
        expect(
          Math.abs(c.meanEstimate - c.truth),
          `${c.estimator}: ${c.meanEstimate} for ${c.truth}`,
        ).toBeLessThan(5 * c.meanError + 0.02 * Math.abs(c.truth));
      }
      expect(verdicts.share('dependence, as a whole', 'fails')).toBeLessThan(0.6);
    },
  );

  it('always calls planted dependence by its name', { timeout: SLOW }, async () => {
    const autoregressive = await calibrateScenario(scenario('AR(1) 0.5'), 5);
    expect(autoregressive.verdicts.share('dependence.autocorrelation', 'fails')).toBe(1);
    expect(autoregressive.verdicts.share('dependence, as a whole', 'fails')).toBe(1);
    const prompts = await calibrateScenario(scenario('prompt effects'), 5);
    expect(prompts.verdicts.share('dependence.icc', 'fails')).toBe(1);
    expect(prompts.verdicts.share('dependence, as a whole', 'fails')).toBe(1);
  });

  it('covers Pareto shapes and correlations', { timeout: SLOW }, () => {
    const { coverage } = calibrateSamples(40);
    expect(coverage).toHaveLength(5);
    for (const c of coverage) {
      expect(c.coverage, c.estimator).toBeGreaterThan(0.82);
      expect(Math.abs(c.meanEstimate - c.truth), c.estimator).toBeLessThan(0.05);
    }
  });
});

describe('coverage tallies', () => {
  it('count hits and misses on either side', () => {
    const tally = new CoverageTally();
    const add = (low: number, high: number) =>
      tally.add({ estimator: 'x', truth: 0, estimate: (low + high) / 2, interval: [low, high] });
    add(-1, 1);
    add(-2, 1);
    add(1, 2);
    add(-2, -1);
    tally.add({ estimator: 'x', truth: 0, estimate: NaN, interval: null });
    expect(tally.summary()).toMatchObject([
      { estimator: 'x', replications: 4, without: 1, coverage: 0.5, above: 0.25, below: 0.25 },
    ]);
  });

  it('call 60 % coverage off, and 95 % right', () => {
    const of = (hits: number, n: number) => ({
      estimator: 'x',
      truth: 0,
      replications: n,
      without: 0,
      meanEstimate: 0,
      meanError: 0,
      coverage: hits / n,
      coverageInterval: wilson(hits, n),
      above: 0,
      below: 0,
    });
    expect(isCalibrated(of(240, 400))).toBe('no');
    expect(isCalibrated(of(380, 400))).toBe('yes');
    expect(isCalibrated(of(370, 400))).toBe('unclear');
    // Wilson's interval for 8 of 10, from tables
    expect(wilson(8, 10)[0]).toBeCloseTo(0.4902, 3);
    expect(wilson(8, 10)[1]).toBeCloseTo(0.9433, 3);
  });
});
