/**
 * TRL's `beta`. The figures are NumPy's: the loss written out over padded (B, T) arrays, TRL's shapes and order of
 * steps (ratio, k3, times the ratio, clip, entropy mask, mismatch weights, penalty, aggregation).
 */
import { describe, expect, it } from 'vitest';
import { evaluateObjective, type TokenOptions } from './evaluate';
import { recommended, type ObjectiveSettings } from './registry';

const offsets = Uint32Array.of(0, 4, 5, 10);
const logpOld = Float64Array.of(-1, -0.1, -2.2, -0.5, -1.4, -0.05, -1.3, -0.2, -0.8, -0.7);
const logpNew = Float64Array.of(-0.9, -0.12, -2.5, -0.5, -1.3, -0.06, -1.05, -0.25, -0.8, -0.9);
const logpRef = Float64Array.of(-1.2, -0.08, -2.0, -0.7, -1.1, -0.02, -1.6, -0.2, -0.9, -0.4);
const advantage = Float64Array.of(1.25, -0.75, -0.5);
const batch = { offsets, logpOld, logpNew, advantage };
const mismatch = Float64Array.of(1, 0.9, 1.2, 0.8, 1.1, 1, 0.7, 1.3, 1, 0.95);
const heard = Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0, 1, 0);

const LOSSES = [
  ['grpo', 0.04, false, 0.04760189451955569],
  ['grpo', 0.04, true, 0.04754175265010585],
  ['grpo', 0.5, true, 0.06681275445466621],
  ['two_sided', 0.04, false, 0.04760189451955569],
  ['two_sided', 0.04, true, 0.04754175265010585],
  ['two_sided', 0.5, true, 0.06681275445466621],
  ['dapo', 0.04, false, -0.1411315896655718],
  ['dapo', 0.04, true, -0.14122354862512362],
  ['dapo', 0.5, true, -0.11867966592109047],
  ['dr_grpo', 0.04, false, -0.09408772644371453],
  ['dr_grpo', 0.04, true, -0.09414903241674909],
  ['dr_grpo', 0.5, true, -0.07911977728072699],
  ['gspo', 0.04, false, 0.05027646569509644],
  ['gspo', 0.04, true, 0.05026767622300695],
  ['gspo', 0.5, true, 0.07012923059721088],
  ['gspo_token', 0.04, false, 0.05027646569509644],
  ['gspo_token', 0.04, true, 0.05026767622300695],
  ['gspo_token', 0.5, true, 0.07012923059721088],
  ['sapo', 0.04, false, 0.007701544842624568],
  ['sapo', 0.04, true, 0.007641402973174727],
  ['sapo', 0.5, true, 0.026912404777735117],
] as const;

type Id = (typeof LOSSES)[number][0] | 'cispo' | 'vespo';
const settings = (id: Id) => recommended(id, 'trl') as ObjectiveSettings;
const evaluate = (id: Id, options: TokenOptions, own = logpNew, weights?: Float64Array) =>
  evaluateObjective({ ...batch, logpNew: own }, settings(id), weights, undefined, options);

it.each(LOSSES)('%s, beta %d, corrected %s: the loss', (id, beta, corrected, loss) => {
  const found = evaluate(id, { penalty: { beta, corrected, logpRef } });
  expect(found.loss).toBeCloseTo(loss, 14);
  expect(found.tokenLoss.reduce((a, b) => a + b, 0)).toBeCloseTo(loss, 14);
});

it('is neither masked by entropy nor weighed against the sampler', () => {
  const penalty = { beta: 0.04, corrected: true, logpRef };
  const both = evaluate('grpo', { penalty, heard }, logpNew, mismatch);
  expect(both.loss).toBeCloseTo(0.16116741992944203, 14);
});

describe('gradients', () => {
  it.each([
    ['grpo', false],
    ['grpo', true],
    ['dapo', true],
    ['gspo', false],
    ['gspo', true],
    ['sapo', true],
  ] as const)('%s, corrected %s: are finite differences', (id, corrected) => {
    const options = { penalty: { beta: 0.7, corrected, logpRef }, heard };
    const { gradient } = evaluate(id, options, logpNew, mismatch);
    for (let t = 0; t < 10; t++) {
      const at = (h: number) => {
        const own = logpNew.map((b, k) => (k === t ? b + h : b));
        return evaluate(id, options, own, mismatch).loss;
      };
      expect(Math.abs((at(1e-6) - at(-1e-6)) / 2e-6 - gradient[t])).toBeLessThan(1e-8);
    }
  });

  it('of GSPO-token and of detached weights: what is added is the slope of a token’s own ratio', () => {
    const added = (id: Id) => {
      const penalty = { beta: 1, corrected: true, logpRef };
      const [plain, with_] = [evaluate(id, {}), evaluate(id, { penalty })];
      return Array.from(with_.gradient, (g, t) => g - plain.gradient[t]);
    };
    // Response 1 has one token: sequence, token and GSPO-token have one ratio there.
    const x = -1.1 + 1.3;
    const r = Math.exp(-1.3 + 1.4);
    const slope = r * (1 - Math.exp(x)) + r * (Math.exp(x) - x - 1);
    for (const id of ['gspo_token', 'gspo', 'grpo'] as const) {
      expect(added(id)[4]).toBeCloseTo(slope / 3, 14);
    }
    expect(added('cispo')[4]).toBeCloseTo(slope / 10, 14);
    // Over a response the two sequence forms agree, token by token they do not.
    const [shared, own] = [added('gspo'), added('gspo_token')];
    const sum = (values: readonly number[]) => values.slice(5).reduce((a, b) => a + b, 0);
    expect(sum(shared)).toBeCloseTo(sum(own), 13);
    expect(Math.abs((shared[6] ?? 0) - (own[6] ?? 0))).toBeGreaterThan(1e-3);
  });
});

it('goes over the tokens that are kept', () => {
  const kept = Uint8Array.of(1, 1, 0, 1, 1, 1, 1, 1, 0, 1);
  const penalty = { beta: 0.3, corrected: true, logpRef };
  const found = evaluateObjective(batch, settings('dapo'), undefined, kept, { penalty });
  const pick = (values: Float64Array) => values.filter((_, t) => kept[t] === 1);
  const same = evaluateObjective(
    {
      offsets: Uint32Array.of(0, 3, 4, 8),
      logpOld: pick(logpOld),
      logpNew: pick(logpNew),
      advantage,
    },
    settings('dapo'),
    undefined,
    undefined,
    { penalty: { ...penalty, logpRef: pick(logpRef) } },
  );
  expect(found.loss).toBe(same.loss);
  expect(found.gradient[2]).toBe(0);
});

it('refuses what it is not defined for', () => {
  const penalty = { beta: 0.1, corrected: false, logpRef };
  const verl = recommended('grpo', 'verl') as ObjectiveSettings;
  expect(() => evaluateObjective(batch, verl, undefined, undefined, { penalty })).toThrow(/add to/);
  expect(() => evaluate('grpo', { penalty: { ...penalty, logpRef: logpRef.slice(1) } })).toThrow(
    /10 tokens, but 9 log-probs of the reference/,
  );
  expect(() => evaluate('grpo', { penalty: { ...penalty, beta: -1 } })).toThrow(/beta is -1/);
});
