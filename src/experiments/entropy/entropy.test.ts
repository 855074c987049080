/** Entropy change on tokens whose distributions are known: drawn from softmax(z), scored under softmax(z + eps delta). */
import { describe, expect, it } from 'vitest';
import { cpuKernels } from '../../math/cpu-kernels';
import { entropyChange } from '../../math/entropy-change';
import { rowStats } from '../../math/log-softmax';
import { Random, STREAM } from '../../math/philox';
import type { Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { DEFAULT_SYNTHETIC } from '../../settings/run';
import { entropy, type EntropyMeasure, type EntropyResult } from '.';

const V = 12;
const context = { kernels: cpuKernels, seed: 1 };

interface Known {
  rollouts: Rollouts;
  /** means over the tokens' places, whichever tokens were drawn */
  change: number;
  firstOrder: number;
}

/** @param heat temperature at which the tokens are drawn, whatever is reported */
function known(eps: number, { heat = 1, sharpen = 0.5 } = {}): Known {
  const random = new Random(17, STREAM.synthetic);
  const base = syntheticRollouts({
    ...DEFAULT_SYNTHETIC,
    prompts: 400,
    groupSize: 4,
    lengthShape: 'uniform',
    minLength: 4,
    maxLength: 40,
  });
  const tokens = base.logpOld.length;
  const columns = ['logpOld', 'logpNew', 'entropyOld', 'entropyNew'] as const;
  const own = Object.fromEntries(columns.map((name) => [name, new Float64Array(tokens)])) as Record<
    (typeof columns)[number],
    Float64Array
  >;
  let [change, firstOrder] = [0, 0];
  for (let t = 0; t < tokens; t++) {
    const size = 3 * random.uniform();
    const z = Array.from({ length: V }, () => size * random.normal());
    // Likely tokens become likelier, with noise: the entropy falls.
    const after = z.map((x) => x + eps * (sharpen * x + random.normal()));
    const draw = z.map((x) => x / heat - Math.log(-Math.log(random.uniform())));
    const y = draw.indexOf(Math.max(...draw));
    const [p, q] = [rowStats(z, 0, V, y), rowStats(after, 0, V, y)];
    own.logpOld[t] = p.logp;
    own.logpNew[t] = q.logp;
    own.entropyOld[t] = p.entropy;
    own.entropyNew[t] = q.entropy;
    const exact = entropyChange(z, after);
    change += exact.change / tokens;
    firstOrder += exact.firstOrder / tokens;
  }
  return { rollouts: { ...base, ...own }, change, firstOrder };
}

const run = (rollouts: Rollouts) => entropy.run(rollouts, entropy.defaults, context);
const verdicts = ({ claims }: EntropyResult) =>
  Object.fromEntries(claims.map(({ id, verdict }) => [id, verdict]));
function measured({ measure }: EntropyResult): EntropyMeasure {
  if (!measure) throw new Error('nothing was measured');
  return measure;
}

describe('entropy', () => {
  it('finds the change and its first order where both are known, and a near pair keeps all claims', async () => {
    const { rollouts, change, firstOrder } = known(0.02);
    const result = await run(rollouts);
    expect(verdicts(result)).toEqual({
      'entropy.first-order': 'holds',
      'entropy.cross-entropy': 'holds',
      'entropy.surprise': expect.stringMatching(/holds|undecided/) as string,
    });
    const { all, byEntropy, byLength, byResponse, quotient } = measured(result);
    expect(all.change.estimate).toBeCloseTo(change, 6);
    const [low, high] = all.covariance.interval as [number, number];
    expect(low).toBeLessThan(firstOrder);
    expect(high).toBeGreaterThan(firstOrder);
    expect(Math.abs(quotient.estimate - change / firstOrder)).toBeLessThan(0.1);
    for (const bins of [byEntropy, byLength, byResponse]) {
      expect(bins.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(rollouts.logpOld.length);
      // dH is of second order: far from the entropy's change where that is large.
      const inside = bins.filter(({ change: own, covariance: { interval } }) => {
        const [from, to] = interval as [number, number];
        return from <= own.estimate && own.estimate <= to;
      });
      expect(inside.length).toBeGreaterThanOrEqual(bins.length - 1);
    }
    expect(Math.abs(all.crossEntropy.estimate)).toBeLessThan(Math.abs(change) / 5);
  });

  it('a long step is not of first order', async () => {
    const { rollouts, change, firstOrder } = known(2, { sharpen: 0 });
    expect(change / firstOrder < 0.8 || change / firstOrder > 1.25).toBe(true);
    const result = await run(rollouts);
    expect(verdicts(result)['entropy.first-order']).not.toBe('holds');
    expect(verdicts(result)['entropy.cross-entropy']).toBe('fails');
  });

  it('another temperature at sampling shows in the surprise', async () => {
    const result = await run(known(0.05, { heat: 0.7 }).rollouts);
    expect(verdicts(result)['entropy.surprise']).toBe('fails');
  });

  it('without entropies there is nothing to measure', async () => {
    const { rollouts } = known(0.05);
    const { entropyOld, ...rest } = rollouts;
    expect(entropyOld).toBeDefined();
    const result = await run(rest);
    expect(result.measure).toBeNull();
    expect(new Set(Object.values(verdicts(result)))).toEqual(new Set(['not applicable']));
  });
});
