/** The change of a softmax's entropy: known truth softmax(z) and softmax(z + eps delta). */
import { describe, expect, test } from 'vitest';
import { entropyChange, firstOrderBySample } from './entropy-change';
import { rowStats } from './log-softmax';
import { Random, STREAM } from './philox';

const random = new Random(5, STREAM.synthetic);
const normals = (n: number, scale = 1) => Array.from({ length: n }, () => scale * random.normal());
const CASES = [2, 5, 20, 200].map((n) => ({ n, z: normals(n, 3), delta: normals(n) }));
const moved = (z: number[], delta: number[], eps: number) => z.map((x, v) => x + eps * delta[v]);

describe('the first-order change of an entropy', () => {
  test.each(CASES)('$n tokens: what it leaves out falls like the square of the step', (one) => {
    const left = (eps: number) => {
      const { change, firstOrder } = entropyChange(one.z, moved(one.z, one.delta, eps));
      return Math.abs(change - firstOrder);
    };
    const { change } = entropyChange(one.z, moved(one.z, one.delta, 1e-3));
    expect(left(1e-3)).toBeLessThan(0.05 * Math.abs(change) + 1e-5);
    // Ten times smaller, a hundred times less; four digits of it are left in float64.
    expect(left(1e-2) / left(1e-3)).toBeGreaterThan(80);
    expect(left(1e-2) / left(1e-3)).toBeLessThan(125);
  });

  test.each(CASES)('$n tokens: the change is that of the kernel’s entropies', ({ n, z, delta }) => {
    const after = moved(z, delta, 0.7);
    const { change } = entropyChange(z, after);
    const entropy = (logits: number[]) => rowStats(logits, 0, n, 0).entropy;
    expect(change).toBeCloseTo(entropy(after) - entropy(z), 11);
  });

  test.each(CASES)('$n tokens: one token estimates it without bias', ({ n, z, delta }) => {
    const after = moved(z, delta, 0.7);
    let mean = 0;
    for (let v = 0; v < n; v++) {
      const p = rowStats(z, 0, n, v);
      const q = rowStats(after, 0, n, v);
      mean += Math.exp(p.logp) * firstOrderBySample(p.logp, p.entropy, q.logp - p.logp);
    }
    expect(mean).toBeCloseTo(entropyChange(z, after).firstOrder, 11);
  });

  test('a constant added to all logits is no change; nor is any step from a uniform one, to first order', () => {
    const [{ z, delta }] = CASES.slice(2) as [(typeof CASES)[number]];
    const shifted = entropyChange(
      z,
      z.map((x) => x + 3),
    );
    expect(shifted.change).toBeCloseTo(0, 12);
    expect(shifted.firstOrder).toBeCloseTo(0, 12);
    const flat = z.map(() => 1);
    const { change, firstOrder } = entropyChange(flat, moved(flat, delta, 0.1));
    expect(firstOrder).toBeCloseTo(0, 12);
    expect(change).toBeLessThan(-1e-4);
  });

  test('a token that is never drawn has no part in it', () => {
    const { z, delta } = CASES[1] as (typeof CASES)[number];
    const after = moved(z, delta, 0.5);
    const some = entropyChange(z, after);
    const more = entropyChange([...z, -Infinity], [...after, -Infinity]);
    expect(more.change).toBeCloseTo(some.change, 12);
    expect(more.firstOrder).toBeCloseTo(some.firstOrder, 12);
  });

  test('sharpening lowers the entropy, and the first order says so', () => {
    const { z } = CASES[2] as (typeof CASES)[number];
    const { change, firstOrder } = entropyChange(
      z,
      z.map((x) => 1.05 * x),
    );
    expect(change).toBeLessThan(0);
    expect(firstOrder).toBeLessThan(0);
  });
});
