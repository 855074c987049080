/** What if: against plain loops over the same responses, and what is no variant. */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../../math/philox';
import {
  gdpoAdvantages,
  groupAdvantages,
  optimalTokenAdvantages,
} from '../../math/objectives/advantages';
import { emptyRollouts, type Rollouts } from '../../rollouts/rollouts';
import { parseVariant, VariantError, whatIf } from './what-if';

const random = new Random(9, STREAM.synthetic);
const n = 24;
const lengths = Array.from({ length: n }, () => 2 + random.integer(9));
const offsets = Uint32Array.from([
  0,
  ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b)),
]);
const tokens = offsets[n];
const logpOld = Float64Array.from({ length: tokens }, () => -0.2 - 2 * random.uniform());
const rollouts: Rollouts = {
  ...emptyRollouts(),
  offsets,
  tokenIds: new Int32Array(tokens),
  logpOld,
  logpNew: logpOld.map((a) => Math.min(-1e-3, a + 0.02 * random.normal())),
  logpSampler: logpOld.map((a) => Math.min(-1e-3, a + 0.3 * random.normal())),
  group: Uint32Array.from({ length: n }, (_, i) => i >> 2),
  reward: new Float64Array(n),
  advantage: Float64Array.from({ length: n }, (_, i) => (i % 5 === 0 ? 0 : i % 2 ? 1 : -1)),
  finished: new Uint8Array(n).fill(1),
  prompts: [],
};

/** GSPO by hand: which responses are clipped at a band, log s and all. */
function clippedAt(low: number, high: number): boolean[] {
  return lengths.map((length, i) => {
    let d = 0;
    for (let t = 0; t < length; t++) {
      const at = offsets[i] + t;
      d += rollouts.logpNew[at] - rollouts.logpOld[at];
    }
    const s = Math.exp(d / length);
    const a = rollouts.advantage[i];
    return (a < 0 && s < 1 - low) || (a > 0 && s > 1 + high);
  });
}

describe('the same rollouts under two bands', () => {
  const result = whatIf(rollouts, ['gspo', 'gspo@0.01/0.01'].map(parseVariant));
  const [tight, wide] = [clippedAt(3e-4, 4e-4), clippedAt(0.01, 0.01)];
  const judged = (i: number) => rollouts.advantage[i] !== 0;

  it('who changes sides is who is inside one band and outside the other', () => {
    const woken = tight.flatMap((was, i) => (was && !wide[i] ? [i] : []));
    expect(woken.length).toBeGreaterThan(0);
    expect(result.changes[1]).toMatchObject({ silenced: [], woken });
    expect(result.changes[0]).toMatchObject({ silenced: [], woken: [], moved: 0 });
    expect(result.changes[0]?.cosine).toBeCloseTo(1, 12);
  });

  it('counts tokens and responses, and shares out the gradient', () => {
    const [first, second] = result.sides;
    const silent = tight.flatMap((was, i) => (was && judged(i) ? [i] : []));
    expect(first?.silentResponses).toBe(silent.length);
    expect(first?.clippedTokens).toBe(silent.reduce((sum, i) => sum + lengths[i], 0));
    expect(first?.silentTokens).toBe(first?.clippedTokens);
    expect(first?.clipShare).toBeCloseTo(silent.length / n, 12);
    for (const side of [first, second]) {
      expect(side?.share.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    }
    // Inside the band every response gets |A| s / n.
    const masses = lengths.map((length, i) => {
      let d = 0;
      for (let t = 0; t < length; t++) {
        const at = offsets[i] + t;
        d += rollouts.logpNew[at] - rollouts.logpOld[at];
      }
      return wide[i] ? 0 : Math.abs(rollouts.advantage[i]) * Math.exp(d / length);
    });
    const total = masses.reduce((a, b) => a + b, 0);
    masses.forEach((mass, i) => expect(second?.share[i]).toBeCloseTo(mass / total, 10));
    const moved = masses.reduce(
      (sum, mass, i) => sum + Math.abs(mass / total - first?.share[i]) / 2,
      0,
    );
    expect(result.changes[1]?.moved).toBeCloseTo(moved, 12);
  });
});

describe('corrections', () => {
  it('a masked response is silent, a rejected one too, and only the latter leaves the mean', () => {
    const { sides, corrected } = whatIf(
      rollouts,
      ['dapo.verl', 'dapo.verl+sequence-mask=0.9/1.1', 'dapo.verl+seq_sum_k1=0.9/1.1'].map(
        parseVariant,
      ),
    );
    expect(corrected).toBe(true);
    const [plain, masked, rejected] = sides;
    const left = lengths.map((length, i) => {
      let x = 0;
      for (let t = 0; t < length; t++) {
        const at = offsets[i] + t;
        x += logpOld[at] - (rollouts.logpSampler?.[at] as number);
      }
      return -x >= Math.log(0.9) && -x <= Math.log(1.1);
    });
    const silent = left.filter((own, i) => !own && rollouts.advantage[i] !== 0).length;
    expect(silent).toBeGreaterThan(0);
    expect(rejected?.silentResponses).toBe(silent);
    expect(masked?.silentResponses).toBeGreaterThan(0);
    expect(plain?.silentResponses).toBe(0);
    expect(masked?.name).toBe('dapo.verl+sequence-mask=0.9/1.1');
  });

  it('says when there is nothing to correct with', () => {
    const { logpSampler, ...without } = rollouts;
    expect(logpSampler).toBeDefined();
    expect(whatIf(without, [parseVariant('gspo+sequence-mask')]).corrected).toBe(false);
    expect(whatIf(without, [parseVariant('gspo')]).corrected).toBe(true);
  });
});

describe("verl's bypass_mode", () => {
  const sampler = rollouts.logpSampler as Float64Array;
  const losses = (clips: boolean, high: number | null) => {
    let [sum, count] = [0, 0];
    lengths.forEach((length, i) => {
      for (let t = offsets[i]; t < offsets[i] + length; t++) {
        const b = rollouts.logpNew[t];
        const r = Math.exp(b - sampler[t]);
        const a = rollouts.advantage[i];
        if (clips && high !== null && (r > high || r < 1 / high)) continue;
        count++;
        const clipped = Math.max(-a * r, -a * Math.min(Math.max(r, 0.8), 1.2));
        const ppo = a < 0 ? Math.min(clipped, -3 * a) : clipped;
        sum += clips ? ppo : -a * b * Math.min(r, high ?? Infinity);
      }
    });
    return sum / count;
  };

  it('the ratio is to the sampler; PPO takes rejection only, REINFORCE weights', () => {
    const texts = [
      'grpo.verl+bypass',
      'grpo.verl+bypass+token-truncate=none/1.1',
      'grpo.verl+bypass+token_k1=0.8/1.25',
      'reinforce.verl+bypass+token-truncate=none/1.3',
    ];
    const { sides } = whatIf(rollouts, texts.map(parseVariant));
    expect(sides.map(({ name }) => name)).toEqual(texts);
    expect(sides[0]?.loss).toBeCloseTo(losses(true, null), 12);
    expect(sides[1]?.loss).toBeCloseTo(losses(true, null), 12);
    expect(sides[2]?.loss).toBeCloseTo(losses(true, 1.25), 12);
    expect(sides[3]?.loss).toBeCloseTo(losses(false, 1.3), 12);
  });

  it('is of verl only, and needs a sampler', () => {
    expect(() => parseVariant('grpo.trl+bypass')).toThrow(/bypass is verl's/);
    expect(() => parseVariant('gspo.verl+bypass')).toThrow(/bypass is verl's/);
    const { logpSampler, ...without } = rollouts;
    expect(logpSampler).toBeDefined();
    expect(whatIf(without, [parseVariant('grpo.verl+bypass')]).corrected).toBe(false);
  });
});

describe('GSPO elsewhere', () => {
  const byHand = (low: number, high: number, mean: boolean) => {
    let loss = 0;
    lengths.forEach((length, i) => {
      const at = (t: number) => offsets[i] + t;
      let d = 0;
      for (let t = 0; t < length; t++) d += rollouts.logpNew[at(t)] - logpOld[at(t)];
      const s = Math.exp(d / length);
      const a = rollouts.advantage[i];
      const own = -Math.min(s * a, Math.min(Math.max(s, 1 - low), 1 + high) * a);
      loss += mean ? own / n : own * length;
    });
    return loss;
  };

  it('Tinker sums over tokens, ROLL clips at 0.2', () => {
    const { sides, changes } = whatIf(
      rollouts,
      ['gspo', 'gspo.tinker', 'gspo.roll'].map(parseVariant),
    );
    expect(sides.map(({ name }) => name)).toEqual(['gspo.trl', 'gspo.tinker', 'gspo.roll']);
    expect(sides[1]?.loss).toBeCloseTo(byHand(3e-4, 4e-4, false), 10);
    expect(sides[2]?.loss).toBeCloseTo(byHand(0.2, 0.2, true), 12);
    // The same gate as GSPO's; a longer response gets more of the gradient.
    expect(changes[1]?.silenced).toEqual([]);
    expect(changes[1]?.moved).toBeGreaterThan(0.01);
    expect(sides[1]?.clipShare).toBeNull();
    expect(() => parseVariant('dapo.roll')).toThrow(/roll has no objective "dapo"/);
  });
});

describe('Tinker’s own mask of the ratio', () => {
  // Every third token is left out of the ratio, and stays in the loss.
  const mask = Float64Array.from({ length: tokens }, (_, t) => Number(t % 3 > 0));
  const masked = { ...rollouts, tables: { ratio_mask: { width: 1, values: mask } } };

  it('is over the mask, summed over all tokens; other objectives do not look at it', () => {
    let loss = 0;
    lengths.forEach((length, i) => {
      const d: number[] = [];
      for (let t = offsets[i]; t < offsets[i + 1]; t++) {
        if (mask[t] === 1) d.push(rollouts.logpNew[t] - logpOld[t]);
      }
      const s = Math.exp(d.reduce((a, b) => a + b, 0) / d.length);
      const a = rollouts.advantage[i];
      loss -= length * Math.min(s * a, Math.min(Math.max(s, 1 - 3e-4), 1 + 4e-4) * a);
    });
    const sides = (of: Rollouts) =>
      whatIf(of, ['gspo.tinker', 'gspo.trl', 'gspo.roll'].map(parseVariant)).sides;
    expect(sides(masked)[0]?.loss).toBeCloseTo(loss, 9);
    expect(sides(masked)[0]?.loss).not.toBeCloseTo(sides(rollouts)[0]?.loss ?? NaN, 3);
    expect(sides(masked).slice(1)).toEqual(sides(rollouts).slice(1));
  });
});

describe('variants as text', () => {
  it('reads objective, library, band and correction, and writes them back', () => {
    const { sides } = whatIf(
      rollouts,
      ['reinforce', 'cispo.verl@0.5/0.3', 'grpo.trl@0.2/0.28+icepop=0.6/none'].map(parseVariant),
    );
    expect(sides.map(({ name }) => name)).toEqual([
      'reinforce.verl',
      'cispo.verl@0.5/0.3',
      'grpo.trl@0.2/0.28+icepop=0.6/none',
    ]);
  });

  it.each([
    ['', /no variant/],
    ['gspo@3e-4', /no variant/],
    ['gsp', /there is no objective "gsp"/],
    ['gspo.trx', /there is no library "trx"/],
    ['luspo.verl', /verl has no objective "luspo"/],
    ['gspo@-1/2', /no number of 0 or more/],
    ['gspo@x/2', /no number of 0 or more/],
    ['sapo@0.1/0.1', /no epsilon/],
    ['gspo+tis', /there is no correction "tis"/],
    ['__proto__', /no objective/],
    ['constructor', /no objective/],
  ])('"%s" is refused in a sentence', (text, sentence) => {
    expect(() => parseVariant(text)).toThrow(VariantError);
    expect(() => parseVariant(text)).toThrow(sentence);
  });
});

describe("TRL's top_entropy_quantile", () => {
  const entropyNew = Float64Array.from({ length: tokens }, (_, t) => (t * 7919) % 1009);
  const variants = ['grpo', 'grpo+top-entropy=0.25', 'grpo+sequence-mask=none/3+top-entropy=0.25'];

  it('silences three quarters of the tokens, with or without a correction', () => {
    const found = whatIf({ ...rollouts, entropyNew }, variants.map(parseVariant));
    expect(found.entropies).toBe(true);
    expect(found.sides.map(({ name }) => name)).toEqual([
      'grpo.trl',
      'grpo.trl+top-entropy=0.25',
      'grpo.trl+top-entropy=0.25+sequence-mask=none/3',
    ]);
    // By hand: GRPO's loss of the tokens whose entropy is among the largest quarter.
    const least = [...entropyNew].sort((a, b) => b - a)[Math.floor((tokens - 1) / 4)];
    let loss = 0;
    lengths.forEach((length, i) => {
      for (let t = offsets[i]; t < offsets[i + 1]; t++) {
        if (entropyNew[t] < least) continue;
        const r = Math.exp(rollouts.logpNew[t] - rollouts.logpOld[t]);
        const a = rollouts.advantage[i];
        loss -= Math.min(r * a, Math.min(Math.max(r, 0.8), 1.2) * a) / length / n;
      }
    });
    expect(found.sides[1]?.loss).toBeCloseTo(loss, 12);
  });

  it('takes the entropies of pi_old where there are no others, and says where there are none', () => {
    const old = whatIf({ ...rollouts, entropyOld: entropyNew }, variants.map(parseVariant));
    const both = { ...rollouts, entropyNew, entropyOld: new Float64Array(tokens) };
    expect(old.sides[1]?.loss).toBe(whatIf(both, variants.map(parseVariant)).sides[1]?.loss);
    const none = whatIf(rollouts, variants.map(parseVariant));
    expect(none.entropies).toBe(false);
    expect(none.sides[1]?.loss).toBe(none.sides[0]?.loss);
  });

  it.each([
    ['grpo.verl+top-entropy=0.2', /is TRL's/],
    ['luspo+top-entropy=0.2', /but LUSPO/],
    ['gspo.tinker+top-entropy=0.2', /is TRL's/],
    ['grpo+top-entropy=2', /a share, 0 to 1/],
    ['grpo+top-entropy=', /no number/],
    ['grpo+sequence-mask+token-mask', /one option too many/],
  ])('%s is no variant', (text, why) => {
    expect(() => parseVariant(text)).toThrow(why);
  });
});

describe('TRL’s beta', () => {
  const logpRef = logpOld.map((a, t) => a - 0.1 * (t % 3));
  const own = (...texts: string[]) => whatIf({ ...rollouts, logpRef }, texts.map(parseVariant));

  it('adds to the loss what its tokens add, and reaches responses that a clip silences', () => {
    const result = own('gspo.trl', 'gspo.trl+beta=0.04', 'gspo.trl+corrected-beta=0.04');
    const [plain, penalised, corrected] = result.sides;
    let mean = 0;
    for (let i = 0; i < n; i++) {
      for (let t = offsets[i]; t < offsets[i + 1]; t++) {
        const x = logpRef[t] - rollouts.logpNew[t];
        mean += (Math.exp(x) - x - 1) / lengths[i] / n;
      }
    }
    expect((penalised?.loss ?? 0) - (plain?.loss ?? 0)).toBeCloseTo(0.04 * mean, 12);
    expect(corrected?.loss).not.toBe(penalised?.loss);
    expect(plain?.silentResponses).toBeGreaterThan(0);
    expect(penalised?.silentResponses).toBe(0);
    expect(penalised?.clippedTokens).toBe(plain?.clippedTokens);
    expect(result).toMatchObject({ references: true, hasReference: true });
  });

  it('is written as it is read, and changes nothing without a reference policy', () => {
    const result = own(
      'grpo+beta=0.1+top-entropy=0.5+sequence-mask=none/3',
      'grpo+corrected-beta=1',
    );
    expect(result.sides.map(({ name }) => name)).toEqual([
      'grpo.trl+top-entropy=0.5+beta=0.1+sequence-mask=none/3',
      'grpo.trl+corrected-beta=1',
    ]);
    const without = whatIf(rollouts, ['grpo', 'grpo+beta=1'].map(parseVariant));
    expect(without).toMatchObject({ references: false, hasReference: false });
    expect(without.sides[1]?.loss).toBe(without.sides[0]?.loss);
  });

  it.each([
    ['grpo.verl+beta=0.1', /beta is TRL's/],
    ['luspo+beta=0.1', /beta is TRL's/],
    ['grpo+beta=-1', /no number of 0 or more/],
    ['grpo+beta=1+corrected-beta=1', /one option too many/],
  ])('%s is refused', (text, says) => {
    expect(() => parseVariant(text)).toThrow(says);
  });
});

describe('advantages by another rule', () => {
  const reward = Float64Array.from({ length: n }, () => random.integer(3));
  const second = Float64Array.from({ length: n }, () => random.uniform());
  const rewarded: Rollouts = {
    ...rollouts,
    reward,
    rewardParts: Float64Array.from({ length: 2 * n }, (_, k) =>
      k % 2 === 0 ? reward[k >> 1] : second[k >> 1],
    ),
    collisionOld: Float64Array.from(logpOld, (l) => Math.exp(2 * l) + 0.1 * random.uniform()),
  };
  const { group, collisionOld } = rewarded;
  const lossOf = (own: Rollouts, variant: string) =>
    whatIf(own, [parseVariant(variant)]).sides[0]?.loss;

  it.each([
    ['opo', () => ({ advantage: groupAdvantages(reward, group, 'opo', lengths) })],
    ['gdpo', () => ({ advantage: gdpoAdvantages([reward, second], group, lengths) })],
    [
      'optimal_token_baseline',
      () => ({
        tokenAdvantage: optimalTokenAdvantages(reward, group, {
          offsets,
          logpOld,
          collisionOld: collisionOld as Float64Array,
        }),
      }),
    ],
  ])('%s: the loss is that of the same responses with those advantages', (rule, columns) => {
    const result = whatIf(
      rewarded,
      ['grpo.verl', `grpo.verl+advantages=${rule}`].map(parseVariant),
    );
    expect(result.lacking).toBe(null);
    const own = { ...rewarded, ...columns() };
    expect(result.sides[1]?.loss).toBeCloseTo(lossOf(own, 'grpo.verl') as number, 12);
    expect(result.sides[1]?.loss).not.toBeCloseTo(result.sides[0]?.loss as number, 6);
    expect(result.sides[1]?.name).toContain(`+advantages=${rule}`);
  });

  it('says what a rule needs and the rollouts lack, and leaves advantages as they are', () => {
    for (const [rule, lacking] of [
      ['gdpo', /parts of the rewards/],
      ['optimal_token_baseline', /sum of p\^2/],
    ] as const) {
      const result = whatIf(rollouts, [parseVariant(`grpo.verl+advantages=${rule}`)]);
      expect(result.lacking).toMatch(lacking);
      expect(result.sides[0]?.loss).toBe(lossOf(rollouts, 'grpo.verl'));
    }
    expect(() => parseVariant('grpo.verl+advantages=ppo')).toThrow(VariantError);
  });
});
