/** A chosen mismatch correction reaches losses, gradients and clip maps as TRL and verl apply it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SYNTHETIC } from '../settings/run';
import { cpuKernels } from '../math/cpu-kernels';
import { correctionWeights, type ActiveCorrectionId } from '../math/diagnostics/corrections';
import { Random, STREAM } from '../math/philox';
import { evaluateObjective } from '../math/objectives/evaluate';
import {
  recommended,
  type ClippedId,
  type ObjectiveId,
  type ObjectiveSettings,
} from '../math/objectives/registry';
import type { Library } from '../math/objectives/types';
import type { Rollouts } from '../rollouts/rollouts';
import { syntheticRollouts } from '../rollouts/synthetic';
import { clipping } from './clipping';
import type { CorrectionSettings } from './shared/settings';
import { gradient } from './gradient';
import { objectives } from './objectives';
import { PEER_EXAMPLE } from './objectives/measure';

const context = { kernels: cpuKernels, seed: 1, replications: 49 };

interface Peers {
  inputs: { sampler_logps: number[][] };
  mismatch: Record<string, unknown>;
}
const peers = JSON.parse(
  readFileSync(new URL('../math/objectives/peer-cases.json', import.meta.url), 'utf8'),
) as Peers;
const peerRollouts: Rollouts = {
  ...PEER_EXAMPLE,
  logpSampler: Float64Array.from(peers.inputs.sampler_logps.flat()),
  tokenIds: new Int32Array(10).fill(-1),
  group: new Uint32Array(3),
  reward: new Float64Array(3),
  finished: new Uint8Array(3).fill(1),
  prompts: ['q'],
};
const choose = (
  id: ActiveCorrectionId,
  high: number | null = null,
  low: number | null = null,
): CorrectionSettings => ({ id, low, high });

/** Synthetic rollouts whose sampler is off by normal noise of `sd` nats per token. */
function withSampler(sd: number): Rollouts & { logpSampler: Float64Array } {
  const rollouts = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 40, maxLength: 40 });
  const random = new Random(5, STREAM.synthetic);
  const logpSampler = Float64Array.from(rollouts.logpOld, (x) =>
    Math.min(x - sd * random.normal(), 0),
  );
  return { ...rollouts, logpSampler };
}

describe('objectives', () => {
  // The peers' figures are those of the token clip at 0.2/0.2 under a token mean.
  it.each([
    ['trl', 'dapo', 'trl.dapo x sequence_mask(3.0, default)', choose('sequence-mask')],
    ['trl', 'dapo', 'trl.dapo x sequence_truncate(3.0)', choose('sequence-truncate', 3)],
    ['trl', 'dapo', 'trl.dapo x token_truncate(3.0)', choose('token-truncate', 3)],
    ['trl', 'dapo', 'trl.dapo x token_mask(3.0)', choose('token-mask')],
    ['verl', 'grpo', 'verl.token-mean x token TIS(2.0)', choose('token-truncate')],
    ['verl', 'grpo', 'verl.token-mean x seq TIS(2.0)', choose('sequence-truncate')],
    ['verl', 'grpo', 'verl.token-mean x token IcePop(0.5_2.0)', choose('icepop', 2, 0.5)],
  ] as [Library, ObjectiveId, string, CorrectionSettings][])(
    '%s %s: %s',
    async (library, id, figure, correction) => {
      const band = { low: 0.2, high: 0.2, length: null };
      const result = await objectives.run(peerRollouts, { ...band, correction }, context);
      const plain = await objectives.run(peerRollouts, band, context);
      const side = result.objectives.find((row) => row.id === id)?.[library];
      const before = plain.objectives.find((row) => row.id === id)?.[library];
      expect(Number(side?.loss.toPrecision(8))).toBe(peers.mismatch[figure]);
      expect(side?.uncorrected).toEqual({ loss: before?.loss, mass: before?.mass });
      // No library's clip metrics see the weights.
      expect(side?.clip).toEqual(before?.clip);
      expect(result.correction).toMatchObject({ available: true });
    },
  );

  it('OPSM drops the responses that TRL drops', () => {
    const kept = peers.mismatch['trl.opsm keep(delta=0.0005, old used as sampler)'];
    const batch = { ...peerRollouts, logpSampler: peerRollouts.logpOld };
    const weights = correctionWeights(batch, 'opsm', { low: null, high: 0.0005 });
    expect([0, 2, 5].map((t) => weights[t])).toEqual(kept);
    expect(weights.length).toBe(10);
  });

  it('without sampler log-probs a choice changes nothing, and the result says so', async () => {
    const bare = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 4 });
    const settings = objectives.defaults;
    const chosen = await objectives.run(
      bare,
      { ...settings, correction: choose('token-truncate') },
      context,
    );
    expect(chosen).toEqual(await objectives.run(bare, settings, context));
    expect(chosen.correction).toEqual({ available: false, effect: null });
  });
});

describe('clipping and gradient', () => {
  it.each([
    ['grpo', choose('token-truncate', 1.02)],
    ['grpo', choose('icepop', 1.03, 0.97)],
    ['gspo', choose('sequence-mask', 1.1)],
    ['gspo_token', choose('sequence-mask', 1.1)],
    ['dapo', choose('token-truncate', 1.02)],
    // TRL leaves the weights out of RLOO's loss.
    ['rloo', choose('token-truncate', 1.02)],
  ] as [ClippedId, CorrectionSettings][])(
    '%s: the map is the gradient that the corrected objective keeps',
    async (id, correction) => {
      const rollouts = withSampler(0.03);
      const weights = correctionWeights(rollouts, correction.id as ActiveCorrectionId, correction);
      expect(new Set(weights).size).toBeGreaterThan(1);
      const grid = { gridLow: 0.01, gridHigh: 0.3, gridPoints: 4 };
      const settings = { ...clipping.defaults, ...grid, objectives: [id], correction };
      const { maps, claims } = await clipping.run(rollouts, settings, context);
      const map = maps[0];
      if (!map) throw new Error('no map');
      const mass = (low: number, high: number) =>
        evaluateObjective(
          rollouts,
          recommended(id, 'trl', { low, high }) as ObjectiveSettings,
          weights,
        ).gradient.reduce((sum, g) => sum + Math.abs(g), 0);
      map.epsilon.forEach((epsilon, k) => {
        const kept = 1 - map.low.massLost[k] - map.high.massLost[k];
        expect(kept).toBeCloseTo(mass(epsilon, epsilon) / mass(1, 1e300), 10);
      });
      // Shares are of the weight: tokens that the correction drops do not count.
      for (const level of ['grpo', 'gspo']) {
        const outside = claims.find((claim) => claim.id === `clipping.${level}-outside`);
        expect(Number.isFinite(outside?.measured)).toBe(true);
      }
    },
  );

  it('the gradient page reports what the correction takes away, and sees it by length', async () => {
    const rollouts = withSampler(0.05);
    const correction = choose('sequence-mask', 1.2);
    const settings = { ...gradient.defaults, objectives: ['gspo'] as const, correction };
    const result = await gradient.run(
      rollouts,
      { ...settings, objectives: [...settings.objectives] },
      context,
    );
    const [gspo] = result.objectives;
    if (!gspo) throw new Error('no objective');
    const weights = correctionWeights(rollouts, 'sequence-mask', { low: null, high: 1.2 });
    const total = (m?: Float64Array) =>
      evaluateObjective(
        rollouts,
        recommended('gspo', 'trl') as ObjectiveSettings,
        m,
      ).gradient.reduce((sum, g) => sum + Math.abs(g), 0);
    expect(gspo.mass).toBeCloseTo(total(weights), 12);
    expect(gspo.uncorrectedMass).toBeCloseTo(total(), 12);
    expect(result.correction.effect?.dropped).toBeGreaterThan(0);
  });
});
