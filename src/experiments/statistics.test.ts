import { describe, expect, it } from 'vitest';
import { cpuKernels } from '../math/cpu-kernels';
import { DEFAULT_SYNTHETIC, type SyntheticSource } from '../settings/run';
import { emptyRollouts, type Rollouts } from '../rollouts/rollouts';
import { syntheticRollouts, syntheticTruth } from '../rollouts/synthetic';
import { dependence } from './dependence';
import type { Claim } from './experiment';
import { EXPERIMENT_IDS } from './manifest';
import { EXPERIMENTS, runExperiment } from './registry';
import { variance } from './variance';
import { weights } from './weights';
import { length } from './length';

const context = { kernels: cpuKernels, seed: 1 };

const draw = (over: Partial<SyntheticSource>): Rollouts =>
  syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 300, maxLength: 64, ...over });

function verdicts(result: { claims: Claim[] }): Record<string, string> {
  return Object.fromEntries(result.claims.map(({ id, verdict }) => [id, verdict]));
}

describe('variance', () => {
  it('finds 1/L where tokens are independent, and counts every response', async () => {
    const rollouts = draw({ prompts: 600 });
    const result = await variance.run(rollouts, variance.defaults, context);
    expect(verdicts(result)).toEqual({
      'variance.slope': 'holds',
      'variance.level': 'holds',
      'variance.prefix-slope': expect.stringMatching(/holds|undecided/) as string,
      'variance.token-slope': 'holds',
    });
    const shown = result.natural.points.reduce((sum, point) => sum + point.sequences, 0);
    expect(shown).toBeGreaterThan(4800 - 5);
    expect(result.claims.find(({ id }) => id === 'variance.slope')?.n).toBe(4800);
    expect(result.natural.slopes.unnormalised?.slope).toBeCloseTo(
      2 + (result.natural.slopes.sequence?.slope as number),
      12,
    );
    for (const { length: L, sequence } of result.natural.points) {
      expect(sequence.predicted).toBeCloseTo(0.01 / L, 4);
      expect(sequence.ratio).toBeCloseTo(sequence.measured / sequence.predicted, 1);
    }
  });

  it('says no when a prompt effect puts a floor under the variance', async () => {
    const result = await variance.run(draw({ tau: 0.05 }), variance.defaults, context);
    expect(verdicts(result)).toMatchObject({
      'variance.slope': 'fails',
      'variance.level': 'fails',
      'variance.token-slope': 'holds',
    });
    expect(result.verdict).toBe('fails');
    expect(result.natural.slopes.sequence?.slope).toBeGreaterThan(-0.5);
  });

  it('gives the same verdicts whatever the seed of what is shown', async () => {
    const rollouts = draw({ prompts: 100 });
    const [first, ...others] = await Promise.all(
      [1, 2, 3].map((seed) => variance.run(rollouts, variance.defaults, { ...context, seed })),
    );
    for (const other of others) expect(other.claims).toEqual(first?.claims);
  });

  it('draws the same prefix curve from the kernels as from the points', async () => {
    const { prefix, prefixLine } = await variance.run(
      draw({ rho: 0.5 }),
      variance.defaults,
      context,
    );
    expect(prefixLine).toHaveLength(prefix.points.at(-1)?.maxLength as number);
    for (const { length: k, sequence } of prefix.points) {
      expect(prefixLine[k - 1] / sequence.measured).toBeCloseTo(1, 1);
    }
  });

  it('withholds judgement on few prompts', async () => {
    const result = await variance.run(draw({ prompts: 8 }), variance.defaults, context);
    expect(new Set(Object.values(verdicts(result)))).toEqual(new Set(['undecided']));
    for (const { note } of result.claims.slice(0, 2)) expect(note).toMatch(/needs 20 prompts/);
  });
});

describe('dependence', () => {
  it('does not cry wolf on independent tokens and prompts', async () => {
    const result = await dependence.run(draw({ prompts: 600 }), dependence.defaults, context);
    expect(Object.values(verdicts(result))).not.toContain('fails');
    expect(verdicts(result)).toMatchObject({
      'dependence.covariance': 'holds',
      'dependence.prompt': 'holds',
      'dependence.law': 'holds',
    });
  });

  it('names planted autocorrelation, and predicts it on prompts that it never saw', async () => {
    const source = { ...DEFAULT_SYNTHETIC, prompts: 300, maxLength: 64, rho: 0.5 };
    const result = await dependence.run(syntheticRollouts(source), dependence.defaults, context);
    expect(verdicts(result)).toMatchObject({
      'dependence.covariance': 'fails',
      'dependence.prompt': 'holds',
      'dependence.law': 'holds',
    });
    expect(result.verdict).toBe('fails');
    expect(result.naive.level.estimate).toBeGreaterThan(2);
    expect(result.integratedAutocorrelation.estimate).toBeCloseTo(3, 0);
    const truth = syntheticTruth(source);
    for (const { lag, autocorrelation } of result.lags.slice(0, 4)) {
      expect(autocorrelation).toBeCloseTo(truth.autocorrelation(lag), 1);
    }
  });

  it('names planted prompt effects for what they are', async () => {
    const result = await dependence.run(draw({ tau: 0.05 }), dependence.defaults, context);
    expect(verdicts(result)).toMatchObject({
      'dependence.prompt': 'fails',
      'dependence.covariance': expect.not.stringMatching('fails') as string,
    });
    // 300 prompts: tau^2 to about 10 %
    expect((result.tau2?.estimate as number) / 0.0025).toBeGreaterThan(0.7);
    expect((result.tau2?.estimate as number) / 0.0025).toBeLessThan(1.3);
  });

  it('splits the variance into parts that add up', async () => {
    for (const over of [{}, { rho: -0.5 }, { rho: 0.5, tau: 0.05 }]) {
      const few = draw({ ...over, prompts: 150 });
      const { decomposition: d } = await dependence.run(few, dependence.defaults, context);
      const sum = d.naive + d.position + d.covariance + d.prompt + d.mean + d.rest;
      expect(sum / d.total).toBeCloseTo(1, 12);
      expect(Math.abs(d.rest / d.total)).toBeLessThan(0.2);
    }
  });

  it('knows no prompt effect from one response per prompt', async () => {
    const result = await dependence.run(
      draw({ groupSize: 1, prompts: 400 }),
      dependence.defaults,
      context,
    );
    expect(result.tau2).toBeNull();
    expect(result.intraclassCorrelation).toBeNull();
    expect(verdicts(result)).toMatchObject({
      'dependence.prompt': 'not applicable',
      'dependence.covariance': 'not applicable',
    });
  });
});

describe('weights', () => {
  it('are log-normal for normal tokens, and rho wears out where predicted', async () => {
    const source = { sigma: 0.25, lengthShape: 'fixed', maxLength: 40, prompts: 600 } as const;
    const result = await weights.run(draw(source), weights.defaults, context);
    expect(result.predictedUsableLength / (Math.LN2 / 0.0625)).toBeCloseTo(1, 1);
    expect((result.usableLength as number) / result.predictedUsableLength).toBeCloseTo(1, 0);
    expect(Object.values(verdicts(result))).not.toContain('fails');
    expect(verdicts(result)['weights.unnormalised-share']).toMatch(/holds|undecided/);
    const last = result.prefix.points.at(-1);
    expect(last?.sequence.pareto.k).toBeLessThan(last?.unnormalised.pareto.k as number);
  });

  it('show heavy tails as such, and do not trust a wild weight', async () => {
    const heavy = await weights.run(draw({ tailDegrees: 3 }), weights.defaults, context);
    expect(verdicts(heavy)['weights.kurtosis']).not.toBe('holds');
    expect(heavy.excessKurtosis.estimate).toBeGreaterThan(0.2);
    const wild = await weights.run(draw({ sigma: 1.5 }), weights.defaults, context);
    expect(wild.prefix.points.at(-1)?.unnormalised.reliable).toBe(false);
    expect(wild.prefix.points.at(-1)?.sequence.reliable).toBe(true);
  });
});

describe('length', () => {
  it('finds perplexity biased upward on short prefixes and s nearly free of it', async () => {
    const result = await length.run(draw({}), length.defaults, context);
    expect(verdicts(result)).toMatchObject({ 'length.cancels': 'holds' });
    expect(verdicts(result)['length.ratio']).not.toBe('fails');
    const [first] = result.prefix.points;
    const last = result.prefix.points.at(-1);
    expect(first?.perplexityOld.mean).toBeGreaterThan(2 * (last?.perplexityOld.mean as number));
    expect(
      (last?.perplexityOld.gap as number) / (last?.perplexityOld.predictedGap as number),
    ).toBeCloseTo(1, 0);
    expect(first?.ratio.gap).toBeLessThan(0.01);
    expect(last?.position).toBe(0);
  });
});

describe('registry', () => {
  it('runs every experiment on nothing at all, and judges nothing', async () => {
    for (const id of EXPERIMENT_IDS) {
      const settings = EXPERIMENTS[id].defaults;
      const result = await runExperiment(id, emptyRollouts(), settings, context);
      expect(result.claims.length).toBeGreaterThan(0);
      for (const claim of result.claims) {
        expect([claim.id, claim.verdict]).toEqual([claim.id, 'not applicable']);
      }
    }
  });

  it('gives every claim an id of its own', async () => {
    const ids: string[] = [];
    for (const id of EXPERIMENT_IDS) {
      const settings = EXPERIMENTS[id].defaults;
      const { claims } = await runExperiment(id, emptyRollouts(), settings, context);
      ids.push(...claims.map((claim) => claim.id));
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refuses settings that are none', async () => {
    const run = (settings: unknown) =>
      runExperiment('variance', emptyRollouts(), settings, context);
    await expect(async () => run({ bins: -1, prefixLength: 0, prefixPoints: 3 })).rejects.toThrow(
      'Experiment "variance", setting "bins"',
    );
    await expect(async () => run(null)).rejects.toThrow('Experiment "variance"');
  });

  it('refuses log-ratios that are not finite, and says where', async () => {
    const rollouts = draw({ prompts: 30 });
    const logpNew = rollouts.logpNew.slice();
    logpNew[rollouts.offsets[3] + 2] = -Infinity;
    await expect(
      variance.run({ ...rollouts, logpNew }, variance.defaults, context),
    ).rejects.toThrow(/Response 3 .* at token 2\)/);
  });
});
