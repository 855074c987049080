import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { DEFAULT_SYNTHETIC, type SyntheticSource } from '../../settings/run';
import { cpuKernels } from '../../math/cpu-kernels';
import { normalCdf } from '../../math/stats/distributions';
import { evaluateObjective } from '../../math/objectives/evaluate';
import {
  CLIPPED_IDS,
  kindOf,
  recommended,
  type ClippedId,
  type ObjectiveSettings,
  type Surrogate,
} from '../../math/objectives/registry';
import type { Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { clipping } from '.';
import { clippingSettingsSchema, type ClippingSettings } from './settings';

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

/** The same surrogate with these epsilons; null = nothing is clipped, capped or masked. */
function withBand(s: Surrogate, band: { low: number; high: number } | null): Surrogate {
  switch (s.kind) {
    case 'clip':
      return band ? { ...s, ...band } : { kind: 'clip', level: s.level, low: 1, high: 1e300 };
    case 'gmpo':
    case 'dppo':
      return { ...s, ...(band ?? { low: 1e9, high: 1e9 }) };
    case 'cispo':
      return { ...s, max: band ? 1 + band.high : Infinity };
    default:
      return band ? (kindOf(s).withBand?.(s, band) ?? s) : kindOf(s).ungated(s);
  }
}

/** Share clipped, as the library counts it, and gradient mass kept, by the objective itself. */
function direct(rollouts: Rollouts, id: ClippedId, low: number, high: number) {
  const settings = (recommended(id, 'trl') ?? recommended(id, 'verl')) as ObjectiveSettings;
  const at = (band: { low: number; high: number } | null) =>
    evaluateObjective(rollouts, { ...settings, surrogate: withBand(settings.surrogate, band) });
  const total = (x: Float64Array) => x.reduce((sum, g) => sum + Math.abs(g), 0);
  const { trl, gradient, gate } = at({ low, high });
  const closed = () => {
    // verl's share has tokens of A = 0 in it, which no side of the map counts.
    let tokens = 0;
    rollouts.advantage.forEach((a, i) => {
      const own = gate.subarray(rollouts.offsets[i], rollouts.offsets[i + 1]);
      if (a !== 0) tokens += own.filter((g) => g === 0).length;
    });
    return tokens / gate.length;
  };
  return {
    share: trl ? (trl.regionMean ?? trl.highMean ?? NaN) : closed(),
    kept: total(gradient) / total(at(null).gradient),
  };
}

describe('clipping', () => {
  it('its defaults pass its own schema', () => {
    expect(v.safeParse(clippingSettingsSchema, clipping.defaults).success).toBe(true);
  });

  it.each(CLIPPED_IDS)(
    '%s: the map is what the objective itself clips and keeps, at every grid point',
    async (id) => {
      // Ratios up to e^2, so that delta and the caps act too.
      const rollouts = made({ prompts: 30, sigma: 0.5 });
      const grid = { gridLow: 1e-3, gridHigh: 3, gridPoints: 6 };
      const { maps } = await run(rollouts, { objectives: [id], ...grid });
      const map = maps[0];
      if (!map) throw new Error('no map');
      for (const [k, low] of map.epsilon.entries()) {
        for (const [m, high] of map.epsilon.entries()) {
          const expected = direct(rollouts, id, low, high);
          const share = map.low.clipped[k] + map.high.clipped[m];
          expect(share).toBeCloseTo(expected.share, 12);
          const lost = map.low.massLost[k] + map.high.massLost[m];
          expect(1 - map.ceilingLost - lost).toBeCloseTo(expected.kept, 9);
        }
      }
      const { low, high, clipped, massKept } = map.usual;
      const expected = direct(rollouts, id, low ?? 0, high);
      expect(clipped).toBeCloseTo(expected.share, 12);
      expect(massKept).toBeCloseTo(expected.kept, 9);
    },
  );

  it('each keeps the mass of its own aggregation: DAPO means tokens, GRPO responses, LUSPO sums', async () => {
    const objectives = ['grpo', 'dapo', 'gspo', 'luspo'] as const;
    const { maps } = await run(made({ sigma: 0.3 }), { objectives: [...objectives] });
    const [grpo, dapo, gspo, luspo] = maps.map(({ high }) => Array.from(high.massLost));
    expect(maps.map(({ objective }) => objective)).toEqual([...objectives]);
    expect(dapo).not.toEqual(grpo);
    expect(luspo).not.toEqual(gspo);
    // What they clip is the same: the ratios are.
    expect(maps[1]?.high.clipped).toEqual(maps[0]?.high.clipped);
  });

  it('GSPO-token counts tokens of the responses that GSPO counts', async () => {
    const rollouts = made({ sigma: 0.01 });
    const { maps } = await run(rollouts, { objectives: ['gspo', 'gspo_token'] });
    const [gspo, token] = maps;
    expect([gspo?.unit, token?.unit]).toEqual(['sequences', 'tokens']);
    expect(token?.usual.clipped).not.toBe(gspo?.usual.clipped);
    expect(token?.usual.massKept).toBeCloseTo(gspo?.usual.massKept as number, 12);
    // The law is averaged over tokens, too: long responses, which are outside less often, count more.
    const [s, t] = maps.map(({ high }) => high.predictedOutside?.[20] as number);
    expect(t).toBeLessThan(s);
  });

  it('DPPO has a divergence for a band, so no law is predicted; CISPO has no lower edge', async () => {
    const { maps } = await run(made({ sigma: 0.5 }), { objectives: ['dppo_tv', 'cispo'] });
    const [dppo, cispo] = maps;
    expect([dppo?.high.predictedOutside, dppo?.low.predictedClipped]).toEqual([null, null]);
    expect(cispo?.usual.low).toBeNull();
    expect(Math.max(...(cispo?.low.clipped ?? [1]), ...(cispo?.low.outside ?? [1]))).toBe(0);
  });

  it('names GSPO’s paper beside the library, where their bands are not the same', async () => {
    const rollouts = made({ sigma: 0.3 });
    const { maps } = await run(rollouts, { objectives: ['gspo', 'grpo'], library: 'trl' });
    const of = (id: string) => maps.find(({ objective }) => objective === id);
    expect(of('gspo')?.usual).toMatchObject({ low: 3e-4, high: 4e-4 });
    expect(of('gspo')?.paper).toBeNull();
    expect(of('grpo')?.usual).toMatchObject({ low: 0.2, high: 0.2 });
    const paper = of('grpo')?.paper;
    expect(paper).toMatchObject({ low: 0.2, high: 0.27 });
    const expected = direct(rollouts, 'grpo', 0.2, 0.27);
    expect(paper?.clipped).toBeCloseTo(expected.share, 12);
    expect(paper?.massKept).toBeCloseTo(expected.kept, 9);
    expect(paper?.clipped).toBeLessThan(of('grpo')?.usual.clipped as number);
  });

  it('bands of the libraries, and shares that fall as the band widens', async () => {
    const { maps } = await run(made({ sigma: 0.05 }));
    for (const map of maps) {
      for (const side of [map.low, map.high]) {
        const falling = Array.from(side.clipped);
        expect(falling).toEqual([...falling].sort((a, b) => b - a));
        side.clipped.forEach((x, k) => expect(x).toBeLessThanOrEqual(side.outside[k]));
      }
      expect(map.usual.massKept).toBeGreaterThan(0);
      expect(map.usual.massKept).toBeLessThanOrEqual(1);
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
    expect(result.outside.gspo.predicted).toBeCloseTo(closed, 12);
    expect(claimOf(result, 'clipping.gspo-outside')).toMatchObject({
      verdict: 'holds',
      measured: expect.closeTo(1, 1) as number,
    });
  });

  it('a prompt effect breaks the prediction, and the claim says so', async () => {
    const broken = await run(made({ sigma: 0.004, tau: 0.004, minLength: 60, prompts: 200 }));
    expect(claimOf(broken, 'clipping.gspo-outside').verdict).toMatch(/fails|departs/);
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

  it('two orders of magnitude: holds on small updates, fails on large ones, not applicable without clips', async () => {
    const verdict = async (sigma: number) =>
      claimOf(await run(made({ sigma, prompts: 200 })), 'clipping.two-orders');
    expect((await verdict(0.085)).verdict).toBe('holds');
    expect((await verdict(0.4)).verdict).toBe('fails');
    const none = await verdict(0.001);
    expect([none.verdict, none.measured]).toEqual(['not applicable', null]);
  });

  it('as in verl, dual clip takes the gradient beyond its ceiling, whatever epsilon is', async () => {
    const rollouts = made({ sigma: 0.8 });
    const { maps } = await run(rollouts, { objectives: ['grpo', 'luspo'], library: 'verl' });
    const [grpo, luspo] = maps;
    const settings = recommended('grpo', 'verl', { low: 1, high: 1e9 }) as ObjectiveSettings;
    const mass = ({ gradient }: { gradient: Float64Array }) =>
      gradient.reduce((sum, g) => sum + Math.abs(g), 0);
    const surrogate = { kind: 'clip', level: 'token', low: 1, high: 1e9 } as const;
    const free = mass(evaluateObjective(rollouts, { ...settings, surrogate }));
    const capped = mass(evaluateObjective(rollouts, settings));
    expect(grpo?.library).toBe('verl');
    expect(grpo?.ceilingLost).toBeGreaterThan(0.01);
    expect(grpo?.ceilingLost).toBeCloseTo(1 - capped / free, 9);
    const published = mass(
      evaluateObjective(rollouts, recommended('grpo', 'verl') as ObjectiveSettings),
    );
    expect(grpo?.usual.massKept).toBeCloseTo(published / free, 9);
    // verl has no LUSPO.
    expect([luspo?.library, luspo?.ceilingLost]).toEqual(['trl', 0]);
    expect([grpo?.ceiling, luspo?.ceiling]).toEqual([{ ratio: 3, negativeOnly: true }, null]);
  });

  it('few prompts carry no verdict', async () => {
    const few = await run(made({ prompts: 5 }));
    for (const claim of few.claims) expect(claim.verdict).toMatch(/undecided|not applicable/);
  });

  it('on-policy data clips nothing and predicts nothing', async () => {
    const rollouts = made({ prompts: 30 });
    const { maps, sigma } = await run({ ...rollouts, logpNew: rollouts.logpOld });
    expect(sigma).toBe(0);
    for (const map of maps) {
      expect(Math.max(...map.low.clipped, ...map.high.clipped)).toBe(0);
      expect(
        Math.max(...(map.low.predictedOutside ?? [1]), ...(map.high.predictedOutside ?? [1])),
      ).toBe(0);
      expect(map.usual.massKept).toBe(1);
    }
  });
});
