/**
 * TRL's `top_entropy_quantile`. The figures of the first two tests are NumPy's: `numpy.quantile` (linear, as
 * torch.quantile) and the loss written out there over padded (B, T) arrays, TRL's shapes.
 */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { evaluateObjective } from './evaluate';
import { highEntropyMask, linearQuantile, takesTokenOptions } from './high-entropy';
import { objective, OBJECTIVE_IDS, recommended, type ObjectiveSettings } from './registry';

const ENTROPY = Float64Array.of(0.9, 0.1, 2.25, 0.4, 1.75, 0.05, 1.2, 0.3, 0.9, 0.6);
const offsets = Uint32Array.of(0, 4, 5, 10);
const logpOld = Float64Array.of(-1, -0.1, -2.2, -0.5, -1.4, -0.05, -1.3, -0.2, -0.8, -0.7);
const logpNew = Float64Array.of(-0.9, -0.12, -2.5, -0.5, -1.3, -0.06, -1.05, -0.25, -0.8, -0.9);
const advantage = Float64Array.of(1.25, -0.75, -0.5);
const batch = { offsets, logpOld, logpNew, advantage };

const FIGURES = {
  quantiles: [
    [0.2, 1.31],
    [0.3, 0.99],
    [0.5, 0.75],
    [0.85, 0.17],
    [0, 2.25],
  ],
  losses: [
    ['grpo', 0.2, 0.19912416486456622],
    ['grpo', 0.5, 0.16013637478794432],
    ['dapo', 0.2, -0.009714458729541197],
    ['dapo', 0.5, -0.03365955265461007],
    ['gspo', 0.2, 0.1777005266070906],
    ['gspo', 0.5, 0.14575499036193604],
    ['cispo', 0.2, 0.12375152945066126],
    ['cispo', 0.5, 0.1406719233580652],
    ['sapo', 0.2, 0.3209711625006358],
    ['sapo', 0.5, 0.23807470202030526],
  ],
} as const;

it('the threshold is the linear quantile of 1 - q, and ties stay', () => {
  for (const [q, value] of FIGURES.quantiles) {
    expect(linearQuantile(ENTROPY, 1 - q)).toBeCloseTo(value, 14);
  }
  expect([...highEntropyMask(ENTROPY, 0.3)]).toEqual([0, 0, 1, 0, 1, 0, 1, 0, 0, 0]);
  expect([...highEntropyMask(ENTROPY, 0.5)]).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
  expect([...highEntropyMask(ENTROPY, 1)]).toEqual(Array.from({ length: 10 }, () => 1));
  expect(highEntropyMask(new Float64Array(0), 0.2)).toHaveLength(0);
  expect(() => highEntropyMask(ENTROPY, 1.2)).toThrow(/0 to 1/);
});

it.each(FIGURES.losses)(
  '%s at %d: the loss of the chosen tokens over all of them',
  (id, q, loss) => {
    const heard = highEntropyMask(ENTROPY, q);
    const found = evaluateObjective(
      batch,
      recommended(id, 'trl') as ObjectiveSettings,
      undefined,
      undefined,
      { heard },
    );
    expect(found.loss).toBeCloseTo(loss, 14);
    heard.forEach((own, t) => {
      if (own === 0) expect(Math.abs(found.tokenLoss[t])).toBe(0);
    });
  },
);

describe('gradients', () => {
  const random = new Random(5, STREAM.synthetic);
  const mismatch = Float64Array.from({ length: 10 }, () => 0.5 + random.uniform());
  /** their gradient treats the weight as a constant */
  const DETACHED = ['cispo', 'vespo', 'gspo_token'];
  const able = OBJECTIVE_IDS.filter((id) => {
    const settings = objective(id).trl;
    return settings && takesTokenOptions(settings);
  });
  it('of these objectives', () => {
    expect(able.join()).toBe('gspo,gspo_token,grpo,two_sided,dapo,dr_grpo,cispo,sapo,vespo');
  });
  it.each(able.filter((id) => !DETACHED.includes(id)))(
    '%s: are finite differences, with mismatch weights',
    (id) => {
      const settings = recommended(id, 'trl', { low: 0.9, high: 2 }) as ObjectiveSettings;
      const heard = highEntropyMask(ENTROPY, 0.5);
      const at = (own: Float64Array) =>
        evaluateObjective({ ...batch, logpNew: own }, settings, mismatch, undefined, { heard });
      const { gradient } = at(logpNew);
      for (let t = 0; t < 10; t++) {
        const moved = (h: number) => at(logpNew.map((b, k) => (k === t ? b + h : b))).loss;
        expect(Math.abs((moved(1e-6) - moved(-1e-6)) / 2e-6 - gradient[t])).toBeLessThan(1e-8);
      }
    },
  );
  it('a mask that no loss of single tokens takes is refused', () => {
    const heard = highEntropyMask(ENTROPY, 0.5);
    for (const settings of [
      recommended('luspo', 'trl'),
      recommended('gmpo', 'trl'),
      recommended('grpo', 'verl'),
    ]) {
      expect(() =>
        evaluateObjective(batch, settings as ObjectiveSettings, undefined, undefined, { heard }),
      ).toThrow(/could mask/);
    }
  });
});
