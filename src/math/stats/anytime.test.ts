import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import {
  anytimeInterval,
  criticalZ,
  fixedInterval,
  halfWidth,
  logEvidence,
  type Measured,
  promptsFor,
  tuning,
  tuningOf,
} from './anytime';
import { peeking } from './peeking';

const measured = fc.record({
  estimate: fc.double({ min: -3, max: 3, noNaN: true }),
  standardError: fc.double({ min: 1e-3, max: 2, noNaN: true }),
  clusters: fc.integer({ min: 20, max: 5000 }),
  df: fc.double({ min: 3, max: 400, noNaN: true }),
});
const alpha = fc.double({ min: 1e-4, max: 0.2, noNaN: true });

describe('confidence sequences', () => {
  it('exclude exactly what has evidence of 1 / alpha against it', () => {
    fc.assert(
      fc.property(measured, alpha, (own: Measured, level) => {
        const r = tuningOf(200);
        const [low, high] = anytimeInterval(own, r, level) as [number, number];
        for (const end of [low, high]) {
          expect(logEvidence(own, end, r)).toBeCloseTo(-Math.log(level), 5);
        }
        expect(logEvidence(own, own.estimate, r)).toBeLessThan(0);
        expect(logEvidence(own, high + own.standardError, r)).toBeGreaterThan(-Math.log(level));
      }),
    );
  });

  it('are narrowest, in standard errors, at the number of prompts that they are tuned to', () => {
    const r = tuning(160);
    const at = (n: number) => criticalZ(n, r, 0.05);
    expect(at(160)).toBeLessThan(at(40));
    expect(at(160)).toBeLessThan(at(1600));
    expect(at(160)).toBeCloseTo(3.035, 3);
  });

  it('say which number of prompts gives a wanted width', () => {
    fc.assert(
      fc.property(
        measured,
        alpha,
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        (own, level, share) => {
          const r = tuningOf(100);
          const wanted = halfWidth(own, r, level) * share;
          const n = promptsFor(own, wanted, r, level);
          if (n === null) return;
          const then = {
            ...own,
            clusters: n,
            standardError: own.standardError * Math.sqrt(own.clusters / n),
            df: (own.df * n) / own.clusters,
          };
          expect(halfWidth(then, r, level) / wanted).toBeLessThan(1.001);
          expect(n).toBeGreaterThan(own.clusters);
        },
      ),
    );
  });

  it('cry wolf in few growing runs where fixed-n intervals do in many', () => {
    const runs = 300;
    let fixed = 0;
    let anytime = 0;
    for (let run = 0; run < runs; run++) {
      const random = new Random(run, STREAM.synthetic, 7);
      let sum = 0;
      let squares = 0;
      const seen = { fixed: false, anytime: false };
      for (let n = 1; n <= 400; n++) {
        const x = random.normal();
        sum += x;
        squares += x * x;
        if (n < 20 || n % 4 !== 0) continue;
        const mean = sum / n;
        const own: Measured = {
          estimate: mean,
          standardError: Math.sqrt((squares / n - mean * mean) / (n - 1)),
          clusters: n,
          // normal: Student's t is tried above
          df: Infinity,
        };
        const misses = ([low, high]: [number, number]) => low > 0 || high < 0;
        if (misses(fixedInterval(own, 0.05) as [number, number])) seen.fixed = true;
        if (misses(anytimeInterval(own, tuningOf(400), 0.05) as [number, number])) {
          seen.anytime = true;
        }
      }
      if (seen.fixed) fixed++;
      if (seen.anytime) anytime++;
    }
    expect(fixed / runs).toBeGreaterThan(0.25);
    // 5 % are allowed for; three standard errors of 300 runs above that
    expect(anytime / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
  });

  it('give no interval without a standard error', () => {
    const none = { estimate: 1, standardError: NaN, clusters: 5, df: NaN };
    expect(anytimeInterval(none, 0.1, 0.05)).toBeNull();
    expect(fixedInterval(none, 0.05)).toBeNull();
    expect(logEvidence(none, 0, 0.1)).toBe(0);
    expect(promptsFor(none, 0.1, 0.1, 0.05)).toBeNull();
  });
});

it('of clean runs, looked at again and again, fixed-n intervals cry wolf in many and time-uniform ones in few', () => {
  const { runs, looks, wrong, shown } = peeking();
  expect(wrong.fixed / runs).toBeGreaterThan(0.15);
  // 5 % are allowed for, and two standard errors of 100 runs
  expect(wrong.anytime / runs).toBeLessThan(0.1);
  expect(shown).toHaveLength(looks);
  expect(shown.some(({ fixed: [low, high] }) => low > 0 || high < 0)).toBe(true);
  expect(shown.at(-1)?.prompts).toBe(256);
  expect(peeking(1, 2)).toEqual(peeking(1, 2));
  expect(peeking(1, 2).from).toBe(3);
  expect(peeking(1, 2).shown).not.toEqual(peeking(0, 2).shown);
});
