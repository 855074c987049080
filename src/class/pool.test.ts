/** The estimators on draws whose truth is known, and against values worked out elsewhere. */
import { expect, test } from 'vitest';
import { Random, STREAM } from '../math/philox';
import { exactShare, pool, type SeatEstimate } from './pool';

const PROMPTS = 40;

/** Seats that each measure the mean of PROMPTS normal numbers (truth, standard deviation 2). */
function drawn(
  seed: number,
  k: number,
  truth: number,
  off: Record<number, number> = {},
): SeatEstimate[] {
  return Array.from({ length: k }, (_, i) => {
    const random = new Random(seed, STREAM.display, i);
    const xs = Array.from(
      { length: PROMPTS },
      () => truth + (off[i + 1] ?? 0) + 2 * random.normal(),
    );
    const estimate = xs.reduce((a, b) => a + b, 0) / PROMPTS;
    const s2 = xs.reduce((sum, x) => sum + (x - estimate) ** 2, 0) / (PROMPTS - 1);
    const standardError = Math.sqrt(s2 / PROMPTS);
    return { seat: i + 1, estimate, standardError, clusters: PROMPTS, df: PROMPTS - 1 };
  });
}

test('95 % of the seats’ intervals hold the truth, and 95 % of the pooled ones; 5 % of clean classes have a seat that disagrees', () => {
  let hits = 0;
  let of = 0;
  let pooled = 0;
  let wolf = 0;
  let spread = 0;
  const classes = 400;
  for (let seed = 1; seed <= classes; seed++) {
    const found = pool(drawn(seed, 30, 0.7), 0.7);
    hits += found.covered?.hits ?? 0;
    of += found.covered?.of ?? 0;
    const [low, high] = found.pooled?.interval ?? [NaN, NaN];
    if (low <= 0.7 && 0.7 <= high) pooled++;
    if (found.seats.some(({ disagrees }) => disagrees)) wolf++;
    if ((found.spread?.p ?? 1) < 0.05) spread++;
  }
  expect(of).toBe(30 * classes);
  // standard errors of these shares: 0.2 % of 12,000 intervals, 1.1 % of 400 classes
  expect(Math.abs(hits / of - 0.95)).toBeLessThan(0.007);
  expect(Math.abs(pooled / classes - 0.95)).toBeLessThan(0.035);
  expect(wolf / classes).toBeLessThan(0.085);
  expect(wolf / classes).toBeGreaterThan(0.005);
  // standard errors of 40 prompts are themselves uncertain: somewhat more than 5 %
  expect(spread / classes).toBeLessThan(0.14);
});

test('a seat that measured something else is named, and no other', () => {
  const found = pool(drawn(4, 30, 0, { 11: 2.5 }), null);
  expect(found.against).toBe('others');
  expect(found.seats.filter(({ disagrees }) => disagrees).map(({ seat }) => seat)).toEqual([11]);
  expect(found.spread?.p).toBeLessThan(0.001);
});

test('weights are the prompts', () => {
  const seat = (number: number, estimate: number, clusters: number) => ({
    ...{ seat: number, estimate, clusters, standardError: 1, df: clusters - 1 },
  });
  const found = pool([seat(1, 0, 10), seat(2, 4, 30)], null);
  expect(found.pooled?.estimate).toBeCloseTo(3, 12);
  // variance 2 ((1/4 · 3)² + (3/4 · 1)²) = 2.25, Student's t with one degree of freedom
  expect(found.pooled?.standardError).toBeCloseTo(1.5, 12);
  expect(found.pooled?.interval[1]).toBeCloseTo(3 + 1.5 * 12.7062047, 5);
  // Q of 0 and 4 with standard errors 1: 8; its tail with one degree of freedom is 2 (1 − Φ(√8))
  expect(found.spread).toMatchObject({ q: 8, df: 1 });
  expect(found.spread?.p).toBeCloseTo(0.004677735, 8);
});

test('exact binomial intervals are those of the tables', () => {
  // Clopper-Pearson, 95 %: 28 of 30, 0 of 10, 10 of 10
  const [low, high] = exactShare(28, 30);
  expect(low).toBeCloseTo(0.7793, 4);
  expect(high).toBeCloseTo(0.9918, 4);
  expect(exactShare(0, 10)[1]).toBeCloseTo(0.3085, 4);
  expect(exactShare(10, 10)[0]).toBeCloseTo(0.6915, 4);
});

test('few seats, or without standard errors, make no claim', () => {
  expect(pool([], null)).toEqual({
    seats: [],
    against: 'others',
    covered: null,
    pooled: null,
    spread: null,
  });
  const one = { seat: 1, estimate: 1, standardError: 0, clusters: 5, df: 4 };
  expect(pool([one], 1)).toMatchObject({ covered: null, pooled: null, spread: null });
  expect(pool([{ ...one, estimate: NaN }], 1).seats).toEqual([]);
});
