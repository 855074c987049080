/** The check of the kernels against kernels that are wrong in one place each. */
import { describe, expect, test } from 'vitest';
import { cpuKernels } from '../math/cpu-kernels';
import type { Kernels } from '../math/kernels';
import { checkKernels, compare, deviation, disagrees } from './check';

/** The right kernels, the result of one of them changed. */
function broken<K extends 'tokenStats' | 'sequenceForms' | 'histogram'>(
  name: K,
  change: (result: Awaited<ReturnType<Kernels[K]>>) => void,
): Kernels {
  const right = cpuKernels[name] as (...input: unknown[]) => Promise<unknown>;
  return {
    ...cpuKernels,
    [name]: async (...input: unknown[]) => {
      const result = (await right(...input)) as Awaited<ReturnType<Kernels[K]>>;
      change(result);
      return result;
    },
  };
}

describe('the check of the kernels', () => {
  test('agrees with right kernels, in float64 and rounded to float32', async () => {
    expect(await checkKernels(cpuKernels)).toEqual([]);
    const rounded = broken('tokenStats', (stats) => {
      stats.logp = Float32Array.from(stats.logp);
    });
    expect(await checkKernels(rounded)).toEqual([]);
  });

  test('names what is off, and by how much', async () => {
    const entropies = await checkKernels(
      broken('tokenStats', ({ entropy }) => (entropy[4] = entropy[4] + 1e-3)),
    );
    expect(entropies.map(({ what }) => what)).toEqual([
      'entropies over 18 tokens',
      'entropies over 300 tokens',
    ]);
    expect(entropies[0]?.by).toBeGreaterThan(2e-4);
    const zeros = await checkKernels(broken('sequenceForms', ({ geometric }) => geometric.fill(0)));
    expect(zeros.map(({ what }) => what)).toEqual(['weights in the geometric form']);
    const [lost] = await checkKernels(broken('histogram', ({ counts }) => counts[3]--));
    expect(lost).toMatchObject({ what: 'histogram counts', allowed: 0 });
  });

  test('no number is as wrong as can be; the same infinity is right', () => {
    expect(deviation([NaN], [1])).toBe(Infinity);
    expect(deviation([1, 2], [1])).toBe(Infinity);
    expect(deviation([-Infinity, NaN], [-Infinity, NaN])).toBe(0);
    expect(deviation([101], [100])).toBeCloseTo(0.01, 12);
    expect(disagrees(compare('x', [1], [1.5], 0.6))).toBe(false);
    expect(disagrees({ what: 'x', by: NaN, allowed: 1 })).toBe(true);
  });
});
