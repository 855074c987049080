/** Flipped routes on rollouts whose truth is planted: what is found is what was planted, at matched margins. */
import { describe, expect, it } from 'vitest';
import { cpuKernels } from '../../math/cpu-kernels';
import { Random, STREAM } from '../../math/philox';
import { REPLAYED, type Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { DEFAULT_SYNTHETIC } from '../../settings/run';
import { experts, type ExpertsResult } from '.';

const context = { kernels: cpuKernels, seed: 1 };
const SIGMA = 0.05;

/**
 * Tokens near a tie flip more often and vary more anyway; flipped ones vary `times` as much besides (standard deviation).
 */
function planted(times: number, replay = true): Rollouts {
  const base = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 1600, groupSize: 4 });
  const random = new Random(31, STREAM.synthetic);
  const tokens = base.logpOld.length;
  const before = new Float64Array(2 * tokens);
  const after = new Float64Array(2 * tokens);
  const logpOld = base.logpOld.map(() => -2);
  const replayed = new Float64Array(tokens);
  const logpNew = Float64Array.from({ length: tokens }, (_, t) => {
    const margin = random.uniform();
    const flips = random.uniform() < 0.3 * (1 - margin);
    before.set([3, margin], 2 * t);
    after.set([flips ? 5 : 3, margin], 2 * t);
    const quiet = SIGMA * (2 - margin) * random.normal();
    replayed[t] = -2 + quiet + 0.01 * SIGMA * random.normal();
    return -2 + (flips ? times : 1) * quiet;
  });
  return {
    ...base,
    logpOld,
    logpNew,
    tables: {
      'router.old': { width: 2, values: before },
      'router.new': { width: 2, values: after },
      ...(replay ? { [REPLAYED]: { width: 1, values: replayed } } : {}),
    },
  };
}

const run = (rollouts: Rollouts) => experts.run(rollouts, experts.defaults, context);
const verdicts = ({ claims }: ExpertsResult) =>
  Object.fromEntries(claims.map(({ id, verdict }) => [id, verdict]));

describe('experts', () => {
  it('harmless flips are found harmless, though they sit where tokens vary more', async () => {
    const result = await run(planted(1));
    expect(verdicts(result)).toEqual({
      'experts.inflation': 'fails',
      'experts.share': 'holds',
      'experts.replay.token': 'fails',
      'experts.replay.sequence': 'holds',
      'experts.averaging': 'holds',
      // A response crosses GSPO's narrow band by next to nothing.
      'experts.replay.gradient': 'fails',
    });
    const { measure } = result;
    expect(measure?.flipped.estimate).toBeCloseTo(0.15, 2);
    expect(Math.abs(measure?.inflation.estimate ?? NaN)).toBeLessThan(0.1);
    // More than their share of the tokens, by where they sit.
    expect(measure?.share.estimate).toBeGreaterThan(0.15);
  });

  it('flips that inflate ratios are found at their size', async () => {
    const result = await run(planted(3));
    expect(verdicts(result)).toEqual({
      'experts.inflation': 'holds',
      'experts.share': 'fails',
      'experts.replay.token': 'holds',
      'experts.replay.sequence': 'fails',
      'experts.averaging': 'holds',
      'experts.replay.gradient': 'fails',
    });
    // Flipped tokens vary nine times as much; replay leaves them what they would have varied anyhow.
    const { replay, share } = result.measure ?? {};
    const left = Math.exp(replay?.left.sequence.estimate ?? NaN);
    expect(left).toBeCloseTo(1 - (share?.estimate ?? NaN) * (8 / 9), 1);
    expect(replay?.outside.token.free.estimate).toBeGreaterThan(
      replay?.outside.token.replayed.estimate ?? NaN,
    );
    expect(result.measure?.inflation.estimate).toBeCloseTo(Math.log(9), 0);
  });

  it('what replay does to each objective is what the objective says on either log-probs', async () => {
    // Each response has one token that a flip lifts out of GRPO's band and one that it throws out: s stays.
    const base = syntheticRollouts({
      ...DEFAULT_SYNTHETIC,
      prompts: 200,
      groupSize: 4,
      minLength: 8,
    });
    const tokens = base.logpOld.length;
    const random = new Random(5, STREAM.synthetic);
    const replayed = Float64Array.from(base.logpOld, (x) => x + 1e-5 * random.normal());
    const logpNew = replayed.slice();
    const sets = new Float64Array(2 * tokens).fill(3);
    const others = sets.slice();
    for (let i = 0; i + 1 < base.offsets.length; i++) {
      [0.6, -0.6].forEach((jump, k) => {
        const t = (base.offsets[i] as number) + k;
        logpNew[t] = (logpNew[t] as number) + jump;
        others[2 * t] = 5;
      });
    }
    const rollouts: Rollouts = {
      ...base,
      logpNew,
      advantage: base.advantage.map(() => (random.uniform() < 0.5 ? 1 : -1)),
      tables: {
        'router.old': { width: 2, values: sets },
        'router.new': { width: 2, values: others },
        [REPLAYED]: { width: 1, values: replayed },
      },
    };
    const result = await run(rollouts);
    const replay = result.measure?.replay;
    const grpo = replay?.objectives.find(({ id }) => id === 'grpo');
    const gspo = replay?.objectives.find(({ id }) => id === 'gspo');
    // Of a response's two, the clipped one is the one that its advantage would push further out.
    expect(grpo?.clipped?.free.estimate).toBeCloseTo(800 / tokens, 4);
    expect(grpo?.clipped?.replayed.estimate).toBe(0);
    expect(grpo?.clipped?.difference.estimate).toBeCloseTo(-800 / tokens, 4);
    expect(gspo?.clipped?.free.estimate).toBe(gspo?.clipped?.replayed.estimate);
    expect(gspo?.moved.estimate).toBeLessThan(1e-4);
    expect(grpo?.moved.estimate).toBeGreaterThan(0.03);
    expect(verdicts(result)['experts.replay.gradient']).toBe('holds');
  });

  it('rollouts that were not scored on the old routes say nothing of replay', async () => {
    const result = await run(planted(3, false));
    expect(result.measure?.replay).toBeNull();
    expect(verdicts(result)['experts.replay.token']).toBe('not applicable');
    expect(verdicts(result)['experts.inflation']).toBe('holds');
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
