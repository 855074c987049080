import { describe, expect, it } from 'vitest';
import { wilson } from '../math/stats/intervals';
import { calibrateScenario } from './calibrate';
import { DEPARTURES, looksOf, PAGES, SCENARIOS, type Scenario } from './scenarios';

const scenario = (name: string): Scenario => {
  const found = SCENARIOS.find((own) => own.name === name);
  if (!found) throw new Error(`no scenario "${name}"`);
  return found;
};

describe('scenarios', () => {
  it('have names of their own, and plant the margin of every claim of two pages but the tilt and the prefixes', () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    const planted = DEPARTURES.flatMap(({ about }) => about);
    expect(new Set(planted).size).toBe(planted.length);
    const ids = [...PAGES.variance, ...PAGES.dependence].map(({ id }) => id);
    expect(ids.filter((id) => !planted.includes(id))).toEqual([
      'variance.prefix-slope',
      'dependence.law-tilt',
    ]);
  });

  it('are looked at from where an interval can be, to the end', () => {
    const looks = looksOf(scenario('clean, normal, default'));
    expect(looks).toHaveLength(9);
    expect([looks[0], looks.at(-1)]).toEqual([20, 64]);
    expect(looksOf(scenario('at half the margin: neighbours covary, normal, default'))).toEqual([
      64,
    ]);
  });
});

describe('calibration', () => {
  it('measures what is true where no closed form says it, and counts by it', async () => {
    const own = scenario('at the margin: neighbours covary, normal, ledger');
    const plan = { ...own.plan, prompts: 150 };
    const report = await calibrateScenario(
      { ...own, plan, step: Infinity, pages: ['variance'] },
      2,
      { reference: 2 },
    );
    const level = report.claims.find(({ id }) => id === 'variance.level');
    expect(level?.truth).toBeCloseTo(1.25, 1);
    expect(level?.truthError).toBeGreaterThan(0);
    expect(level?.judged).toBe(2);
    expect(report.ledger.given).toBeGreaterThan(0);
  });

  it('Wilson’s interval holds the share and stays in 0 .. 1', () => {
    expect(wilson(0, 100)[0]).toBe(0);
    expect(wilson(0, 100)[1]).toBeCloseTo(0.037, 3);
    expect(wilson(50, 100)).toEqual([expect.closeTo(0.404, 3), expect.closeTo(0.596, 3)]);
  });
});
