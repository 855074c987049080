import { expect, it } from 'vitest';
import { peeking } from './peeking';

it('of clean runs, looked at again and again, fixed-n intervals cry wolf in many and time-uniform ones in few', () => {
  const { runs, looks, wrong, shown } = peeking(100);
  expect(wrong.fixed / runs).toBeGreaterThan(0.15);
  // 5 % are allowed for, and two standard errors of 100 runs
  expect(wrong.anytime / runs).toBeLessThan(0.1);
  expect(shown).toHaveLength(looks);
  expect(shown.some(({ fixed: [low, high] }) => low > 0 || high < 0)).toBe(true);
  expect(shown.at(-1)?.prompts).toBe(256);
  expect(peeking(2)).toEqual(peeking(2));
});
