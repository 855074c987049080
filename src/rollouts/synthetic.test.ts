import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SYNTHETIC, LENGTH_SHAPES, type SyntheticSource } from '../settings/run';
import { concatRollouts, type Rollouts } from './rollouts';
import { syntheticRollouts, syntheticSource, syntheticTruth } from './synthetic';

const hooks = { signal: new AbortController().signal, onPhase: () => {}, onLoad: () => {} };

const sources: fc.Arbitrary<SyntheticSource> = fc.record({
  kind: fc.constant('synthetic' as const),
  prompts: fc.integer({ min: 1, max: 30 }),
  groupSize: fc.integer({ min: 1, max: 8 }),
  lengthShape: fc.constantFrom(...LENGTH_SHAPES),
  minLength: fc.integer({ min: 1, max: 10 }),
  maxLength: fc.integer({ min: 10, max: 60 }),
  mu: fc.double({ min: -1, max: 1, noNaN: true }),
  sigma: fc.double({ min: 0, max: 5, noNaN: true }),
  rho: fc.double({ min: -0.95, max: 0.95, noNaN: true }),
  tau: fc.double({ min: 0, max: 2, noNaN: true }),
  tailDegrees: fc.constantFrom(0 as const, 2.1, 3, 10),
  drift: fc.constantFrom(0.1, 1, 10),
  seed: fc.nat(),
});

function* logRatiosOf(rollouts: Rollouts): Generator<{ i: number; t: number; d: number }> {
  for (let i = 0; i + 1 < rollouts.offsets.length; i++) {
    const start = rollouts.offsets[i];
    for (let t = start; t < rollouts.offsets[i + 1]; t++) {
      const d = rollouts.logpNew[t] - rollouts.logpOld[t];
      yield { i, t: t - start, d };
    }
  }
}

describe('synthetic rollouts', () => {
  it('are log-probs, entropies and collision probabilities, whatever the source', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const r = syntheticRollouts(source);
        expect(r.offsets).toHaveLength(source.prompts * source.groupSize + 1);
        expect(r.prompts).toHaveLength(source.prompts);
        for (let i = 0; i + 1 < r.offsets.length; i++) {
          const length = r.offsets[i + 1] - r.offsets[i];
          expect(length).toBeGreaterThanOrEqual(source.minLength);
          expect(length).toBeLessThanOrEqual(source.maxLength);
        }
        const valid = (entropy: number, collision: number): boolean =>
          // 1e-5: float32 of a distribution over 64 tokens
          entropy >= 0 &&
          entropy <= Math.log(64) + 1e-5 &&
          collision >= 1 / 64 - 1e-6 &&
          collision <= 1 &&
          // Jensen: the Renyi entropy of order 2 never exceeds Shannon's
          -Math.log(collision) <= entropy + 1e-5;
        const logProb = (x: number): boolean => x < 0 && Number.isFinite(x);
        let wrong = 0;
        r.logpOld.forEach((logpOld, t) => {
          const fine =
            logProb(logpOld) &&
            logProb(r.logpNew[t]) &&
            valid(r.entropyOld?.[t] as number, r.collisionOld?.[t] as number) &&
            valid(r.entropyNew?.[t] as number, r.collisionNew?.[t] as number);
          if (!fine) wrong++;
        });
        expect(wrong).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('do not depend on how the work is cut into batches', async () => {
    const source: SyntheticSource = { ...DEFAULT_SYNTHETIC, prompts: 23, rho: 0.4, tailDegrees: 4 };
    const whole = syntheticRollouts(source);
    const cut = syntheticSource(source, 40);
    expect(cut.batches).toBe(5);
    const parts: Rollouts[] = [];
    for (let i = 0; i < cut.batches; i++) parts.push(await cut.batch(i, hooks));
    expect(concatRollouts(parts)).toEqual(whole);
    expect(syntheticRollouts({ ...source, seed: 2 }).logpOld).not.toEqual(whole.logpOld);
  });

  it('have the mean, variances and correlations of the stated truth', () => {
    const source: SyntheticSource = {
      ...DEFAULT_SYNTHETIC,
      prompts: 20_000,
      groupSize: 2,
      lengthShape: 'fixed',
      maxLength: 12,
      mu: 0.05,
      sigma: 0.2,
      rho: 0.5,
      tau: 0.1,
      drift: 3,
    };
    for (const tailDegrees of [0, 6] as const) {
      const truth = syntheticTruth(source);
      const r = syntheticRollouts({ ...source, tailDegrees });
      const n = 40_000;
      const x = Array.from({ length: 12 }, () => new Float64Array(n));
      for (const { i, t, d } of logRatiosOf(r)) (x[t] as Float64Array)[i] = d - source.mu;
      const cov = (a: Float64Array, b: Float64Array) =>
        a.reduce((sum, value, i) => sum + value * b[i], 0) / n;
      const at = (t: number) => x[t] as Float64Array;
      for (const t of [0, 5, 11]) {
        expect(cov(at(t), at(t)) / (truth.withinVariance(t) + truth.tau2)).toBeCloseTo(1, 1);
      }
      const sd = (t: number) => Math.sqrt(truth.withinVariance(t));
      expect((cov(at(4), at(6)) - truth.tau2) / (sd(4) * sd(6))).toBeCloseTo(
        truth.autocorrelation(2),
        1,
      );
      const mean = Float64Array.from({ length: n }, (_, i) =>
        x.reduce((sum, column) => sum + column[i] / 12, 0),
      );
      expect(cov(mean, mean) / truth.logWeightVariance(12)).toBeCloseTo(1, 1);
      expect(truth.logWeightVariance(12)).toBeGreaterThan(2 * truth.naiveVariance(12));
      // responses 2g and 2g + 1 share a prompt
      let between = 0;
      for (let i = 0; i < n; i += 2) {
        between += (mean[i] * mean[i + 1]) / (n / 2);
      }
      expect(between / truth.logWeightVariance(12)).toBeCloseTo(truth.intraclassCorrelation(12), 1);
    }
  });

  it('sample tokens from pi_old: the mean surprisal is the mean entropy', () => {
    const r = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 3000, sigma: 0.02 });
    const mean = (column: ArrayLike<number>) =>
      Array.from(column).reduce((sum, value) => sum + value, 0) / column.length;
    expect(-mean(r.logpOld) / mean(r.entropyOld ?? [])).toBeCloseTo(1, 1);
  });

  it('agree with the closed form of an AR(1) mean', () => {
    const truth = syntheticTruth({ ...DEFAULT_SYNTHETIC, sigma: 0.3, rho: 0.6 });
    const L = 40;
    let factor = 1;
    for (let k = 1; k < L; k++) factor += 2 * (1 - k / L) * 0.6 ** k;
    expect(truth.logWeightVariance(L)).toBeCloseTo((0.09 / L) * factor, 12);
    expect(truth.naiveVariance(L)).toBeCloseTo(0.09 / L, 12);
  });

  it('are refused in a sentence when they would not fit', () => {
    expect(() => syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 100_000 })).toThrow(
      '800000 sequences; the lab draws at most 100000',
    );
    const long: SyntheticSource = {
      ...DEFAULT_SYNTHETIC,
      prompts: 12_000,
      lengthShape: 'fixed',
      maxLength: 4096,
    };
    expect(() => syntheticRollouts(long)).toThrow('more than 30000000 tokens');
  });
});
