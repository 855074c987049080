/** Flipped routes on rollouts whose truth is planted: what is found is what was planted, at matched margins. */
import { describe, expect, it } from 'vitest';
import { cpuKernels } from '../../math/cpu-kernels';
import { Random, STREAM } from '../../math/philox';
import type { Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { DEFAULT_SYNTHETIC } from '../../settings/run';
import { experts, type ExpertsResult } from '.';

const context = { kernels: cpuKernels, seed: 1 };
const SIGMA = 0.05;

/**
 * Tokens near a tie flip more often and vary more anyway; flipped ones vary `times` as much besides (standard deviation).
 */
function planted(times: number): Rollouts {
  const base = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 400, groupSize: 4 });
  const random = new Random(31, STREAM.synthetic);
  const tokens = base.logpOld.length;
  const before = new Float64Array(2 * tokens);
  const after = new Float64Array(2 * tokens);
  const logpOld = base.logpOld.map(() => -2);
  const logpNew = Float64Array.from({ length: tokens }, (_, t) => {
    const margin = random.uniform();
    const flips = random.uniform() < 0.3 * (1 - margin);
    before.set([3, margin], 2 * t);
    after.set([flips ? 5 : 3, margin], 2 * t);
    return -2 + SIGMA * (2 - margin) * (flips ? times : 1) * random.normal();
  });
  return {
    ...base,
    logpOld,
    logpNew,
    tables: {
      'router.old': { width: 2, values: before },
      'router.new': { width: 2, values: after },
    },
  };
}

const run = (rollouts: Rollouts) => experts.run(rollouts, experts.defaults, context);
const verdicts = ({ claims }: ExpertsResult) =>
  Object.fromEntries(claims.map(({ id, verdict }) => [id, verdict]));

describe('experts', () => {
  it('harmless flips are found harmless, though they sit where tokens vary more', async () => {
    const result = await run(planted(1));
    expect(verdicts(result)).toEqual({ 'experts.inflation': 'fails', 'experts.share': 'holds' });
    const { measure } = result;
    expect(measure?.flipped.estimate).toBeCloseTo(0.15, 2);
    expect(Math.abs(measure?.inflation.estimate ?? NaN)).toBeLessThan(0.1);
    // More than their share of the tokens, by where they sit.
    expect(measure?.share.estimate).toBeGreaterThan(0.15);
  });

  it('flips that inflate ratios are found at their size', async () => {
    const result = await run(planted(3));
    expect(verdicts(result)).toEqual({ 'experts.inflation': 'holds', 'experts.share': 'fails' });
    expect(result.measure?.inflation.estimate).toBeCloseTo(Math.log(9), 0);
  });

  it('without routes there is nothing to measure, nor where none flipped', async () => {
    const { tables, ...dense } = planted(1);
    expect((await run(dense)).measure).toBeNull();
    const still = { ...tables, 'router.new': tables?.['router.old'] } as Rollouts['tables'];
    for (const rollouts of [dense, { ...dense, tables: still } as Rollouts]) {
      expect(new Set(Object.values(verdicts(await run(rollouts))))).toEqual(
        new Set(['not applicable']),
      );
    }
  });
});
