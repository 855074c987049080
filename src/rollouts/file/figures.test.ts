/** Sums over responses: the figures that the libraries' own arithmetic gives, however the responses are split. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquare, klTerms, mean } from '../../math/diagnostics/divergence';
import { mismatchWeights, verlEffectiveSampleSize } from '../../math/diagnostics/mismatch';
import { offPolicyMetrics } from '../../math/diagnostics/perplexity';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { RESPONSE_IDS, recommended } from '../../math/objectives/registry';
import { ExactSum } from '../../math/summation';
import * as v from 'valibot';
import { sequenceCount, selectResponses, type Rollouts } from '../rollouts';
import { syntheticRollouts } from '../synthetic';
import { DEFAULT_SYNTHETIC } from '../../settings/run';
import { FigureTally, figuresSchema } from './figures';

function data(): Rollouts & { logpSampler: Float64Array } {
  const rollouts = syntheticRollouts({
    ...DEFAULT_SYNTHETIC,
    prompts: 12,
    groupSize: 4,
    maxLength: 30,
    sigma: 0.2,
  });
  const logpSampler = Float64Array.from(rollouts.logpOld, (x, t) => x + 0.03 * Math.sin(7 * t));
  return { ...rollouts, logpSampler };
}

const all = (n: number) => Array.from({ length: n }, (_, i) => i);
const tallyOf = (rollouts: Rollouts, length: number | null = null) => {
  const tally = new FigureTally();
  tally.add(rollouts, length);
  return tally;
};

describe('figures as sums over responses', () => {
  const ofTokens = { ...data(), tokenAdvantage: data().logpOld.map((_, t) => Math.cos(3 * t)) };
  it.each([
    [null, 'responses', data()],
    [48, 'responses', data()],
    [48, 'tokens', ofTokens],
  ] as const)(
    "are those of the libraries' arithmetic on the whole batch (limit %s, advantages of %s)",
    (length, _, rollouts) => {
      const { objectives, kl, chi2, mismatch } = tallyOf(rollouts, length).figures();
      for (const id of RESPONSE_IDS) {
        for (const library of ['trl', 'verl'] as const) {
          const settings = recommended(id, library, length === null ? {} : { length });
          const figures = objectives[id][library];
          expect(figures === null, `${id} ${library}`).toBe(settings === null);
          if (settings === null || figures === null) continue;
          const whole = evaluateObjective(rollouts, settings);
          const near = (x: number | null | undefined, y: number | null | undefined) => {
            if (typeof x !== 'number' || typeof y !== 'number') expect(x ?? null).toBe(y ?? null);
            else
              expect(Math.abs(x - y), `${id} ${library}`).toBeLessThan(1e-12 * (1 + Math.abs(y)));
          };
          near(figures.loss, whole.loss);
          if ('clip_low' in figures) {
            near(figures.clip_low, whole.trl?.lowMean);
            near(figures.clip_high, whole.trl?.highMean);
          } else near(figures.clip_fraction, whole.verl?.clipFraction);
        }
      }
      const { logpOld, logpNew, logpSampler, offsets } = rollouts;
      const terms = klTerms(logpOld, logpNew);
      expect(kl.k3).toBeCloseTo(mean(terms.k3), 13);
      expect(chi2.token).toBeCloseTo(chiSquare(terms.k1.map((x) => -x)), 12);
      const metrics = offPolicyMetrics(logpSampler, logpOld, offsets);
      for (const [name, value] of Object.entries(metrics)) {
        expect(mismatch?.[name as keyof typeof metrics], name).toBeCloseTo(value, 12);
      }
      for (const level of ['token', 'sequence'] as const) {
        const weights = mismatchWeights(logpOld, logpSampler, offsets, {
          level,
          outside: 'truncate',
          max: 2,
        });
        const key = level === 'token' ? 'eff_sample_size_token_tis_2' : 'eff_sample_size_seq_tis_2';
        expect(mismatch?.[key]).toBeCloseTo(verlEffectiveSampleSize(weights), 9);
      }
    },
  );

  it('are the same to the last digit for any split into parts, in any order, sent as JSON', () => {
    const rollouts = data();
    const n = sequenceCount(rollouts);
    const whole = tallyOf(rollouts, 20).figures();
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { minLength: n, maxLength: n }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        (part, order) => {
          const merged = new FigureTally();
          for (const k of order) {
            const own = all(n).filter((i) => part[i] === k);
            const sent = JSON.stringify(tallyOf(selectResponses(rollouts, own), 10 + k));
            merged.merge(FigureTally.from(v.parse(figuresSchema, JSON.parse(sent))));
          }
          merged.merge(tallyOf(selectResponses(rollouts, []), 20));
          expect(merged.figures()).toEqual(whole);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('do not mix clip ranges', () => {
    expect(() => new FigureTally({ low: 0.1 }).merge(new FigureTally())).toThrow(
      /different clip ranges/,
    );
  });

  it('an exact sum does not depend on the order of its terms', () => {
    const terms = fc.array(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(terms, fc.nat(30), (list, at) => {
        const sum = (values: readonly number[]) => {
          const exact = new ExactSum();
          values.forEach((x) => exact.add(x));
          return exact;
        };
        const forth = sum(list).value;
        expect(sum([...list].reverse()).value).toBe(forth);
        const left = sum(list.slice(0, at));
        left.merge(ExactSum.from(JSON.parse(JSON.stringify(sum(list.slice(at)))) as number[]));
        expect(left.value).toBe(forth);
      }),
    );
    const tenths = new ExactSum();
    for (let i = 0; i < 10; i++) tenths.add(0.1);
    expect(tenths.value).toBe(1);
    const huge = ExactSum.from([1e100, 1, -1e100, 'Infinity']);
    expect(huge.value).toBe(Infinity);
    expect(ExactSum.from(huge.toJSON()).value).toBe(Infinity);
  });
});
