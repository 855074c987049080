import { describe, expect, it } from 'vitest';
import { Random, STREAM } from './philox';
import { routingFlips, straightFlips, type RoutingTable } from './routing';

/** Two of `experts` chosen by logit, as a router has them: the set, and how far its last is above the best one spared. */
function tableOf(logits: readonly number[][]): RoutingTable {
  const values = logits.flatMap((own) => {
    const order = own.map((_, e) => e).sort((a, b) => (own[b] as number) - (own[a] as number));
    const [first, second, third] = order as [number, number, number];
    return [2 ** first + 2 ** second, (own[second] as number) - (own[third] as number)];
  });
  return { width: 2, values };
}

describe('routes along a straight line', () => {
  const random = new Random(11, STREAM.synthetic);
  const start = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 8 }, () => random.normal()),
  );
  const moved = (alpha: number, size: number) => {
    const own = new Random(12, STREAM.synthetic);
    return tableOf(start.map((row) => row.map((x) => x + alpha * size * own.normal())));
  };
  const before = moved(0, 0.05);
  const after = moved(1, 0.05);
  const count = (flips: Uint8Array) => flips.reduce((sum, x) => sum + x, 0);

  it('are none at the start, and those that turned at the end', () => {
    expect(count(straightFlips(before, after, 0))).toBe(0);
    expect(straightFlips(before, after, 1)).toEqual(routingFlips(before, after).flips);
    expect(count(straightFlips(before, after, 1))).toBeGreaterThan(500);
  });

  it('in between and beyond are those of logits that move so, but for the few whose third and fourth change places', () => {
    for (const alpha of [0.25, 0.5, 2]) {
      const truth = count(routingFlips(before, moved(alpha, 0.05)).flips);
      const foretold = count(straightFlips(before, after, alpha));
      expect(foretold / truth).toBeGreaterThan(0.93);
      expect(foretold / truth).toBeLessThan(1.07);
    }
  });
});
