import { describe, expect, it } from 'vitest';
import { calibrateScenario, looksOf, SCENARIOS, wilson, type Scenario } from './calibrate';

const SLOW = 120_000;

const scenario = (name: string): Scenario => {
  const found = SCENARIOS.find((own) => own.name === name);
  if (!found) throw new Error(`no scenario "${name}"`);
  return found;
};

/** What the check affords of `npm run calibrate`: enough to see rules that are off by much. */
describe('calibration, small', () => {
  it(
    'cries wolf on no page of a clean spiky run that is looked at again and again',
    { timeout: SLOW },
    async () => {
      const own = { ...scenario('clean, spiky, default'), step: 1.5 };
      const { pages, claims, replications } = await calibrateScenario(own, 12);
      // 5 % are allowed for: two or more in 12 have a chance of 12 %, three of 2 %
      expect(pages.variance.falseFails).toBeLessThan(3);
      expect(pages.dependence.falseFails).toBeLessThan(3);
      const covered = claims.reduce((sum, claim) => sum + claim.covered, 0);
      expect(covered / (claims.length * replications)).toBeGreaterThan(0.85);
    },
  );

  it(
    'does not call the margin itself equivalence, and calls a null effect so',
    { timeout: SLOW },
    async () => {
      const edge = { ...scenario('at the margin, ledger'), step: Infinity };
      const plan = { ...edge.plan, prompts: 300 };
      const { claims, ledger } = await calibrateScenario({ ...edge, plan }, 4);
      const of = (id: string) => claims.find((claim) => claim.id === id);
      expect(of('variance.token-slope')?.falseHolds).toBeLessThan(2);
      expect(of('variance.level')?.holds).toBe(4);
      expect(ledger.given).toBeGreaterThan(0);
      expect(ledger.wrong).toBeLessThan(2);
    },
  );
});

describe('looks', () => {
  it('end at the end, and start where an interval can be', () => {
    const looks = looksOf(scenario('clean, normal, default'));
    expect(looks[0]).toBe(20);
    expect(looks.at(-1)).toBe(64);
    expect(looksOf(scenario('at half the margin, default'))).toEqual([64]);
  });

  it('Wilson’s interval holds the share and stays in 0 .. 1', () => {
    expect(wilson(0, 100)[0]).toBeCloseTo(0, 10);
    expect(wilson(0, 100)[1]).toBeCloseTo(0.037, 3);
    expect(wilson(50, 100)).toEqual([expect.closeTo(0.404, 3), expect.closeTo(0.596, 3)]);
  });
});
