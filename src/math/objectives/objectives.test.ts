/**
 * What must be true of every objective on any data: gradients agree with finite differences, GSPO equals
 * GSPO-token, and neither order nor grouping of the input changes a number.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { groupAdvantages } from './advantages';
import { evaluateObjective } from './evaluate';
import {
  CLIPPED_IDS,
  kindOf,
  OBJECTIVES,
  OBJECTIVE_IDS,
  objective,
  recommended,
  settingsIn,
  withBand,
  type ObjectiveSettings,
} from './registry';
import { ObjectiveError, type ObjectiveBatch } from './types';

/** Random responses of 1..12 tokens; `spread` is the standard deviation of d_t. */
function randomBatch(seed: number, n: number, spread: number): ObjectiveBatch {
  const random = new Random(seed, STREAM.synthetic);
  const offsets = new Uint32Array(n + 1);
  const old: number[] = [];
  const next: number[] = [];
  const advantage = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const length = 1 + random.integer(12);
    offsets[i + 1] = offsets[i] + length;
    for (let t = 0; t < length; t++) {
      const a = -0.05 - 3 * random.uniform();
      old.push(a);
      next.push(Math.min(a + spread * random.normal(), -1e-3));
    }
    advantage[i] = random.normal();
  }
  return { offsets, logpOld: Float64Array.from(old), logpNew: Float64Array.from(next), advantage };
}

const every: [string, ObjectiveSettings][] = OBJECTIVES.flatMap((entry) =>
  [entry.trl, entry.verl].flatMap((settings) =>
    settings ? [[`${settings.library} ${entry.id}`, settings] as [string, ObjectiveSettings]] : [],
  ),
);
/** Surrogates whose weight is detached: their loss is linear in log pi_theta with the weight frozen. */
const detached = ({ surrogate }: ObjectiveSettings) => kindOf(surrogate).detached;

const batches = fc.record({
  seed: fc.nat(1_000_000),
  n: fc.integer({ min: 1, max: 6 }),
  spread: fc.constantFrom(1e-4, 0.02, 0.3, 1),
});
/** Seeded: a finite difference across a kink of min(.,.) is wrong by construction, not by a bug. */
const RUNS = { seed: 20251023, numRuns: 40 };

describe('registry', () => {
  it('has exactly one entry per id, each with settings of at least one library', () => {
    expect(OBJECTIVES.map((entry) => entry.id)).toEqual([...OBJECTIVE_IDS]);
    for (const id of OBJECTIVE_IDS) {
      const entry = objective(id);
      expect(entry.trl ?? entry.verl).not.toBeNull();
      expect(entry.trl?.library ?? 'trl').toBe('trl');
      expect(entry.verl?.library ?? 'verl').toBe('verl');
      expect(entry.source.url).toMatch(/^https:\/\//);
    }
  });

  it('an epsilon that can be set is the one that is held against the ratio; nothing else has one', () => {
    const band = { low: 0.125, high: 0.375 };
    for (const entry of OBJECTIVES) {
      const settings = settingsIn(entry);
      const kind = kindOf(settings.surrogate);
      // Of one that looks at the whole batch no map can be drawn.
      if (kind.select) expect(kind.range).toBeNull();
      else expect(kind.withBand === null, entry.id).toBe(kind.range === null);
      expect((CLIPPED_IDS as readonly string[]).includes(entry.id)).toBe(kind.range !== null);
      expect(entry.racing === undefined, entry.id).toBe(kind.range === null);
      const moved = kind.range?.(withBand(settings, band).surrogate).band;
      // CISPO caps from above only.
      if (moved) expect([moved.high, moved.low ?? band.low]).toEqual([band.high, band.low]);
      if (kind.range === null) expect(kind.withoutRange).not.toBe('');
    }
  });

  it('ungated, nothing is clipped or masked at any distance', () => {
    const far = randomBatch(4, 6, 0.8);
    for (const [name, settings] of every) {
      if (settings.surrogate.kind === 'sapo') continue;
      const { surrogate } = settings;
      const open = { ...settings, surrogate: kindOf(surrogate).ungated(surrogate) };
      for (const gate of evaluateObjective(far, open).gate) expect(gate, name).toBe(1);
    }
  });

  it('names and colours tell objectives apart, and colours reach 3:1 on their surface', () => {
    const luminance = (hex: string) => {
      const [r, g, b] = [1, 3, 5].map((k) => {
        const part = parseInt(hex.slice(k, k + 2), 16) / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const contrast = (a: string, b: string) => {
      const [x, y] = [luminance(a), luminance(b)];
      return Math.max(x, y) / Math.min(x, y);
    };
    for (const [theme, surface] of [
      ['light', '#fdfdfb'],
      ['dark', '#181d22'],
    ] as const) {
      for (const { id, colour } of OBJECTIVES) {
        expect(contrast(colour[theme], surface), `${id} ${theme}`).toBeGreaterThanOrEqual(3);
      }
      expect(new Set(OBJECTIVES.map(({ colour }) => colour[theme])).size).toBe(OBJECTIVES.length);
    }
    expect(new Set(OBJECTIVES.map(({ name }) => name)).size).toBe(OBJECTIVES.length);
  });

  it('overrides reach bands and lengths, and nothing else', () => {
    const gspo = recommended('gspo', 'trl', { low: 0.01, high: 0.02 });
    expect(gspo?.surrogate).toMatchObject({ kind: 'clip', low: 0.01, high: 0.02 });
    expect(recommended('dr_grpo', 'verl', { length: 8 })?.aggregation).toMatchObject({ length: 8 });
    expect(recommended('gmpo', 'trl', { low: 0.01 })).toEqual(objective('gmpo').trl);
    expect(recommended('vespo', 'verl')).toBeNull();
  });
});

describe('clamps', () => {
  it.each(every)(
    '%s: a weight stops growing at its clamp, and only where there is one',
    (_, settings) => {
      // One token, A < 0: no clip range bounds the weight from above.
      const at = (d: number) =>
        evaluateObjective(
          {
            offsets: Uint32Array.of(0, 1),
            logpOld: Float64Array.of(-100),
            logpNew: Float64Array.of(-100 + d),
            advantage: Float64Array.of(-1),
          },
          settings,
        );
      const clamps = kindOf(settings.surrogate).clamps(settings.surrogate, settings.library);
      for (const { high } of clamps) {
        expect(at(high + 3).weight[0]).toBe(at(high + 1).weight[0]);
      }
      const { kind } = settings.surrogate;
      if (clamps.length === 0 && (kind === 'clip' || kind === 'gmpo' || kind === 'sapo')) {
        expect(at(24).weight[0]).toBeGreaterThan(at(22).weight[0]);
      }
    },
  );
});

describe('gradients', () => {
  it.each(every)('%s: contributions add up to the loss', (_, settings) => {
    fc.assert(
      fc.property(batches, ({ seed, n, spread }) => {
        const { loss, tokenLoss } = evaluateObjective(randomBatch(seed, n, spread), settings);
        const sum = tokenLoss.reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - loss)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(loss)));
      }),
      RUNS,
    );
  });

  it.each(every.filter(([, s]) => !detached(s)))(
    '%s: equals finite differences of the loss',
    (_, settings) => {
      // GSPO-token's stop-gradient makes its value move with the other tokens; GSPO is what it stands for.
      const moving: ObjectiveSettings =
        settings.surrogate.kind === 'clip' && settings.surrogate.level === 'sequence-token'
          ? { ...settings, surrogate: { ...settings.surrogate, level: 'sequence' } }
          : settings;
      fc.assert(
        fc.property(batches, ({ seed, n, spread }) => {
          const batch = randomBatch(seed, n, spread);
          const { gradient } = evaluateObjective(batch, settings);
          const h = 1e-6;
          for (let t = 0; t < gradient.length; t++) {
            const shifted = (step: number) => {
              const logpNew = Float64Array.from(batch.logpNew);
              logpNew[t] = logpNew[t] + step;
              return evaluateObjective({ ...batch, logpNew }, moving).loss;
            };
            const numeric = (shifted(h) - shifted(-h)) / (2 * h);
            expect(Math.abs(numeric - gradient[t])).toBeLessThan(1e-6 * (1 + Math.abs(numeric)));
          }
        }),
        RUNS,
      );
    },
  );

  it.each(every.filter(([, s]) => detached(s)))(
    '%s: is the loss with frozen weights, linear in log pi_theta',
    (_, settings) => {
      fc.assert(
        fc.property(batches, ({ seed, n, spread }) => {
          const batch = randomBatch(seed, n, spread);
          const { gradient, tokenLoss, weight, gate } = evaluateObjective(batch, settings);
          for (let i = 0; i < n; i++) {
            for (let t = batch.offsets[i]; t < batch.offsets[i + 1]; t++) {
              const b = batch.logpNew[t];
              const g = gradient[t];
              expect(g * b).toBeCloseTo(tokenLoss[t], 12);
              // descent raises the log-prob of a good response, by its weight
              const push = weight[t] * gate[t];
              expect(Math.abs(g) === 0).toBe(push === 0);
              if (g !== 0) expect(Math.sign(-g)).toBe(Math.sign(batch.advantage[i]));
            }
          }
        }),
        RUNS,
      );
    },
  );

  it.each(['trl', 'verl'] as const)('%s: GSPO equals GSPO-token, loss and gradient', (library) => {
    fc.assert(
      fc.property(
        batches,
        fc.double({ min: 1e-4, max: 0.3, noNaN: true }),
        fc.constantFrom('seq-mean-token-mean', 'token-mean', 'seq-mean-token-sum'),
        ({ seed, n, spread }, epsilon, kind) => {
          const batch = randomBatch(seed, n, spread);
          const at = (level: 'sequence' | 'sequence-token') =>
            evaluateObjective(batch, {
              library,
              surrogate: { kind: 'clip', level, low: epsilon, high: epsilon * 1.3 },
              aggregation: { kind },
            });
          const gspo = at('sequence');
          const token = at('sequence-token');
          expect(token.loss).toBe(gspo.loss);
          expect(token.gradient).toEqual(gspo.gradient);
        },
      ),
    );
  });

  it('with per-token mismatch weights GSPO and GSPO-token share the value, not the gradient', () => {
    const batch = randomBatch(3, 1, 0.01);
    const mismatch = batch.logpNew.map((_, t) => 1 + t) as Float64Array;
    const at = (level: 'sequence' | 'sequence-token') =>
      evaluateObjective(
        batch,
        {
          library: 'trl',
          surrogate: { kind: 'clip', level, low: 0.2, high: 0.2 },
          aggregation: { kind: 'token-mean' },
        },
        mismatch,
      );
    const [gspo, token] = [at('sequence'), at('sequence-token')];
    expect(token.loss).toBeCloseTo(gspo.loss, 12);
    const total = (g: Float64Array) => g.reduce((a, b) => a + b, 0);
    expect(total(token.gradient)).toBeCloseTo(total(gspo.gradient), 12);
    expect(new Set(gspo.gradient).size).toBe(1);
    expect(new Set(token.gradient).size).toBe(token.gradient.length);
  });

  it('dual clip and two-sided clip stop the gradient of a bad token that became likely', () => {
    const batch: ObjectiveBatch = {
      offsets: Uint32Array.of(0, 1),
      logpOld: Float64Array.of(-3),
      logpNew: Float64Array.of(-1),
      advantage: Float64Array.of(-1),
    };
    const base = { kind: 'clip', level: 'token', low: 0.2, high: 0.2 } as const;
    const aggregation = { kind: 'token-mean' } as const;
    const free = evaluateObjective(batch, { library: 'trl', surrogate: base, aggregation });
    const dual = evaluateObjective(batch, {
      library: 'verl',
      surrogate: { ...base, dual: 3 },
      aggregation,
    });
    const delta = evaluateObjective(batch, {
      library: 'trl',
      surrogate: { ...base, delta: 3 },
      aggregation,
    });
    expect(free.loss).toBeCloseTo(Math.exp(2), 12);
    expect(free.gradient[0]).toBeCloseTo(Math.exp(2), 12);
    expect([dual.loss, delta.loss]).toEqual([3, 3]);
    expect([Math.abs(dual.gradient[0]), Math.abs(delta.gradient[0])]).toEqual([0, 0]);
    expect(dual.verl?.clipFractionLower).toBeCloseTo(1, 6);
  });
});

/** The same responses in another order. */
function permuted(batch: ObjectiveBatch, order: readonly number[]): ObjectiveBatch {
  const spans = order.map((i) => [batch.offsets[i], batch.offsets[i + 1]]);
  const offsets = new Uint32Array(order.length + 1);
  spans.forEach(([from, to], k) => {
    offsets[k + 1] = offsets[k] + to - from;
  });
  const pick = (x: ArrayLike<number>) =>
    Float64Array.from(spans.flatMap(([from, to]) => Array.from(x).slice(from, to)));
  return {
    offsets,
    logpOld: pick(batch.logpOld),
    logpNew: pick(batch.logpNew),
    advantage: Float64Array.from(order, (i) => batch.advantage[i]),
  };
}

describe('invariances', () => {
  it.each(every)('%s: the order of responses does not matter', (_, settings) => {
    fc.assert(
      fc.property(
        batches.chain((b) =>
          fc.record({
            b: fc.constant(b),
            order: fc.shuffledSubarray(
              Array.from({ length: b.n }, (_x, i) => i),
              { minLength: b.n },
            ),
          }),
        ),
        ({ b, order }) => {
          const batch = randomBatch(b.seed, b.n, b.spread);
          const original = evaluateObjective(batch, settings);
          const shuffled = evaluateObjective(permuted(batch, order), settings);
          expect(Math.abs(shuffled.loss - original.loss)).toBeLessThanOrEqual(
            1e-12 * (1 + Math.abs(original.loss)),
          );
          const { regionMean } = original.trl ?? { regionMean: null };
          if (regionMean !== null) expect(shuffled.trl?.regionMean).toBeCloseTo(regionMean, 12);
          const { clipFraction } = original.verl ?? { clipFraction: null };
          if (clipFraction !== null) {
            expect(shuffled.verl?.clipFraction).toBeCloseTo(clipFraction, 12);
          }
        },
      ),
      RUNS,
    );
  });

  it('on-policy every policy gradient is REINFORCE with a baseline: weight 1, nothing clipped', () => {
    const batch = randomBatch(11, 5, 0);
    const onPolicy = { ...batch, logpNew: batch.logpOld };
    for (const [name, settings] of every) {
      // Covariance is there on policy as well.
      if (settings.surrogate.kind === 'clip-cov') continue;
      const { weight, gate } = evaluateObjective(onPolicy, settings);
      for (const w of weight) expect(w, name).toBeCloseTo(1, 12);
      for (const g of gate) expect(g, name).toBeCloseTo(1, 12);
    }
  });

  it('advantages: group members may be apart, groups do not touch each other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.nat(3)), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.constantFrom(...(['trl', 'verl', 'dr_grpo', 'rloo'] as const)),
        (rows, rule) => {
          const all = groupAdvantages(
            rows.map(([reward]) => reward),
            rows.map(([, group]) => group),
            rule,
          );
          for (const group of new Set(rows.map(([, g]) => g))) {
            const members = rows.flatMap(([reward, g], i) => (g === group ? [{ reward, i }] : []));
            const alone = groupAdvantages(
              members.map((m) => m.reward),
              members.map(() => 0),
              rule,
            );
            members.forEach(({ i }, k) => expect(all[i]).toBe(alone[k]));
            if (members.length > 1) {
              const sum = alone.reduce((a, b) => a + b, 0);
              const scale = alone.reduce((a, b) => a + Math.abs(b), 1e-9);
              expect(Math.abs(sum) / scale).toBeLessThan(1e-6);
            }
          }
        },
      ),
      { seed: 7 },
    );
  });
});

describe('bad input', () => {
  const batch = randomBatch(1, 2, 0.1);
  const settings = objective('gspo').trl as ObjectiveSettings;
  it.each([
    ['log-probs', { ...batch, logpNew: new Float64Array(1) }, /log-probs/],
    ['advantages', { ...batch, advantage: new Float64Array(5) }, /2 sequences, but 5 advantages/],
  ])('says which array is wrong: %s', (_, broken, message) => {
    expect(() => evaluateObjective(broken, settings)).toThrow(ObjectiveError);
    expect(() => evaluateObjective(broken, settings)).toThrow(message);
  });

  it('refuses mismatch weights of another length and a constant length of zero', () => {
    expect(() => evaluateObjective(batch, settings, new Float64Array(1))).toThrow(/1 mismatch/);
    const zero = recommended('dr_grpo', 'trl', { length: 0 }) as ObjectiveSettings;
    expect(() => evaluateObjective(batch, zero)).toThrow(/must be positive/);
  });

  it('an empty response takes part in no sum: TRL counts it as a sequence, verl does not', () => {
    const padded: ObjectiveBatch = {
      ...batch,
      offsets: Uint32Array.of(0, 0, batch.offsets[1], batch.offsets[2]),
      advantage: Float64Array.of(9, ...batch.advantage),
    };
    const loss = (b: ObjectiveBatch, library: 'trl' | 'verl') =>
      evaluateObjective(b, objective('sapo')[library] as ObjectiveSettings).loss;
    expect(loss(padded, 'trl')).toBeCloseTo((loss(batch, 'trl') * 2) / 3, 12);
    expect(loss(padded, 'verl')).toBeCloseTo(loss(batch, 'verl'), 12);
  });
});
