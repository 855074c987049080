import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuKernels } from '../../math/cpu-kernels';
import type { Kernels, SequenceForms } from '../../math/kernels';
import { Random, STREAM } from '../../math/philox';
import { emptyRollouts, type Rollouts } from '../../rollouts/rollouts';
import { equivalence } from '.';
import { FORMS } from './measure';

const context = { kernels: cpuKernels, seed: 1 };

/** Responses of given lengths with exponential surprisals and small log-ratios. */
function policyLike(lengths: readonly number[], seed = 1, perPrompt = 4): Rollouts {
  const random = new Random(seed, STREAM.synthetic);
  const n = lengths.length;
  const offsets = Uint32Array.from([0, ...lengths]);
  for (let i = 1; i <= n; i++) offsets[i] = offsets[i] + offsets[i - 1];
  const tokens = offsets[n];
  const logpOld = Float32Array.from({ length: tokens }, () => Math.log(random.uniform()) - 0.5);
  return {
    ...emptyRollouts(),
    offsets,
    tokenIds: new Int32Array(tokens).fill(-1),
    logpOld,
    logpNew: logpOld.map((x) => x + 0.1 * random.normal()),
    group: Uint32Array.from({ length: n }, (_, i) => Math.floor(i / perPrompt)),
    reward: new Float64Array(n),
    advantage: new Float64Array(n),
    finished: new Uint8Array(n).fill(1),
    prompts: Array.from({ length: Math.ceil(n / perPrompt) }, (_, g) => `prompt ${g}`),
  };
}

/** A backend whose perplexity route is wrong by a factor: the claim must be able to fail. */
function withWrongPerplexity(factor: number): Kernels {
  return {
    ...cpuKernels,
    sequenceForms: async (...args): Promise<SequenceForms> => {
      const forms = await cpuKernels.sequenceForms(...args);
      return { ...forms, perplexity: Float64Array.from(forms.perplexity, (x) => x * factor) };
    },
  };
}

const claim = (result: { claims: { id: string }[] }, id: string) =>
  result.claims.find((c) => c.id === id);

describe('equivalence', () => {
  it('finds one number in three forms, for any lengths', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 20, maxLength: 40 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        async (lengths, seed) => {
          const result = await equivalence.run(
            policyLike(lengths, seed),
            equivalence.defaults,
            context,
          );
          for (const form of FORMS) {
            const { counts, underflow, overflow, notFinite } = result.histograms[form];
            const inside = counts.reduce((sum, count) => sum + count, 0);
            expect(inside + underflow + overflow + notFinite).toBe(lengths.length);
            expect(underflow + overflow).toBeLessThanOrEqual(1 + 0.02 * lengths.length);
            expect(claim(result, `equivalence.${form}`)).toMatchObject({ verdict: 'holds' });
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('says which form is off, by how much, and where', async () => {
    const result = await equivalence.run(
      policyLike(Array.from({ length: 40 }, () => 20)),
      equivalence.defaults,
      { ...context, kernels: withWrongPerplexity(1 + 1e-9) },
    );
    expect(claim(result, 'equivalence.perplexity')).toMatchObject({ verdict: 'fails' });
    expect(claim(result, 'equivalence.geometric')).toMatchObject({ verdict: 'holds' });
    const deviation = result.deviations.find((d) => d.form === 'perplexity');
    expect(deviation?.max).toBeCloseTo(1e-9, 12);
    expect(deviation?.quantiles.p50).toBeCloseTo(1e-9, 12);
  });

  it('calls a form that is no number a failure', async () => {
    const result = await equivalence.run(
      policyLike(Array.from({ length: 40 }, () => 20)),
      equivalence.defaults,
      { ...context, kernels: withWrongPerplexity(NaN) },
    );
    expect(claim(result, 'equivalence.perplexity')).toMatchObject({
      verdict: 'fails',
      measured: Infinity,
    });
    expect(result.histograms.perplexity.notFinite).toBe(40);
  });

  it('says nothing of responses whose log-probs are no numbers, and never that they hold', async () => {
    const rollouts = policyLike(Array.from({ length: 40 }, () => 20));
    for (const broken of [1, 40]) {
      const logpNew = Float32Array.from(rollouts.logpNew);
      for (let i = 0; i < broken; i++) logpNew[20 * i + 3] = NaN;
      const result = await equivalence.run({ ...rollouts, logpNew }, equivalence.defaults, context);
      for (const form of ['geometric', 'perplexity', 'entropy']) {
        expect(claim(result, `equivalence.${form}`)).toMatchObject({
          verdict: 'not applicable',
          note: expect.stringContaining(`${broken} of 40 responses is not finite`),
        });
      }
    }
  });

  it('withholds judgement on few sequences and on none', async () => {
    const few = await equivalence.run(policyLike([3, 5, 8]), equivalence.defaults, context);
    // an identity needs no number of responses; a correlation needs prompts
    expect(claim(few, 'equivalence.geometric')).toMatchObject({ verdict: 'holds', n: 3 });
    expect(claim(few, 'equivalence.shannon')).not.toMatchObject({ verdict: 'holds' });
    const none = await equivalence.run(emptyRollouts(), equivalence.defaults, context);
    expect(none.claims.every((c) => c.verdict === 'not applicable')).toBe(true);
    expect(none.sequences).toBe(0);
  });

  it('shows where the naive float32 product is lost: long responses, not short ones', async () => {
    const lengths = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 10 : 200));
    const { underflow } = await equivalence.run(policyLike(lengths), equivalence.defaults, context);
    expect(underflow.map((bin) => bin.sequences)).toEqual([100, 100]);
    expect(underflow[0]).toMatchObject({ minLength: 10, lost: 0 });
    // 200 tokens at 1.5 nats are e^-300, far below float32
    expect(underflow[1]).toMatchObject({ maxLength: 200, lost: 100 });
  });

  it('puts the rounding noise of identical policies in one bin', async () => {
    const rollouts = policyLike(Array.from({ length: 50 }, () => 20));
    const result = await equivalence.run(
      { ...rollouts, logpNew: rollouts.logpOld },
      equivalence.defaults,
      context,
    );
    for (const form of FORMS) expect(Math.max(...result.histograms[form].counts)).toBe(50);
  });

  it('tells dH from the Shannon-entropy change, and does not when they are one', async () => {
    const rollouts = policyLike(Array.from({ length: 200 }, (_, i) => 5 + (i % 7)));
    const random = new Random(9, STREAM.synthetic);
    const entropyOld = rollouts.logpOld.map(() => 1 + random.uniform());
    const unrelated = {
      ...rollouts,
      entropyOld,
      entropyNew: entropyOld.map((h) => h + 0.01 * random.normal()),
    };
    const apart = await equivalence.run(unrelated, equivalence.defaults, context);
    expect(Math.abs(apart.shannonCorrelation as number)).toBeLessThan(0.3);
    expect(claim(apart, 'equivalence.shannon')).toMatchObject({ verdict: 'holds' });

    const same = {
      ...rollouts,
      entropyOld: rollouts.logpOld.map((x) => -x),
      // a pinch of noise: r = 1 exactly has no interval
      entropyNew: rollouts.logpNew.map((x) => -x + 1e-3 * random.normal()),
    };
    const one = await equivalence.run(same, equivalence.defaults, context);
    expect(one.shannonCorrelation).toBeGreaterThan(0.99);
    expect(claim(one, 'equivalence.shannon')).toMatchObject({ verdict: 'fails' });

    const unknown = await equivalence.run(rollouts, equivalence.defaults, context);
    expect(unknown.shannonCorrelation).toBeNull();
    expect(claim(unknown, 'equivalence.shannon')).toMatchObject({ verdict: 'not applicable' });
  });

  it('thins the points deterministically and keeps them while a run grows', async () => {
    const lengths = Array.from({ length: 6000 }, () => 2);
    const rollouts = policyLike(lengths);
    const first = await equivalence.run(rollouts, equivalence.defaults, context);
    const again = await equivalence.run(rollouts, equivalence.defaults, context);
    expect(first.points).toEqual(again.points);
    expect(first.points).toHaveLength(4000);
    const grown = await equivalence.run(
      policyLike([...lengths, 2, 2, 2]),
      equivalence.defaults,
      context,
    );
    const before = new Set(first.points.map((p) => p.sequence));
    const kept = grown.points.filter((p) => before.has(p.sequence)).length;
    expect(kept).toBeGreaterThanOrEqual(3997);
  });

  it('refuses an empty response with a sentence that names it', async () => {
    const rollouts = policyLike([3, 0, 4]);
    await expect(equivalence.run(rollouts, equivalence.defaults, context)).rejects.toThrow(
      'Response 1 has no tokens',
    );
  });

  it('stops when it is told to', async () => {
    const rollouts = policyLike([3, 4]);
    await expect(
      equivalence.run(rollouts, equivalence.defaults, { ...context, signal: AbortSignal.abort() }),
    ).rejects.toThrow();
  });
});
