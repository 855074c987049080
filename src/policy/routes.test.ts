/**
 * Routes of a run on a mixture of experts: what its graph says beside the logits, sampled and scored, against a float64
 * forward pass; and flips of tables whose truth is known.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { TINY, tinyPolicy, type TinyPolicy } from '../../models/build/tiny';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { cpuKernels } from '../math/cpu-kernels';
import { expertsOf, routingFlips } from '../math/routing';
import { policiesSource } from '../rollouts/policies';
import { REPLAYED, type Rollouts } from '../rollouts/rollouts';
import { DEFAULT_POLICIES } from '../settings/run';
import { PolicyHost } from './host';
import { referenceLogProbs, type TokenRoute, type Weights64 } from './reference';
import { loadRuntime, type Runtime } from './runtime';

const MOE = { ...TINY, intermediateSize: 6, experts: { count: 8, perToken: 2 as const } };
let runtime: Runtime;
let tiny: TinyPolicy;

beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  tiny = await tinyPolicy(3, MOE);
});

async function rolloutsOf(policy: TinyPolicy, alpha: number, groupSize = 4) {
  const host = await PolicyHost.open(runtime, policy.files, policy.manifest);
  const settings = {
    ...DEFAULT_POLICIES,
    policy: 'tiny',
    old: 'a',
    new: 'b',
    alpha,
    prompts: 8,
    groupSize,
    maxLength: 20,
    maxOperators: 3,
  };
  const source = policiesSource(settings, {
    open: () => Promise.resolve({ host, kernels: cpuKernels }),
    cut: { sequencesPerBatch: 32 },
  });
  const hooks = {
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onLoad: () => undefined,
  };
  return { host, rollouts: await source.batch(0, hooks) };
}

const tablesOf = ({ tables }: Rollouts) => {
  const [before, after] = [tables?.['router.old'], tables?.['router.new']];
  if (!before || !after) throw new Error('the rollouts have no routes');
  return { before, after };
};

describe('routes of a run', () => {
  // One response to a prompt is scored whole, several behind the prompt's cache; the old policy's come from sampling.
  test.each([1, 4])('are those of a float64 forward pass, %d to a prompt', async (groupSize) => {
    const { host, rollouts } = await rolloutsOf(tiny, 1, groupSize);
    const { before, after } = tablesOf(rollouts);
    expect(before.width).toBe(2 * MOE.layers);
    const used = new Set<number>();
    for (const [id, table] of [
      ['a', before],
      ['b', after],
    ] as const) {
      const exact: Weights64 = new Map(
        [...tiny.checkpoints[id]].map(([name, { values }]) => [name, Float64Array.from(values)]),
      );
      for (let i = 0; i + 1 < rollouts.offsets.length; i += 5) {
        const [from, to] = [rollouts.offsets[i], rollouts.offsets[i + 1]] as [number, number];
        const text = rollouts.prompts[rollouts.group[i] as number] as string;
        const prompt = host.files.tokenizer.encode(text);
        const response = Array.from(rollouts.tokenIds.subarray(from, to));
        const own: TokenRoute[][] = [];
        referenceLogProbs(MOE, exact, prompt, response, { own });
        for (let t = from; t < to; t++) {
          for (let layer = 0; layer < MOE.layers; layer++) {
            const at = t * before.width + 2 * layer;
            // Nearer than rounding, either route is right.
            if ((table.values[at + 1] as number) < 1e-4) continue;
            const route = own[layer]?.[prompt.length - 1 + t - from] ?? [];
            const chosen = route.map(({ expert }) => expert).sort((x, y) => x - y);
            expect(expertsOf(table.values[at] as number)).toEqual(chosen);
            chosen.forEach((expert) => used.add(expert));
          }
        }
      }
    }
    expect(used.size).toBeGreaterThan(4);
  });

  test('flip more the farther the policies are apart, near ties first; never against themselves', async () => {
    const share = async (alpha: number) => {
      const { before, after } = tablesOf((await rolloutsOf(tiny, alpha)).rollouts);
      const found = routingFlips(before, after);
      const of = (some: (t: number) => boolean) => {
        const margins = [...found.margin].filter((_, t) => some(t));
        return margins.reduce((sum, x) => sum + x, 0) / margins.length;
      };
      return {
        total: found.shares.reduce((sum, x) => sum + x, 0),
        flipped: of((t) => found.flips[t] !== 0),
        kept: of((t) => found.flips[t] === 0),
      };
    };
    const [none, near, far] = [await share(0), await share(0.5), await share(2)];
    expect(none.total).toBe(0);
    expect(near.total).toBeGreaterThan(0);
    expect(far.total).toBeGreaterThan(near.total);
    expect(near.flipped).toBeLessThan(near.kept);
  });

  test('replayed under the other policy give the log-probs of a float64 forward pass on them', async () => {
    const { host, rollouts } = await rolloutsOf(tiny, 1);
    const replayed = rollouts.tables?.[REPLAYED]?.values ?? [];
    const exact = (id: 'a' | 'b'): Weights64 =>
      new Map(
        [...tiny.checkpoints[id]].map(([name, { values }]) => [name, Float64Array.from(values)]),
      );
    let [off, moved] = [0, 0];
    for (let i = 0; i + 1 < rollouts.offsets.length; i += 5) {
      const [from, to] = [rollouts.offsets[i], rollouts.offsets[i + 1]];
      const prompt = host.files.tokenizer.encode(rollouts.prompts[rollouts.group[i]]);
      const response = Array.from(rollouts.tokenIds.subarray(from, to));
      const own: TokenRoute[][] = [];
      referenceLogProbs(MOE, exact('a'), prompt, response, { own });
      // Whose experts are given; how they are weighed is the other policy's.
      const wanted = referenceLogProbs(MOE, exact('b'), prompt, response, { replay: own });
      wanted.forEach((x, j) => {
        off = Math.max(off, Math.abs(replayed[from + j] - x));
        moved = Math.max(moved, Math.abs(rollouts.logpNew[from + j] - x));
      });
    }
    expect(off).toBeLessThan(2e-5);
    // Routes of its own would not have passed.
    expect(moved).toBeGreaterThan(1e-3);
  });

  test('a dense policy says nothing of routes', async () => {
    const { rollouts } = await rolloutsOf(await tinyPolicy(), 1);
    expect(rollouts.tables).toBeUndefined();
  });
});

describe('flips', () => {
  test('are sets that differ, whatever the margins', () => {
    const before = { width: 4, values: [3, 0.5, 5, 0.1, 3, 0.2, 6, 0.9] };
    const after = { width: 4, values: [3, 0.1, 6, 0.1, 3, 0.2, 6, 0.1] };
    const { flips, shares, margin } = routingFlips(before, after);
    expect([...flips]).toEqual([1, 0]);
    expect([...shares]).toEqual([0, 0.5]);
    expect([...margin]).toEqual([0.1, 0.2]);
    expect(expertsOf(5)).toEqual([0, 2]);
    expect(expertsOf(2 ** 23 + 1)).toEqual([0, 23]);
    expect(() => routingFlips(before, { width: 2, values: [3, 0.1] })).toThrow('4 and 2 columns');
  });
});
