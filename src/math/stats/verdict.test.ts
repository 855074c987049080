import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tuningOf, type Measured } from './anytime';
import { eBenjaminiHochberg, evidenceOf, judge, shareOfPage } from './verdict';

const r = tuningOf(200);
const MARGIN = { low: -0.2, high: 0.2 };
const at = (estimate: number, standardError: number): Measured => ({
  estimate,
  standardError,
  clusters: 200,
  df: 199,
});
const verdict = (estimate: number, standardError: number) =>
  judge(at(estimate, standardError), 0, MARGIN, r, 0.05);

describe('verdicts', () => {
  it('hold, fail, depart or stay open by where the whole interval lies', () => {
    expect(verdict(0.01, 0.03)).toMatchObject({ verdict: 'holds', detected: false });
    expect(verdict(0.1, 0.02)).toMatchObject({ verdict: 'holds', detected: true });
    expect(verdict(0.5, 0.05)).toMatchObject({ verdict: 'fails' });
    expect(verdict(0.19, 0.03)).toMatchObject({ verdict: 'departs', detected: true });
    expect(verdict(0.1, 0.2)).toMatchObject({ verdict: 'undecided', detected: false });
    expect(verdict(0.1, NaN)).toMatchObject({ verdict: 'undecided', interval: null });
  });

  it('never call a departure of the margin itself equivalence, however narrow the interval', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1, noNaN: true }), (se) => {
        expect(['holds', 'fails']).not.toContain(verdict(0.2, se).verdict);
      }),
    );
  });

  it('say with how many prompts an open question is settled, and are right about it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -0.6, max: 0.6, noNaN: true }),
        fc.double({ min: 0.02, max: 0.3, noNaN: true }),
        (estimate, se) => {
          const own = at(estimate, se);
          const { verdict: now, settledBy } = judge(own, 0, MARGIN, r, 0.05);
          if ((now !== 'undecided' && now !== 'departs') || settledBy === null) return;
          expect(settledBy).toBeGreaterThan(own.clusters);
          const then: Measured = {
            estimate,
            standardError: se * Math.sqrt(own.clusters / (settledBy * 1.01)),
            clusters: settledBy * 1.01,
            df: (own.df * settledBy) / own.clusters,
          };
          expect(['holds', 'fails']).toContain(judge(then, 0, MARGIN, r, 0.05).verdict);
        },
      ),
    );
  });

  it('are what their evidence says: 1 / alpha or more', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -0.6, max: 0.6, noNaN: true }),
        fc.double({ min: 0.01, max: 0.3, noNaN: true }),
        (estimate, se) => {
          const own = at(estimate, se);
          const { holds, fails } = evidenceOf(own, MARGIN, r);
          const decided = judge(own, 0, MARGIN, r, 0.05).verdict;
          // beyond rounding at the very edge
          fc.pre(
            Math.abs(holds + Math.log(0.05)) > 1e-6 && Math.abs(fails + Math.log(0.05)) > 1e-6,
          );
          expect(decided === 'holds').toBe(holds > -Math.log(0.05));
          expect(decided === 'fails').toBe(fails > -Math.log(0.05));
        },
      ),
    );
  });

  it('take a bound as a margin that is open on one side', () => {
    const bound = { low: -Infinity, high: 0.99 };
    const judged = (estimate: number) => judge(at(estimate, 0.02), null, bound, r, 0.05).verdict;
    expect(judged(0.3)).toBe('holds');
    expect(judged(1.2)).toBe('fails');
    expect(judged(0.98)).toBe('undecided');
  });
});

describe('many claims at once', () => {
  it('a page shares its 5 % evenly', () => {
    expect(shareOfPage(5)).toBeCloseTo(0.01, 12);
    expect(shareOfPage(0)).toBe(0.05);
  });

  it('e-BH gives as many verdicts as the evidence carries', () => {
    // 4 claims at 5 %: the first needs e >= 80, two need 40 each, three 26.7, four 20
    const give = (...e: number[]) => eBenjaminiHochberg(e.map(Math.log)).given;
    expect(give(79, 1, 1, 1)).toBe(0);
    expect(give(81, 1, 1, 1)).toBe(1);
    expect(give(41, 1, 41, 1)).toBe(2);
    expect(give(39, 1, 39, 1)).toBe(0);
    expect(give(21, 21, 21, 21)).toBe(4);
    expect(eBenjaminiHochberg([]).given).toBe(0);
    expect(eBenjaminiHochberg([Math.log(41), 0, Math.log(41), 0]).alpha).toBeCloseTo(0.025, 12);
  });
});
