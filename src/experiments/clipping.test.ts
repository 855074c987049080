import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { DEFAULT_SYNTHETIC, type SyntheticSource } from '../link/settings';
import { cpuKernels } from '../math/cpu-kernels';
import { normalCdf } from '../math/stats/distributions';
import { evaluateObjective } from '../math/objectives/evaluate';
import { recommended } from '../math/objectives/registry';
import type { ObjectiveSettings } from '../math/objectives/types';
import type { Rollouts } from '../rollouts/rollouts';
import { syntheticRollouts } from '../rollouts/synthetic';
import { clipping, clippingSettingsSchema, type ClippingSettings } from './clipping';
import type { ClippedObjective } from './clipping-measure';

const context = { kernels: cpuKernels, seed: 1 };
const made = (change: Partial<SyntheticSource>) =>
  syntheticRollouts({
    ...DEFAULT_SYNTHETIC,
    prompts: 200,
    lengthShape: 'uniform',
    minLength: 4,
    maxLength: 80,
    ...change,
  });
const run = (rollouts: Rollouts, change: Partial<ClippingSettings> = {}) =>
  clipping.run(rollouts, { ...clipping.defaults, ...change }, context);
const claimOf = (result: Awaited<ReturnType<typeof run>>, id: string) => {
  const claim = result.claims.find((c) => c.id === id);
  if (!claim) throw new Error(`No claim "${id}".`);
  return claim;
};

/** Share clipped and gradient mass kept, by the objective itself. */
function direct(rollouts: Rollouts, id: ClippedObjective, low: number, high: number) {
  const settings = recommended(id, 'trl', { low, high }) as ObjectiveSettings;
  const surrogate =
    settings.surrogate.kind === 'gmpo' ? { ...settings.surrogate, low, high } : settings.surrogate;
  const total = (x: Float64Array) => x.reduce((sum, g) => sum + Math.abs(g), 0);
  const at = evaluateObjective(rollouts, { ...settings, surrogate });
  const open = evaluateObjective(rollouts, {
    ...settings,
    surrogate:
      surrogate.kind === 'gmpo'
        ? { ...surrogate, low: 1e9, high: 1e9 }
        : { ...(surrogate as { kind: 'clip'; level: 'token' }), low: 1, high: 1e300 },
  });
  return { share: at.trl?.regionMean ?? NaN, kept: total(at.gradient) / total(open.gradient) };
}

describe('clipping', () => {
  it('its defaults pass its own schema', () => {
    expect(v.safeParse(clippingSettingsSchema, clipping.defaults).success).toBe(true);
  });

  it.each(['grpo', 'gspo', 'rloo', 'gmpo'] as const)(
    '%s: the map is what the objective itself clips, at every grid point',
    async (id) => {
      const rollouts = made({ prompts: 30, sigma: 0.1 });
      const grid = { gridLow: 1e-3, gridHigh: 0.9, gridPoints: 5 };
      const { maps } = await run(rollouts, { objectives: [id], ...grid });
      const map = maps[0];
      if (!map) throw new Error('no map');
      for (const [k, low] of map.epsilon.entries()) {
        for (const [m, high] of map.epsilon.entries()) {
          const expected = direct(rollouts, id, low, high);
          const share = (map.low.clipped[k] as number) + (map.high.clipped[m] as number);
          expect(share).toBeCloseTo(expected.share, 12);
          const kept = 1 - (map.low.massLost[k] as number) - (map.high.massLost[m] as number);
          // GMPO's weight itself changes with the band; its map counts tokens at the open weight.
          if (id !== 'gmpo') expect(kept).toBeCloseTo(expected.kept, 9);
        }
      }
    },
  );

  it('published bands, and shares that fall as the band widens', async () => {
    const { maps } = await run(made({ sigma: 0.05 }));
    for (const map of maps) {
      for (const side of [map.low, map.high]) {
        const falling = Array.from(side.clipped);
        expect(falling).toEqual([...falling].sort((a, b) => b - a));
        side.clipped.forEach((x, k) => expect(x).toBeLessThanOrEqual(side.outside[k] as number));
      }
      expect(map.published.massKept).toBeGreaterThan(0);
      expect(map.published.massKept).toBeLessThanOrEqual(1);
    }
  });

  it('the prediction is the closed form of the design, and independent normal data obeys it', async () => {
    const sigma = 0.004;
    const rollouts = made({ sigma, lengthShape: 'fixed', maxLength: 64, prompts: 400 });
    const result = await run(rollouts);
    const root = Math.sqrt(64) / result.sigma;
    const closed =
      1 -
      normalCdf((Math.log(1.0004) - result.mu) * root) +
      normalCdf((Math.log(1 - 3e-4) - result.mu) * root);
    expect(claimOf(result, 'clipping.gspo-outside').prediction).toBeCloseTo(closed, 12);
    expect(claimOf(result, 'clipping.gspo-outside').verdict).toBe('holds');
  });

  it('a prompt effect breaks the prediction, and the claim says so', async () => {
    const broken = await run(made({ sigma: 0.004, tau: 0.004, minLength: 60, prompts: 200 }));
    expect(claimOf(broken, 'clipping.gspo-outside').verdict).toBe('fails');
  });

  it('adaptive clipping is flat over length where fixed clipping is steep', async () => {
    const result = await run(made({ sigma: 0.004, prompts: 500 }), { bins: 4 });
    expect(claimOf(result, 'clipping.adaptive').verdict).toBe('holds');
    const [first, last] = [result.lengths[0], result.lengths.at(-1)];
    if (!first || !last) throw new Error('no bins');
    expect(first.fixed.measured - last.fixed.measured).toBeGreaterThan(0.2);
    expect(Math.abs(first.adaptive.measured - last.adaptive.measured)).toBeLessThan(0.06);
    expect(first.adaptive.predicted).toBeCloseTo(0.05, 2);
    expect(first.adaptiveEpsilon).toBeGreaterThan(last.adaptiveEpsilon);
  });

  it('correlated tokens make adaptive clipping clip long responses more', async () => {
    const result = await run(made({ sigma: 0.004, tau: 0.001, prompts: 300, maxLength: 300 }));
    expect(claimOf(result, 'clipping.adaptive').verdict).toBe('fails');
  });

  it('two orders of magnitude: holds on small updates, fails on large ones, too few without clips', async () => {
    const verdict = async (sigma: number) =>
      claimOf(await run(made({ sigma, prompts: 200 })), 'clipping.two-orders');
    expect((await verdict(0.065)).verdict).toBe('holds');
    expect((await verdict(0.4)).verdict).toBe('fails');
    const none = await verdict(0.001);
    expect([none.verdict, none.measured]).toEqual(['too few', null]);
  });

  it('few prompts carry no verdict', async () => {
    const few = await run(made({ prompts: 5 }));
    for (const claim of few.claims) expect(claim.verdict).toBe('too few');
  });

  it('on-policy data clips nothing and predicts nothing', async () => {
    const rollouts = made({ prompts: 30 });
    const { maps, sigma } = await run({ ...rollouts, logpNew: rollouts.logpOld });
    expect(sigma).toBe(0);
    for (const map of maps) {
      expect(Math.max(...map.low.clipped, ...map.high.clipped)).toBe(0);
      expect(Math.max(...map.low.predictedOutside, ...map.high.predictedOutside)).toBe(0);
      expect(map.published.massKept).toBe(1);
    }
  });
});
