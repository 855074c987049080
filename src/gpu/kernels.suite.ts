/**
 * One suite for every backend of `Kernels`. References are closed forms, or the definition written out
 * in plain float64 right here; nothing of the implementation under test is used to test it.
 */
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FloatArray, Kernels, SequenceForms } from '../math/kernels';
import { Random, STREAM } from '../math/philox';

export interface Tolerance {
  /** absolute, for nats below 50, relative beyond; relative for collision probabilities */
  nats: number;
  /** relative, for the forms of the sequence weight */
  weight: number;
  /** relative, for sums and moments */
  moments: number;
  /** runs per property */
  runs: number;
}

const THREE_FORMS = ['geometric', 'perplexity', 'entropy'] as const;

function normals(count: number, seed: number, scale = 1, mean = 0): Float32Array {
  const random = new Random(seed, STREAM.display);
  return Float32Array.from({ length: count }, () => mean + scale * random.normal());
}

function offsetsOf(lengths: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => (offsets[i + 1] = offsets[i] + length));
  return offsets;
}

const at = (values: FloatArray, i: number): number => values[i];

export function describeKernels(open: () => Promise<Kernels>, tolerance: Tolerance): void {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await open();
  });

  function expectNats(got: number, want: number): void {
    const allowed = tolerance.nats * Math.max(1, Math.abs(want) / 50);
    expect(Math.abs(got - want), `${got} against ${want}`).toBeLessThanOrEqual(allowed);
  }
  function expectRelative(got: number, want: number, allowed: number): void {
    if (want === 0) expect(got).toBe(0);
    else expect(Math.abs(got / want - 1), `${got} against ${want}`).toBeLessThanOrEqual(allowed);
  }

  describe('token statistics', () => {
    const stats = (rows: number[][], targets: number[]) =>
      kernels.tokenStats(
        Float32Array.from(rows.flat()),
        rows[0]?.length ?? 1,
        Uint32Array.from(targets),
      );

    test.each([1, 2, 18, 127, 128, 129, 257, 50257, 151936])(
      'equal logits are a uniform distribution, V = %d',
      async (V) => {
        const levels = [0.1, 1e4, -1e4];
        const logits = new Float32Array(levels.length * V);
        levels.forEach((level, row) => logits.fill(level, row * V, (row + 1) * V));
        const got = await kernels.tokenStats(logits, V, Uint32Array.of(0, V - 1, V >> 1));
        for (const row of levels.keys()) {
          expectNats(at(got.logp, row), -Math.log(V));
          expectNats(at(got.entropy, row), Math.log(V));
          expectRelative(at(got.collision, row), 1 / V, tolerance.nats);
        }
      },
    );

    test.each([
      [18, 70, 3],
      [257, 5, 3],
      [50257, 2, 3],
      [151936, 2, 8],
    ])('normal logits agree with the definition, V = %d', async (V, rows, scale) => {
      const logits = normals(V * rows, V, scale);
      const targets = Uint32Array.from({ length: rows }, (_, row) => (row * 104729 + V - 1) % V);
      const got = await kernels.tokenStats(logits, V, targets);
      for (let row = 0; row < rows; row++) {
        const x = Float64Array.from(logits.subarray(row * V, (row + 1) * V));
        const z = x.reduce((sum, v) => sum + Math.exp(v), 0);
        const p = x.map((v) => Math.exp(v) / z);
        expectNats(at(got.logp, row), Math.log(p[targets[row]]));
        expectNats(
          at(got.entropy, row),
          p.reduce((sum, q) => sum - (q && q * Math.log(q)), 0),
        );
        const collision = p.reduce((sum, q) => sum + q * q, 0);
        expectRelative(at(got.collision, row), collision, tolerance.nats);
      }
    });

    test('a geometric distribution has entropy 2 ln 2 and collision probability 1/3', async () => {
      const row = Array.from({ length: 100 }, (_, v) => -(v + 1) * Math.LN2);
      const got = await stats([row, row], [0, 40]);
      // The logits themselves are rounded to float32, for every backend.
      expect(at(got.entropy, 0)).toBeCloseTo(2 * Math.LN2, 5);
      expect(at(got.collision, 0)).toBeCloseTo(1 / 3, 5);
      expect(at(got.logp, 0)).toBeCloseTo(-Math.LN2, 5);
      expect(at(got.logp, 1)).toBeCloseTo(-41 * Math.LN2, 5);
    });

    test('probabilities down to 1e-30 and logits of +-1e4', async () => {
      const rare = Math.fround(Math.log(1e-30));
      const got = await stats(
        [
          [0, rare, -Infinity],
          [1e4, 1e4, -1e4],
          [1e4, 1e4, -1e4],
        ],
        [1, 0, 2],
      );
      expectNats(at(got.logp, 0), rare);
      expect(at(got.entropy, 0)).toBeGreaterThanOrEqual(0);
      expectNats(at(got.entropy, 0), 0);
      expectNats(at(got.logp, 1), -Math.LN2);
      expectNats(at(got.logp, 2), -2e4 - Math.LN2);
      expectRelative(at(got.collision, 2), 0.5, tolerance.nats);
    });

    test('masked logits, -inf or the lowest float, have probability 0', async () => {
      for (const mask of [-Infinity, -3.4e38]) {
        for (const V of [18, 700]) {
          const row = Array.from({ length: V }, (_, v) => (v % 3 === 0 ? 2 : mask));
          const got = await stats([row, row], [3, 4]);
          expectNats(at(got.logp, 0), -Math.log(Math.ceil(V / 3)));
          expect(got.logp[1]).toBe(-Infinity);
          expectNats(at(got.entropy, 0), Math.log(Math.ceil(V / 3)));
        }
      }
    });

    test('a row without a distribution gives NaN and spoils no other row', async () => {
      for (const V of [3, 300]) {
        const row = (first: number, rest: number) => [first, ...Array<number>(V - 1).fill(rest)];
        const masked = row(-Infinity, -Infinity);
        const got = await stats(
          [
            ...[row(0, 0), masked, row(0, 0), row(NaN, 0)],
            ...[row(Infinity, 0), row(2e30, 0), row(0, 0)],
          ],
          Array<number>(7).fill(V - 1),
        );
        for (const column of [got.logp, got.entropy, got.collision]) {
          expect(Array.from(column, Number.isNaN)).toEqual([
            false,
            true,
            false,
            true,
            true,
            true,
            false,
          ]);
        }
        expectNats(at(got.logp, 6), -Math.log(V));
      }
    });

    test('no rows give no results; wrong input is refused in words', async () => {
      expect((await stats([], [])).logp).toHaveLength(0);
      await expect(stats([[0, 0]], [2])).rejects.toThrow('Target 2 of row 0 is outside');
      await expect(stats([[0, 0]], [0, 1])).rejects.toThrow(
        '2 targets over 2 tokens need 4 logits',
      );
    });
  });

  describe('sequence forms', () => {
    /** Lengths around every workgroup boundary. */
    const LENGTHS = [1, 2, 63, 64, 65, 255, 256, 257, 4096];

    function expectForms(
      got: SequenceForms,
      logpOld: FloatArray,
      logpNew: FloatArray,
      offsets: Uint32Array,
    ): void {
      for (let i = 0; i + 1 < offsets.length; i++) {
        const start = offsets[i];
        const end = offsets[i + 1];
        const length = end - start;
        let sumOld = 0;
        let sumNew = 0;
        let sum = 0;
        for (let t = start; t < end; t++) {
          sumOld += at(logpOld, t);
          sumNew += at(logpNew, t);
          sum += at(logpNew, t) - at(logpOld, t);
        }
        const s = Math.exp(sum / length);
        for (const form of THREE_FORMS) expectRelative(at(got[form], i), s, tolerance.weight);
        expectNats(at(got.logWeight, i), sum / length);
        expectNats(at(got.crossEntropyOld, i), -sumOld / length);
        expectNats(at(got.crossEntropyNew, i), -sumNew / length);
        expectRelative(at(got.pplOld, i), Math.exp(-sumOld / length), tolerance.weight);
        expectRelative(at(got.pplNew, i), Math.exp(-sumNew / length), tolerance.weight);
      }
    }

    test.each([
      ['near-equal policies', 1, 1e-3],
      ['far-apart policies', 3, 2],
      ['unlikely tokens, 20 nats each', 20, 5],
    ])('all forms are exp(mean d) at every length: %s', async (_, level, spread) => {
      const offsets = offsetsOf(LENGTHS);
      const tokens = offsets.at(-1) as number;
      const logpOld = normals(tokens, 1).map((x) => -level * Math.abs(x));
      const shift = normals(tokens, 2, spread);
      const logpNew = logpOld.map((a, t) => Math.min(0, a + shift[t]));
      const got = await kernels.sequenceForms(logpOld, logpNew, offsets);
      expectForms(got, logpOld, logpNew, offsets);
    });

    test('all forms agree, whatever the log-probs', async () => {
      const logp = fc.float({ min: -80, max: 0, noNaN: true });
      const sequence = fc.array(fc.tuple(logp, logp), { minLength: 1, maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(fc.array(sequence, { minLength: 1, maxLength: 8 }), async (sequences) => {
          const offsets = offsetsOf(sequences.map(({ length }) => length));
          const logpOld = Float32Array.from(sequences.flat(), ([a]) => a);
          const logpNew = Float32Array.from(sequences.flat(), ([, b]) => b);
          const got = await kernels.sequenceForms(logpOld, logpNew, offsets);
          expectForms(got, logpOld, logpNew, offsets);
        }),
        { numRuns: tolerance.runs, seed: 1 },
      );
    });

    test.each([0.125, 11 / 32, -11 / 32])('a constant log-ratio c = %d gives exp(c)', async (c) => {
      // 11/32 is close to ln(2)/2: 4,096 ratios just below sqrt 2 multiply up to 2^2031.
      const logpOld = new Float32Array(4096).fill(-1.5);
      const logpNew = logpOld.map((a) => a + c);
      const got = await kernels.sequenceForms(logpOld, logpNew, offsetsOf([4096]));
      expect(got.logWeight[0]).toBe(c);
      for (const form of THREE_FORMS) {
        expectRelative(at(got[form], 0), Math.exp(c), tolerance.weight);
      }
    });

    test('the same policy twice gives 1', async () => {
      const logpOld = normals(4096, 3).map((x) => -Math.abs(x));
      const same = await kernels.sequenceForms(logpOld, logpOld, offsetsOf([4096]));
      expect(same.logWeight[0]).toBe(0);
      for (const form of THREE_FORMS) {
        expectRelative(at(same[form], 0), 1, tolerance.weight);
      }
    });

    test('small log-ratios under large log-probs are not rounded away', async () => {
      // d_t = 2^-15 exactly, under 30 nats per token; a float32 sum of the log-probs is off by more.
      const logpOld = new Float32Array(4096).fill(-30);
      const logpNew = logpOld.map((a) => a + 2 ** -15);
      const got = await kernels.sequenceForms(logpOld, logpNew, offsetsOf([4096]));
      expectRelative(at(got.logWeight, 0), 2 ** -15, 1e-6);
      for (const form of THREE_FORMS) {
        expect(Math.abs(at(got[form], 0) - Math.exp(2 ** -15))).toBeLessThan(5e-7);
      }
    });

    test('products that pass through e^4096 and back come out right', async () => {
      const half = 2048;
      const logpOld = new Float32Array(2 * half).fill(-2, 0, half);
      const logpNew = new Float32Array(2 * half).fill(-2, half);
      expect([logpNew[0], logpNew.at(-1)]).toEqual([0, -2]);
      const got = await kernels.sequenceForms(logpOld, logpNew, offsetsOf([2 * half]));
      for (const form of THREE_FORMS) expectRelative(at(got[form], 0), 1, tolerance.weight);
    });

    test('single tokens of 10,000 nats overflow a perplexity but no weight', async () => {
      const logpOld = Float32Array.of(-10_000, -3, -10_000);
      const logpNew = Float32Array.of(-10_001, -3, -10_000);
      const got = await kernels.sequenceForms(logpOld, logpNew, offsetsOf([1, 1, 1]));
      expect([got.pplOld[0], got.pplNew[2]]).toEqual([Infinity, Infinity]);
      for (const form of THREE_FORMS) {
        expectRelative(at(got[form], 0), Math.exp(-1), tolerance.weight);
        expectRelative(at(got[form], 1), 1, tolerance.weight);
        expectRelative(at(got[form], 2), 1, tolerance.weight);
      }
    });

    test('ratios of single tokens beyond what a float64 holds multiply to what is left of them', async () => {
      const logpOld = Float32Array.of(-1, -1, -901, -302, -1, -302);
      const logpNew = Float32Array.of(-901, -2, -1, -1, -302, -1);
      const got = await kernels.sequenceForms(logpOld, logpNew, offsetsOf([4, 2]));
      for (const form of THREE_FORMS) {
        expectRelative(at(got[form], 0), Math.exp(300 / 4), tolerance.weight);
        expectRelative(at(got[form], 1), 1, tolerance.weight);
      }
    });

    test('the naive quotient is right while it is short and lost once it is long', async () => {
      // e^-300 and e^-337.5: within float64, beyond float32.
      const logpOld = new Float32Array(330).fill(-1);
      const logpNew = new Float32Array(330).fill(-1.125);
      const got = await kernels.sequenceForms(logpOld, logpNew, offsetsOf([30, 300]));
      expectRelative(at(got.naive, 0), Math.exp(-0.125), 1e-5);
      expect(got.naive[1]).toBeNaN();
      // pi_theta underflows, pi_old does not, and the other way round
      const lopsided = await kernels.sequenceForms(
        Float32Array.of(...Array<number>(10).fill(-1), ...Array<number>(10).fill(-12)),
        Float32Array.of(...Array<number>(10).fill(-12), ...Array<number>(10).fill(-1)),
        offsetsOf([10, 10]),
      );
      expect(lopsided.naive[0]).toBe(0);
      expect(lopsided.naive[1]).toBe(Infinity);
      expectRelative(at(lopsided.geometric, 0), Math.exp(-11), tolerance.weight);
    });

    test('probability 0 goes through as such; what is no log-prob spoils its sequence only', async () => {
      const none = -Infinity;
      const got = await kernels.sequenceForms(
        Float32Array.of(-1, -2, none, -2, none, -1, NaN, -1, 2e6, -1, -1, -2),
        Float32Array.of(none, -2, -1, -2, -1, none, -1, -1, -1, -1, -1, -3),
        offsetsOf([2, 2, 2, 2, 2, 2]),
      );
      const want = [0, Infinity, NaN, NaN, NaN];
      want.forEach((s, i) => {
        for (const form of THREE_FORMS) expect(got[form][i]).toBe(s);
        expect(got.logWeight[i]).toBe(Math.log(s));
      });
      expect([got.pplNew[0], got.crossEntropyNew[0]]).toEqual([Infinity, Infinity]);
      expectNats(at(got.crossEntropyOld, 0), 1.5);
      expect([got.pplOld[3], got.naive[4]]).toEqual([NaN, NaN]);
      for (const form of THREE_FORMS) {
        expectRelative(at(got[form], 5), Math.exp(-0.5), tolerance.weight);
      }
    });

    test('no sequences give no results; wrong input is refused in words', async () => {
      const ask = (old: number, new_: number, offsets: number[]) =>
        kernels.sequenceForms(
          new Float32Array(old),
          new Float32Array(new_),
          Uint32Array.from(offsets),
        );
      expect((await ask(0, 0, [0])).geometric).toHaveLength(0);
      await expect(ask(2, 3, [0, 2])).rejects.toThrow('both must score the same tokens');
      await expect(ask(2, 2, [0, 2, 2])).rejects.toThrow('Sequence 1 has no tokens');
      await expect(ask(2, 2, [0, 2, 1])).rejects.toThrow('Sequence 1 ends before it starts');
      await expect(ask(2, 2, [0, 3])).rejects.toThrow('The offsets end at token 3');
      await expect(ask(2, 2, [1, 2])).rejects.toThrow('must start with 0');
      await expect(ask(2, 2, [])).rejects.toThrow('must start with 0');
    });
  });

  describe('histogram', () => {
    test('values on an edge, outside, and no numbers', async () => {
      const values = Float32Array.of(
        ...[-1, -0.5, 0, 0.5, 1, -0, 1e-45, -1e-45],
        ...[-1.0000001, 1.0000001, -Infinity, Infinity, NaN, 3e38],
      );
      const got = await kernels.histogram(values, { low: -1, high: 1, bins: 4 });
      expect([...got.counts]).toEqual([1, 2, 3, 2]);
      expect([got.underflow, got.overflow, got.notFinite]).toEqual([1, 2, 3]);
    });

    test.each([1, 7, 100, 1021, 1022, 5000])(
      'every float32 is in the bin that the definition says, %d bins',
      async (bins) => {
        // At -0.5 the float64 quotient rounds below its edge, at others above.
        const low = -0.7;
        const high = 0.7;
        const width = (high - low) / bins;
        // many of them within a rounding of an edge
        const edges = Array.from({ length: 500 }, (_, k) => low + ((k * 11) % (bins + 1)) * width);
        const near = edges.flatMap((edge) => [edge, edge * (1 + 2 ** -23), edge * (1 - 2 ** -23)]);
        const values = Float32Array.from([...near, ...normals(2000, bins, 0.3, 0.4)]);
        const got = await kernels.histogram(values, { low, high, bins });
        const want = new Uint32Array(bins);
        let underflow = 0;
        let overflow = 0;
        for (const x of values) {
          if (x < low) underflow++;
          else if (x > high) overflow++;
          else {
            let k = bins - 1;
            while (k > 0 && x < low + k * width) k--;
            want[k] = want[k] + 1;
          }
        }
        expect(got).toEqual({ counts: want, underflow, overflow, notFinite: 0 });
      },
    );

    test('every value is counted exactly once, float64 as well', async () => {
      const counts = async (values: FloatArray, low: number, width: number, bins: number) => {
        const got = await kernels.histogram(values, { low, high: low + width, bins });
        const inside = got.counts.reduce((a, b) => a + b, 0);
        expect(inside + got.underflow + got.overflow + got.notFinite).toBe(values.length);
      };
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(fc.float32Array(), fc.float64Array()),
          fc.double({ min: -100, max: 100, noNaN: true }),
          fc.double({ min: 1e-3, max: 100, noNaN: true }),
          fc.integer({ min: 1, max: 40 }),
          counts,
        ),
        { numRuns: tolerance.runs, seed: 2 },
      );
      const empty = await kernels.histogram(new Float32Array(0), { low: 0, high: 1, bins: 2 });
      expect([...empty.counts]).toEqual([0, 0]);
    });

    test('a histogram without width or bins is refused in words', async () => {
      const ask = (low: number, high: number, bins: number) =>
        kernels.histogram(new Float32Array(1), { low, high, bins });
      await expect(ask(1, 1, 4)).rejects.toThrow('cannot reach from 1 to 1');
      await expect(ask(0, NaN, 4)).rejects.toThrow('cannot reach from 0 to NaN');
      await expect(ask(0, 1, 0)).rejects.toThrow('number of histogram bins must be a whole number');
      await expect(ask(0, 1, 2.5)).rejects.toThrow('not 2.5');
    });
  });

  describe('prefix moments', () => {
    async function expectMoments(d: FloatArray, lengths: number[], maxLength: number) {
      const offsets = offsetsOf(lengths);
      const got = await kernels.prefixMoments(d, offsets, maxLength);
      const means: number[][] = Array.from({ length: maxLength }, () => []);
      lengths.forEach((length, i) => {
        let sum = 0;
        for (let k = 0; k < Math.min(length, maxLength); k++) {
          sum += at(d, offsets[i] + k);
          means[k]?.push(sum / (k + 1));
        }
      });
      means.forEach((values, k) => {
        const n = values.length;
        const mean = n === 0 ? 0 : values.reduce((a, b) => a + b, 0) / n;
        const m2 = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
        const size = values.reduce((sum, x) => sum + Math.abs(x), 0) / Math.max(1, n);
        expect(got.count[k]).toBe(n);
        expect(Math.abs(at(got.mean, k) - mean)).toBeLessThanOrEqual(tolerance.moments * size);
        const allowed = tolerance.moments * (m2 + size * Math.sqrt(m2 * n));
        expect(Math.abs(at(got.m2, k) - m2), `M2 at ${k}`).toBeLessThanOrEqual(allowed);
      });
    }

    test('ragged lengths over scan and slice boundaries, empty ones among them', async () => {
      const lengths = [0, 1, 127, 128, 129, 0, 257, 700, 0];
      for (const maxLength of [0, 1, 128, 129, 700, 900]) {
        await expectMoments(normals(1342, 4, 0.3, 0.1), lengths, maxLength);
      }
    });

    test('more sequences than one slice holds', async () => {
      const lengths = Array.from({ length: 600 }, (_, i) => 1 + (i % 5));
      await expectMoments(normals(1800, 5, 1, 3), lengths, 5);
    });

    test('independent tokens: M2 / (n - 1) is sigma^2 / L', async () => {
      const n = 400;
      const length = 64;
      const offsets = offsetsOf(Array<number>(n).fill(length));
      const got = await kernels.prefixMoments(normals(n * length, 6, 0.5), offsets, length);
      for (const k of [0, 3, 15, 63]) {
        // five standard errors of a variance estimate
        const variance = at(got.m2, k) / (n - 1);
        expect(Math.abs((variance * (k + 1)) / 0.25 - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
      }
    });

    test('nothing in, zeros out; wrong input is refused in words', async () => {
      const nothing = await kernels.prefixMoments(new Float32Array(0), Uint32Array.of(0), 2);
      expect([...nothing.count, ...nothing.mean, ...nothing.m2]).toEqual([0, 0, 0, 0, 0, 0]);
      const ask = (maxLength: number) =>
        kernels.prefixMoments(new Float32Array(1), Uint32Array.of(0, 1), maxLength);
      await expect(ask(-1)).rejects.toThrow('longest prefix must be a whole number');
      await expect(ask(1.5)).rejects.toThrow('not 1.5');
    });
  });

  describe('autocovariance', () => {
    test('alternating signs give (-1)^k per pair, and no pair crosses sequences', async () => {
      const lengths = [5, 1, 0, 3];
      const d = Float32Array.of(1, -1, 1, -1, 1, 100, 1, -1, 1);
      const got = await kernels.autocovariance(d, offsetsOf(lengths), 0, 6);
      expect([...got.pairs]).toEqual([9, 6, 4, 2, 1, 0, 0]);
      expect([...got.sums]).toEqual([10_008, -6, 4, -2, 1, 0, 0]);
    });

    test('agrees with the definition around a center, across block boundaries', async () => {
      const lengths = [1023, 1, 2049, 500];
      const d = normals(3573, 7, 0.2, 0.05);
      const offsets = offsetsOf(lengths);
      const center = 0.05;
      const got = await kernels.autocovariance(d, offsets, center, 40);
      for (const lag of [0, 1, 17, 40]) {
        let sum = 0;
        let size = 0;
        let pairs = 0;
        lengths.forEach((_, i) => {
          for (let t = offsets[i]; t + lag < offsets[i + 1]; t++) {
            const product = (at(d, t) - center) * (at(d, t + lag) - center);
            sum += product;
            size += Math.abs(product);
            pairs++;
          }
        });
        expect(got.pairs[lag]).toBe(pairs);
        expect(Math.abs(at(got.sums, lag) - sum)).toBeLessThanOrEqual(tolerance.moments * size);
      }
    });

    test('nothing in, zeros out; wrong input is refused in words', async () => {
      const ask = (tokens: number, offsets: number[], center: number, maxLag: number) =>
        kernels.autocovariance(new Float32Array(tokens), Uint32Array.from(offsets), center, maxLag);
      expect([...(await ask(0, [0], 0, 2)).sums]).toEqual([0, 0, 0]);
      await expect(ask(1, [0, 1], NaN, 2)).rejects.toThrow('center must not be NaN');
      await expect(ask(1, [0, 1], 0, -1)).rejects.toThrow('largest lag must be a whole number');
    });
  });
}
