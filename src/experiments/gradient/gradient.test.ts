import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { DEFAULT_SYNTHETIC, type SyntheticSource } from '../../settings/run';
import { cpuKernels } from '../../math/cpu-kernels';
import { Random, STREAM } from '../../math/philox';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { OBJECTIVE_IDS, recommended, type ObjectiveSettings } from '../../math/objectives/registry';
import { emptyRollouts, type Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { gradient } from '.';
import { DERIVATIVE_TOLERANCE, gspoTokenClaim } from './claims';
import { logitNorms, measureObjective, thinned } from './mass';
import { derivativeCheck } from './measure';
import { gradientSettingsSchema, type GradientSettings } from './settings';

const context = { kernels: cpuKernels, seed: 1 };
const made = (change: Partial<SyntheticSource> = {}) =>
  syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 80, maxLength: 100, sigma: 0.02, ...change });
const run = (rollouts: Rollouts, change: Partial<GradientSettings> = {}) =>
  gradient.run(rollouts, { ...gradient.defaults, ...change }, context);
type Result = Awaited<ReturnType<typeof run>>;
const verdicts = (result: Result) =>
  Object.fromEntries(result.claims.map((claim) => [claim.id, claim.verdict]));
const share = (bins: readonly { mass: number }[]) => bins.reduce((sum, bin) => sum + bin.mass, 0);

describe('gradient', () => {
  it('its defaults pass its own schema', () => {
    expect(v.safeParse(gradientSettingsSchema, gradient.defaults).success).toBe(true);
  });

  it('the identities hold', async () => {
    expect(verdicts(await run(made()))).toEqual({
      'gradient.gspo-token': 'holds',
      'gradient.information-gain': 'holds',
    });
  });

  const claimWith = (rollouts: Rollouts, change: (g: number, t: number) => number) => {
    const settings = recommended('gspo_token', 'trl') as ObjectiveSettings;
    const { gradient: own } = evaluateObjective(rollouts, settings);
    return gspoTokenClaim(derivativeCheck(rollouts, own.map(change), 1));
  };

  it.each([0.001, 0.02, 0.5, 3])(
    'GSPO-token has the derivative of GSPO, with spread %s of the log-ratios',
    (sigma) => {
      const claim = claimWith(made({ sigma, minLength: 1 }), (g) => g);
      expect(claim.n).toBeGreaterThan(20);
      expect(claim.measured).toBeLessThan(DERIVATIVE_TOLERANCE / 10);
      expect(claim.verdict).toBe('holds');
    },
  );

  it.each([
    ['off by a millionth', (g: number) => g * (1 + 1e-6)],
    ['of the other sign', (g: number) => -g],
    ['missing', () => 0],
    // A response that is clipped gets none.
    ['passed by a closed gate', (g: number) => (g === 0 ? 1e-6 : g)],
  ])('a gradient of GSPO-token that is %s fails', (_, wrong) => {
    expect(claimWith(made(), wrong).verdict).toBe('fails');
  });

  it('a gradient of GSPO-token by its token ratio instead of s fails', () => {
    const rollouts = made();
    const d = rollouts.logpNew.map((b, t) => b - rollouts.logpOld[t]);
    expect(claimWith(rollouts, (g, t) => g * Math.exp(d[t])).verdict).toBe('fails');
  });

  it('without any advantage there is no gradient to compare', () => {
    const rollouts = made({ prompts: 30 });
    const claim = claimWith({ ...rollouts, advantage: rollouts.advantage.map(() => 0) }, (g) => g);
    expect([claim.verdict, claim.n]).toEqual(['not applicable', 0]);
  });

  it('shares add up, and points carry the mass per objective', async () => {
    const result = await run(made(), { points: 50 });
    expect(result.points).toHaveLength(50);
    for (const found of result.objectives) {
      expect(share(found.byLength)).toBeCloseTo(1, 9);
      expect(share(found.byEntropy)).toBeCloseTo(1, 9);
      expect(found.kept).toBeGreaterThan(0);
      expect(found.kept).toBeLessThanOrEqual(1 + 1e-12);
      expect(found.effectiveResponses).toBeLessThanOrEqual(1);
    }
    for (const point of result.points) {
      expect(point.mass).toHaveLength(result.objectives.length);
      expect(point.weight).toBeCloseTo(Math.exp(-point.crossEntropyChange), 12);
    }
  });

  it('every objective of the registry is measured, in either library', async () => {
    const rollouts = made({ sigma: 0.3, prompts: 30 });
    for (const library of ['trl', 'verl'] as const) {
      const { objectives } = await run(rollouts, { objectives: [...OBJECTIVE_IDS], library });
      expect(objectives.map(({ id }) => id)).toEqual([...OBJECTIVE_IDS]);
      for (const found of objectives) {
        expect(found.mass, found.id).toBeGreaterThan(0);
        expect(share(found.byLength), found.id).toBeCloseTo(1, 9);
        expect(Number.isFinite(found.logitNorm), found.id).toBe(true);
      }
    }
  });

  it('kept mass: GSPO loses what its band clips, SAPO what its gate damps', async () => {
    const rollouts = made({ sigma: 0.3 });
    const { objectives } = await run(rollouts, { objectives: ['gspo', 'sapo', 'cispo'] });
    const kept = Object.fromEntries(objectives.map(({ id, kept: k }) => [id, k]));
    expect(kept['gspo']).toBeLessThan(0.9);
    expect(kept['sapo']).toBeGreaterThan(kept['gspo']);
    expect(kept['sapo']).toBeLessThan(1);
    expect(kept['cispo']).toBeCloseTo(1, 12);
  });

  it('objectives that a library lacks come from the other, and say so', async () => {
    const { objectives } = await run(made({ prompts: 30 }), {
      objectives: ['vespo', 'gspo'],
      library: 'verl',
    });
    expect(objectives.map(({ id, library }) => [id, library])).toEqual([
      ['vespo', 'trl'],
      ['gspo', 'verl'],
    ]);
  });

  it('without collision probabilities norms are null, everything else is there', async () => {
    const plain = made({ prompts: 30 });
    delete plain.collisionNew;
    const result = await run(plain);
    expect(result.logitSpace).toBe(false);
    expect(result.objectives.every((found) => found.logitNorm === null)).toBe(true);
  });
});

/** A policy that is nothing but logits [tokens, V], so that derivatives can be taken by hand. */
function tabular(seed: number) {
  const random = new Random(seed, STREAM.synthetic);
  const vocabulary = 5;
  const offsets = Uint32Array.of(0, 3, 7, 8);
  const tokens = 8;
  const logits = Float64Array.from({ length: tokens * vocabulary }, () => 1.5 * random.normal());
  const targets = Array.from({ length: tokens }, () => random.integer(vocabulary));
  const logpOld = new Float64Array(tokens);
  const rolloutsAt = (values: Float64Array): Rollouts => {
    const logpNew = new Float64Array(tokens);
    const collisionNew = new Float64Array(tokens);
    for (let t = 0; t < tokens; t++) {
      const row = values.subarray(t * vocabulary, (t + 1) * vocabulary);
      const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
      logpNew[t] = row[targets[t]] - Math.log(total);
      collisionNew[t] = row.reduce((sum, x) => sum + (Math.exp(x) / total) ** 2, 0);
    }
    return {
      ...emptyRollouts(),
      offsets,
      tokenIds: Int32Array.from(targets),
      logpOld,
      logpNew,
      collisionNew,
      group: Uint32Array.of(0, 0, 0),
      reward: new Float64Array(3),
      advantage: Float64Array.of(1, -0.7, 0.3),
      finished: new Uint8Array(3).fill(1),
      prompts: ['q'],
    };
  };
  logpOld.set(rolloutsAt(logits).logpNew.map((x) => x + 0.1 * random.normal()));
  return { logits, rolloutsAt };
}

describe('logit space', () => {
  it.each(['grpo', 'gspo', 'gmpo', 'sapo', 'rloo', 'dr_grpo'] as const)(
    '%s: the norm from p_y and sum p^2 is that of finite differences through the softmax',
    (id) => {
      const { logits, rolloutsAt } = tabular(4);
      const settings = recommended(id, 'trl', { low: 0.3, high: 0.3 }) as ObjectiveSettings;
      const rollouts = rolloutsAt(logits);
      const { measure } = measureObjective(rollouts, settings, logitNorms(rollouts), 2);
      const h = 1e-5;
      let squares = 0;
      for (let k = 0; k < logits.length; k++) {
        const shifted = (step: number) => {
          const values = Float64Array.from(logits);
          values[k] = values[k] + step;
          return evaluateObjective(rolloutsAt(values), settings).loss;
        };
        squares += ((shifted(h) - shifted(-h)) / (2 * h)) ** 2;
      }
      expect(measure.logitNorm).toBeGreaterThan(0);
      expect(measure.logitNorm).toBeCloseTo(Math.sqrt(squares), 7);
    },
  );
});

describe('thinning', () => {
  it('gives exactly as many as asked, ascending, distinct, the same for the same seed', () => {
    const some = thinned(1000, 100, 7);
    expect(some).toHaveLength(100);
    expect(new Set(some).size).toBe(100);
    expect(some).toEqual([...some].sort((a, b) => a - b));
    expect(thinned(1000, 100, 7)).toEqual(some);
    expect(thinned(1000, 100, 8)).not.toEqual(some);
    expect(thinned(3, 100, 7)).toEqual([0, 1, 2]);
  });
});
