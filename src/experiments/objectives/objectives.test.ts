import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { DEFAULT_SYNTHETIC, type SyntheticSource } from '../../settings/run';
import { cpuKernels } from '../../math/cpu-kernels';
import { analyse } from '../../rollouts/file/analysis';
import { sequenceCount, type Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { objectives, type ObjectivesResult } from '.';
import { objectivesSettingsSchema, type SideId } from './settings';
import { PEER_EXAMPLE } from './measure';

const context = { kernels: cpuKernels, seed: 1 };
const made = (change: Partial<SyntheticSource> = {}) =>
  syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 120, maxLength: 60, ...change });
const run = (rollouts: Rollouts, change = {}) =>
  objectives.run(rollouts, { ...objectives.defaults, ...change }, context);
const row = (rows: ObjectivesResult['objectives'], id: string) => {
  const found = rows.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`No objective "${id}".`);
  return found;
};
const verdictOf = ({ claims }: ObjectivesResult, id: string) =>
  claims.find((claim) => claim.id === id)?.verdict;

describe('the example', () => {
  it('has the inputs of the figures that were computed with TRL and verl', () => {
    const path = fileURLToPath(new URL('../../math/objectives/peer-cases.json', import.meta.url));
    const { inputs } = JSON.parse(readFileSync(path, 'utf8')) as {
      inputs: { old_logps: number[][]; new_logps: number[][]; advantages: number[] };
    };
    const lengths = inputs.old_logps.map((response) => response.length);
    expect([...PEER_EXAMPLE.offsets]).toEqual([0, 2, 5, 10]);
    expect(lengths).toEqual([2, 3, 5]);
    expect([...PEER_EXAMPLE.logpOld]).toEqual(inputs.old_logps.flat());
    expect([...PEER_EXAMPLE.logpNew]).toEqual(inputs.new_logps.flat());
    expect([...PEER_EXAMPLE.advantage]).toEqual(inputs.advantages);
  });

  it('is clipped by two responses of three in TRL and five tokens of ten in verl, at one loss', async () => {
    const { example } = await run(made({ prompts: 2 }));
    const { trl, verl } = row(example, 'gspo');
    expect(trl?.clipShare).toBeCloseTo(2 / 3, 12);
    expect(verl?.clipShare).toBeCloseTo(1 / 2, 8);
    expect(verl?.loss).toBeCloseTo(trl?.loss as number, 7);
  });
});

describe('what if', () => {
  const rollouts = made({ sigma: 0.02 });
  it('is not asked for by itself', async () => {
    expect((await run(made({ prompts: 2 }))).whatIf).toBeNull();
  });

  it('compares the first as published with the second at the chosen band', async () => {
    const { whatIf } = await run(rollouts, {
      low: 0.01,
      whatIf: {
        asIs: 'gspo.trl',
        asIf: 'gspo.verl',
        topEntropy: null,
        beta: null,
        corrected: false,
        advantages: 'source',
        bypass: false,
      },
    });
    // The upper edge was not chosen: it stays as published.
    expect(whatIf?.sides.map(({ name }) => name)).toEqual(['gspo.trl', 'gspo.verl@0.01/0.0004']);
    const [first, second] = whatIf?.sides ?? [];
    expect(first?.clippedTokens).toBeGreaterThan(second?.clippedTokens ?? Infinity);
    expect(whatIf?.changes[1]?.woken.length).toBe(
      (first?.silentResponses ?? 0) - (second?.silentResponses ?? 0),
    );
  });

  it('leaves objectives without epsilons their own way', async () => {
    const { whatIf } = await run(rollouts, {
      high: 0.5,
      whatIf: {
        asIs: 'grpo.verl',
        asIf: 'sapo.trl',
        topEntropy: null,
        beta: null,
        corrected: false,
        advantages: 'source',
        bypass: false,
      },
    });
    expect(whatIf?.sides.map(({ name }) => name)).toEqual(['grpo.verl', 'sapo.trl']);
  });

  const SIDES = {
    topEntropy: null,
    beta: null,
    corrected: false,
    advantages: 'source',
    bypass: true,
  } as const;

  it('bypasses pi_old where verl does, and says what Clip-Cov takes and where Tinker and ROLL clip', async () => {
    const sampled: Rollouts = { ...rollouts, logpSampler: rollouts.logpOld.map((x) => x - 0.3) };
    const ask = async (asIs: SideId, asIf: SideId) =>
      (await run(sampled, { whatIf: { ...SIDES, asIs, asIf } })).whatIf;
    const bypassed = await ask('grpo.verl', 'grpo.verl');
    expect(bypassed?.sides.map(({ name }) => name)).toEqual(['grpo.verl', 'grpo.verl+bypass']);
    // e^0.3 is above 1.2: every token with A > 0 is clipped against the sampler, hardly one against old.
    const [plain, bypass] = bypassed?.sides ?? [];
    expect(bypass?.clippedTokens).toBeGreaterThan((plain?.clippedTokens ?? 0) + 1000);
    const others = await ask('clip_cov.verl', 'gspo.tinker');
    expect(others?.sides.map(({ clips }) => clips)).toEqual([
      expect.stringMatching(/ε 0\.2 \/ 0\.2; of tokens with covariance 1 to 5/),
      expect.stringMatching(/3e-4 \/ 4e-4/),
    ]);
    expect(others?.sides[1]?.name).toBe('gspo.tinker');
    expect((await ask('gspo.verl', 'gspo.roll'))?.sides[1]?.clips).toMatch(/0\.2 \/ 0\.2/);
  });
});

describe('the table', () => {
  it('agrees with the command line on the same responses', async () => {
    const rollouts = made({ sigma: 0.3 });
    const analysis = analyse({
      rollouts,
      groupIds: rollouts.prompts,
      sample: new Int32Array(sequenceCount(rollouts)),
      maxCompletionLength: 90,
    });
    const result = await run(rollouts, { length: 90 });
    for (const [id, { trl, verl }] of Object.entries(analysis.objectives)) {
      const mine = row(result.objectives, id);
      // The command line adds up responses, the page a batch: the last digit may differ.
      const same = (x: number | null | undefined, y: number | null | undefined) =>
        expect(x ?? null, id).toEqual(typeof y === 'number' ? expect.closeTo(y, 13) : null);
      same(mine.trl?.loss, trl?.loss);
      same(mine.verl?.loss, verl?.loss);
      same(mine.verl?.clipShare, verl?.clip_fraction);
    }
    for (const k of ['k1', 'k2', 'k3'] as const) {
      expect(result.divergences?.[k]).toBeCloseTo(analysis.kl[k], 13);
    }
    expect(result.divergences?.chiSquareSequence).toBeCloseTo(analysis.chi2.sequence, 12);
  });

  it('takes a band for what clips ratios, and for nothing else', async () => {
    const rollouts = made({ sigma: 0.3 });
    const own = await run(rollouts);
    const wide = await run(rollouts, { low: 1, high: 100 });
    expect(row(own.objectives, 'gspo').trl?.clipShare).toBeGreaterThan(0.3);
    expect(row(wide.objectives, 'gspo').trl?.clipShare).toBe(0);
    expect(row(wide.objectives, 'gmpo').trl?.loss).toBe(row(own.objectives, 'gmpo').trl?.loss);
  });
});

describe('effective sample sizes', () => {
  it('do not overflow where rho does', async () => {
    const { divergences } = await run(
      made({ prompts: 30, sigma: 0.1, mu: 1, lengthShape: 'fixed', maxLength: 2000 }),
    );
    // log rho near 2000: exp of it is Infinity in float64
    expect(divergences?.effective.rho).toBeGreaterThan(0);
    expect(divergences?.effective.rho).toBeLessThanOrEqual(1);
  });
});

describe('claims', () => {
  it('hold where pi_old drew the tokens: E[r] = 1 at mu = -sigma^2 / 2', async () => {
    const result = await run(made({ prompts: 400, sigma: 0.1, mu: -0.005 }));
    expect(verdictOf(result, 'objectives.gspo-loss')).toBe('holds');
    expect(verdictOf(result, 'objectives.mean-ratio')).toBe('holds');
  });

  it("the loss is one but for verl's cap of log s at 10, and the rule says when that acts", async () => {
    const rollouts = made({ prompts: 40 });
    const claimOf = async (shift: number) => {
      const logpNew = Float64Array.from(rollouts.logpOld);
      // The first response that A < 0 does not let the band clip.
      const i = rollouts.advantage.findIndex((a) => a < 0);
      for (let t = rollouts.offsets[i]; t < rollouts.offsets[i + 1]; t++)
        logpNew[t] = logpNew[t] + shift;
      const { claims } = await run({ ...rollouts, logpNew });
      const found = claims.find(({ id }) => id === 'objectives.gspo-loss');
      return [found?.verdict, found?.note];
    };
    const [within, plain] = await claimOf(9.9);
    expect(within).toBe('holds');
    expect(plain).toContain('no response here gets there');
    const [beyond, rule] = await claimOf(10.1);
    expect(beyond).toBe('fails');
    expect(rule).toContain('1 of 320 responses here are beyond');
    expect(rule).toContain('That cap is the one difference');
  });

  it('fail where another policy did', async () => {
    const result = await run(made({ sigma: 0.1, mu: 0.05 }));
    expect(verdictOf(result, 'objectives.mean-ratio')).toBe('fails');
  });
});

describe('settings', () => {
  it('are refused when they are none', () => {
    const valid = (input: unknown) => v.safeParse(objectivesSettingsSchema, input).success;
    expect(valid({ low: null, high: 0.2, length: 8 })).toBe(true);
    expect(valid({ low: -1, high: 0.2, length: 8 })).toBe(false);
    expect(valid({ low: null, high: null, length: 0.5 })).toBe(false);
    expect(valid({ low: null, high: null, length: null, more: 1 })).toBe(false);
  });
});
