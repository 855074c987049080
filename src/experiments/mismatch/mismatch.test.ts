/** Sampler against trainer: planted mismatches are found, and only those. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_SYNTHETIC } from '../../settings/run';
import { cpuKernels } from '../../math/cpu-kernels';
import { correctionEffect, correctionWeights } from '../../math/diagnostics/corrections';
import { Random, STREAM } from '../../math/philox';
import type { Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { mismatch, type MismatchMeasure, type MismatchResult } from '.';

const context = { kernels: cpuKernels, seed: 1, replications: 199 };

/** e_t by `draw`, the trainer's log-probs low enough to leave it room. */
function planted(draw: (random: Random, t: number) => number): Rollouts {
  const rollouts = syntheticRollouts({
    ...DEFAULT_SYNTHETIC,
    prompts: 300,
    lengthShape: 'uniform',
    minLength: 8,
    maxLength: 64,
  });
  const random = new Random(9, STREAM.synthetic);
  const logpOld = rollouts.logpOld.map((x) => x - 2);
  return {
    ...rollouts,
    logpOld,
    logpNew: rollouts.logpNew.map((x) => x - 2),
    logpSampler: Float64Array.from(logpOld, (x, t) => x - draw(random, t)),
  };
}
const run = (rollouts: Rollouts) => mismatch.run(rollouts, mismatch.defaults, context);
const verdicts = ({ claims }: MismatchResult) =>
  Object.fromEntries(claims.map(({ id, verdict }) => [id, verdict]));
function measured({ measure }: MismatchResult): MismatchMeasure {
  if (!measure) throw new Error('nothing was measured');
  return measure;
}

describe('mismatch', () => {
  it('small normal noise with mean weight 1: all claims hold, sums explode where predicted', async () => {
    const sigma = 0.05;
    const result = await run(planted((random) => sigma * random.normal() - sigma ** 2 / 2));
    expect(verdicts(result)).toEqual({
      'mismatch.mean-weight': 'holds',
      'mismatch.bias': 'holds',
      'mismatch.mean-slope': expect.stringMatching(/holds|undecided/) as string,
    });
    const measure = measured(result);
    expect(measure.sigma).toBeCloseTo(sigma, 2);
    expect(measure.predictedUsableLength / (Math.LN2 / sigma ** 2)).toBeCloseTo(1, 1);
    const last = measure.shares.prefix.points.at(-1);
    // exp(-sigma^2 L), 0.85 at 64 tokens
    const share = Math.exp(-(sigma ** 2) * (last?.length as number));
    expect(Math.abs((last?.unnormalised.effectiveShare as number) - share)).toBeLessThan(0.04);
    expect(last?.sequence.effectiveShare).toBeGreaterThan(0.99);
  });

  it('a truncating sampler is sure of everything it drew: weights average less than 1', async () => {
    const result = await run(planted(() => Math.log(0.95)));
    expect(verdicts(result)).toMatchObject({
      'mismatch.mean-weight': 'fails',
      'mismatch.bias': 'fails',
    });
    expect(measured(result).bias.estimate).toBeCloseTo(Math.log(0.95), 6);
  });

  it('noise that neighbours share breaks both slopes', async () => {
    let last = 0;
    const result = await run(
      planted((random, t) => {
        last = t % 200 === 0 ? 0.1 * random.normal() : last;
        return last;
      }),
    );
    expect(verdicts(result)).toMatchObject({
      'mismatch.mean-slope': 'fails',
    });
  });

  it('says where the bias sits: at the tokens that the sampler was unsure of', async () => {
    const rollouts = planted(() => 0);
    const logpSampler = Float64Array.from(rollouts.logpOld, (x) => (x < -4 ? x - 0.1 : x));
    const { bySureness } = measured(await run({ ...rollouts, logpSampler }));
    expect(bySureness[0]?.bias).toBeGreaterThan(0.05);
    expect(bySureness.at(-1)?.bias).toBe(0);
    const tokens = bySureness.reduce((sum, bin) => sum + bin.tokens, 0);
    expect(tokens).toBe(rollouts.logpOld.length);
  });

  it('lists each correction with what it does to the weights and to the losses', async () => {
    const rollouts = planted((random) => 0.3 * random.normal());
    const { corrections } = measured(await run(rollouts));
    const logpSampler = rollouts.logpSampler as Float64Array;
    for (const row of corrections) {
      const weights = correctionWeights({ ...rollouts, logpSampler }, row.id);
      expect(row).toMatchObject(correctionEffect(weights));
      if (row.id.endsWith('truncate')) expect(row.dropped).toBe(0);
      const bounded = /^(token|sequence)-(truncate|mask)$|icepop/;
      if (bounded.test(row.id)) expect(row.max).toBeLessThanOrEqual(row.high);
    }
    const mask = corrections.find(({ id }) => id === 'sequence-mask');
    expect(mask?.dropped).toBeGreaterThan(0);
    for (const { plain, corrected } of mask?.losses ?? []) expect(corrected).not.toBe(plain);
  });

  it('follows each correction along the length, where the log-normal law foretells it', async () => {
    const sigma = 0.3;
    const { grown } = measured(
      await run(planted((random) => sigma * random.normal() - sigma ** 2 / 2)),
    );
    const of = (id: string) => grown.find((own) => own.id === id);
    expect(of('rho')?.points.map(({ length }) => length)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    for (const { id, points, predicted } of grown) {
      points.forEach(({ length, effective, responses }, i) => {
        // rho at 32 tokens rests on a few weights alone: exp(-2.9) of them.
        if (responses < 400 || (id === 'rho' && length > 8)) return;
        expect(
          Math.abs(effective.estimate - (predicted[i] as number)),
          `${id}, ${length}`,
        ).toBeLessThan(0.03);
      });
    }
    // Exact where it can be done by hand: a weight of one token is bounded before it is 1.
    expect(of('rho')?.predicted[3]).toBeCloseTo(Math.exp(-8 * sigma ** 2), 2);
    expect(of('s')?.points.at(-1)?.effective.estimate).toBeGreaterThan(0.99);
    expect(of('sequence-mask')?.points[5]?.dropped).toBeGreaterThan(0.03);
    expect(of('sequence-truncate')?.points.every(({ dropped }) => dropped === 0)).toBe(true);
  });

  it('without a sampler column there is nothing to measure', async () => {
    const result = await run(syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 20 }));
    expect(result.measure).toBeNull();
    expect(new Set(Object.values(verdicts(result)))).toEqual(new Set(['not applicable']));
  });
});
