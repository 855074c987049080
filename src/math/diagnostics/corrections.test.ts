/**
 * Corrections and the metrics beside them against a second computation: padded [B][T] matrices with a mask, as
 * the libraries have them, instead of ragged columns. Nothing here calls what it checks.
 */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../philox';
import { evaluateObjective } from '../objectives/evaluate';
import { recommended, type ObjectiveSettings } from '../objectives/registry';
import { correctionWeights, keptBy, type ActiveCorrectionId } from './corrections';
import { REJECTION_IDS } from './rejection';
import { TrlSampling, VerlIs, VerlRs } from './sampling-metrics';

const LENGTHS = [4, 1, 7, 3, 6];
const WIDTH = 8;
const random = new Random(11, STREAM.synthetic);
const offsets = Uint32Array.from([0, 4, 5, 12, 15, 21]);
const logpOld = Float64Array.from({ length: 21 }, () => -0.1 - 2 * random.uniform());
const logpSampler = logpOld.map((a) => Math.min(-1e-3, a + 0.4 * random.normal()));
const logpNew = logpOld.map((a) => Math.min(-1e-3, a + 0.3 * random.normal()));
const advantage = Float64Array.of(1, -0.5, -1.5, 0.75, 0.25);
const batch = { offsets, logpOld, logpNew, logpSampler, advantage };

type Matrix = number[][];
/** [B][T], `rest` in the padding */
const padded = (values: ArrayLike<number>, rest = -7): Matrix =>
  LENGTHS.map((length, i) =>
    Array.from({ length: WIDTH }, (_, t) => (t < length ? values[offsets[i] + t] : rest)),
  );
const mask: Matrix = LENGTHS.map((length) =>
  Array.from({ length: WIDTH }, (_, t) => (t < length ? 1 : 0)),
);
const ragged = (m: Matrix) => LENGTHS.flatMap((length, i) => m[i].slice(0, length));
const add = (row: number[]) => row.reduce((a, b) => a + b, 0);
const rowSum = (m: Matrix) => m.map((row, i) => add(row.map((x, t) => x * (mask[i]?.[t] ?? 0))));
const x: Matrix = padded(logpOld).map((row, i) =>
  row.map((a, t) => a - padded(logpSampler, -3)[i]?.[t]),
);

const close = (found: ArrayLike<number>, want: readonly number[]) => {
  expect(found.length).toBe(want.length);
  want.forEach((w, i) => expect(found[i]).toBeCloseTo(w, 10));
};
const weightsOf = (id: ActiveCorrectionId, low: number | null, high: number) =>
  correctionWeights(batch, id, { low, high });

describe('TRL: vllm_importance_sampling_mode with clip_min and clip_max', () => {
  const sums = rowSum(x);
  const ratio = {
    token: x.map((row) => row.map(Math.exp)),
    sequence: x.map((row, i) => row.map(() => Math.exp(sums[i]))),
  };
  it.each([
    ['token-truncate', 'token', true],
    ['token-mask', 'token', false],
    ['sequence-truncate', 'sequence', true],
    ['sequence-mask', 'sequence', false],
  ] as const)('%s', (id, level, truncates) => {
    for (const [low, high] of [
      [null, 1.2],
      [0.8, 1.3],
      [0.95, 3],
    ] as const) {
      const want = ratio[level].map((row) =>
        row.map((r) => {
          if (truncates) return Math.min(Math.max(r, low ?? -Infinity), high);
          return r < (low ?? -Infinity) || r > high ? 0 : r;
        }),
      );
      close(weightsOf(id, low, high), ragged(want));
      const trl = new TrlSampling(level);
      trl.add(batch, weightsOf(id, low, high));
      const metrics = trl.metrics();
      const flat = level === 'token' ? ragged(want) : want.map((row) => row[0]);
      const gaps = ragged(x).map(Math.abs);
      close(Object.values(metrics), [
        add(gaps) / gaps.length,
        Math.max(...gaps),
        Math.min(...flat),
        add(flat) / flat.length,
        Math.max(...flat),
      ]);
    }
  });

  it('multiplies the loss of each token, before the mean over the response', () => {
    const settings = recommended('grpo', 'trl') as ObjectiveSettings;
    const weights = weightsOf('sequence-mask', 0.5, 2);
    const w = padded(weights, 5);
    const d = padded(logpNew).map((row, i) => row.map((b, t) => b - padded(logpOld)[i]?.[t]));
    const perToken = d.map((row, i) =>
      row.map((own, t) => {
        const r = Math.exp(own);
        const a = advantage[i];
        return -Math.min(r * a, Math.min(Math.max(r, 0.8), 1.2) * a) * w[i]?.[t];
      }),
    );
    const want = add(rowSum(perToken).map((sum, i) => sum / LENGTHS[i])) / LENGTHS.length;
    expect(evaluateObjective(batch, settings, weights).loss).toBeCloseTo(want, 12);
  });
});

describe('verl: rollout_is with batch normalisation', () => {
  it('tokens average 1 over tokens, responses over responses', () => {
    const token = ragged(x).map((v) => Math.min(Math.exp(v), 1.1));
    const center = add(token) / token.length;
    const found = weightsOf('token-normalised', null, 1.1);
    token.forEach((w, t) => expect(found[t]).toBeCloseTo(w / center, 7));
    const sequence = rowSum(x).map((sum) => Math.min(Math.exp(sum), 1.1));
    const mean = add(sequence) / sequence.length;
    const own = weightsOf('sequence-normalised', null, 1.1);
    sequence.forEach((w, i) => expect(own[offsets[i]]).toBeCloseTo(w / mean, 7));
  });

  it('with a lower bound what is outside is 0 (IcePop), before the mean is taken', () => {
    const inside = ragged(x).map((v) =>
      Math.exp(v) >= 0.9 && Math.exp(v) <= 1.2 ? Math.exp(v) : 0,
    );
    const center = add(inside) / inside.length;
    const found = weightsOf('token-normalised', 0.9, 1.2);
    inside.forEach((w, t) => expect(found[t]).toBeCloseTo(w / center, 7));
  });

  it.each(['token', 'sequence'] as const)('metrics of weights of a %s', (level) => {
    const sums = rowSum(x);
    const raw = x.map((row, i) => row.map((v) => Math.exp(level === 'token' ? v : sums[i])));
    const applied = raw.map((row) => row.map((w) => Math.min(w, 1.25)));
    const verl = new VerlIs(level, { low: null, high: 1.25 });
    verl.add(batch);
    const m = verl.metrics();
    const all = ragged(applied);
    const mean = add(all) / all.length;
    const square = add(all.map((w) => w * w)) / all.length;
    expect(m.rollout_is_mean).toBeCloseTo(mean, 7);
    expect(m.rollout_is_std).toBeCloseTo(Math.sqrt(square - mean * mean), 7);
    expect(m.rollout_is_eff_sample_size).toBeCloseTo((mean * mean) / square, 7);
    const units = level === 'token' ? ragged(raw) : raw.map((row) => row[0]);
    const fraction = (test: (w: number) => boolean) => units.filter(test).length / units.length;
    expect(m.rollout_is_ratio_fraction_high).toBeCloseTo(
      fraction((w) => w > 1.25),
      7,
    );
    expect(m.rollout_is_ratio_fraction_low).toBeCloseTo(
      fraction((w) => w < 0.8),
      7,
    );
    const shown = level === 'token' ? all : units;
    expect([m.rollout_is_max, m.rollout_is_min].map((w) => w.toFixed(9))).toEqual(
      [Math.max(...shown), Math.min(...shown)].map((w) => w.toFixed(9)),
    );
    const means = rowSum(applied).map((sum, i) => sum / LENGTHS[i]);
    const rawMeans = rowSum(raw).map((sum, i) => sum / LENGTHS[i]);
    const center = add(means) / means.length;
    expect(m.rollout_is_seq_mean).toBeCloseTo(center, 7);
    expect(m.rollout_is_seq_std).toBeCloseTo(
      Math.sqrt(add(means.map((w) => (w - center) ** 2)) / (means.length - 1)),
      7,
    );
    expect(m.rollout_is_seq_max_deviation).toBeCloseTo(
      Math.max(...means.map((w) => Math.abs(w - 1))),
      7,
    );
    expect(m.rollout_is_seq_fraction_high).toBeCloseTo(
      rawMeans.filter((w) => w > 1.25).length / rawMeans.length,
      12,
    );
    expect(m.rollout_is_seq_fraction_low).toBeCloseTo(
      rawMeans.filter((w) => w < 0.8).length / rawMeans.length,
      12,
    );
  });
});

describe('verl: rollout_rs', () => {
  const k = {
    k1: (v: number) => -v,
    k2: (v: number) => (v * v) / 2,
    k3: (v: number) => Math.expm1(v) - v,
  };
  it.each(REJECTION_IDS)('%s keeps what a mask over padded matrices keeps', (id) => {
    const estimator = id.slice(-2) as keyof typeof k;
    const bounds = estimator === 'k1' ? { low: 0.8, high: 1.3 } : { low: null, high: 0.06 };
    const stat = x.map((row) => row.map(k[estimator]));
    const level = id.slice(0, -3);
    const perRow = stat.map((row, i) => {
      const own = row.slice(0, LENGTHS[i]);
      if (level === 'seq_max') return Math.max(...own);
      return level === 'seq_mean' ? add(own) / own.length : add(own);
    });
    const value = (i: number, t: number) => (level === 'token' ? stat[i]?.[t] : perRow[i]);
    const keeps = (v: number) =>
      estimator === 'k1' ? v >= Math.log(0.8) && v <= Math.log(1.3) : v <= 0.06;
    const want = ragged(
      mask.map((row, i) => row.map((m, t) => (m === 1 && keeps(value(i, t)) ? 1 : 0))),
    );
    const weights = correctionWeights(batch, id, bounds);
    expect([...weights]).toEqual(want);
    expect(
      want.some((w) => w === 0),
      'rejects something',
    ).toBe(true);
    expect([...(keptBy(id, weights) ?? [])]).toEqual(want);
  });

  it('one upper bound u of k1 stands for 1/u..u', () => {
    const one = correctionWeights(batch, 'token_k1', { low: null, high: 1.6 });
    // The recommended lower bound is not 1/1.6.
    expect(one).toEqual(correctionWeights(batch, 'token_k1', { low: 0.6, high: 1.6 }));
  });

  it('what is rejected leaves every mean, unlike a weight of 0', () => {
    const kept = keptBy(
      'token_k2',
      correctionWeights(batch, 'token_k2', { low: null, high: 0.03 }),
    );
    if (!kept) throw new Error('rejects');
    const settings = recommended('dapo', 'verl') as ObjectiveSettings;
    let sum = 0;
    let count = 0;
    LENGTHS.forEach((length, i) => {
      for (let t = 0; t < length; t++) {
        const at = offsets[i] + t;
        if (!kept[at]) continue;
        count++;
        const a = advantage[i];
        const r = Math.exp(logpNew[at] - logpOld[at]);
        let own = Math.max(-a * r, -a * Math.min(Math.max(r, 0.8), 1.28));
        if (a < 0) own = Math.min(own, -3 * a);
        sum += own;
      }
    });
    expect(count).toBeLessThan(21);
    const evaluated = evaluateObjective(batch, settings, undefined, kept);
    expect(evaluated.loss).toBeCloseTo(sum / count, 12);
    kept.forEach((own, t) => {
      if (!own) expect(evaluated.gradient[t]).toBe(0);
    });
    const zeroed = evaluateObjective(batch, settings, Float64Array.from(kept)).loss;
    expect(zeroed).toBeCloseTo(sum / 21, 12);
  });

  it('a ratio over a response is over the tokens that are left', () => {
    const kept = new Uint8Array(21).fill(1);
    kept[offsets[2]] = 0;
    const settings = recommended('gspo', 'verl') as ObjectiveSettings;
    const { weight } = evaluateObjective(batch, settings, undefined, kept);
    const left = [1, 2, 3, 4, 5, 6].map((t) => offsets[2] + t);
    const mean = add(left.map((t) => logpNew[t] - logpOld[t])) / 6;
    expect(weight[left[0]]).toBeCloseTo(Math.exp(mean), 12);
  });
});

it('NeMo-RL: seq-mask-tis drops responses by their geometric mean and keeps token ratios untruncated', () => {
  const geometric = rowSum(x).map((sum, i) => Math.exp(sum / LENGTHS[i]));
  const sorted = [...geometric].sort((a, b) => a - b);
  const [low, high] = [sorted[1], sorted[3]].map((g, k) => g * (k ? 1.0001 : 0.9999)) as [
    number,
    number,
  ];
  const want = x.map((row, i) => {
    const g = geometric[i];
    return row.map((v) => (g >= low && g <= high ? Math.exp(v) : 0));
  });
  close(weightsOf('seq-mask-tis', low, high), ragged(want));
  expect(new Set(ragged(want)).has(0)).toBe(true);
});

describe("verl's rollout_rs_*", () => {
  // Padded matrices and a mask, as `compute_rs_metrics` has them; nothing of the code under test.
  const of = {
    k1: (v: number) => -v,
    k2: (v: number) => (v * v) / 2,
    k3: (v: number) => Math.exp(v) - 1 - v,
  };
  const masked = (m: Matrix) => add(rowSum(m)) / (add(LENGTHS) + 1e-8);
  const one = (m: Matrix, test: (v: number) => boolean) =>
    m.map((row) => row.map((v) => (test(v) ? 1 : 0)));

  it.each(REJECTION_IDS)('%s', (id) => {
    const k = id.slice(-2) as keyof typeof of;
    const bounds = k === 'k1' ? { low: 0.8, high: 1.25 } : { low: null, high: 0.05 };
    const [low, high] = k === 'k1' ? [Math.log(0.8), Math.log(1.25)] : [null, 0.05];
    const single = x.map((row) => row.map(of[k]));
    const perRow = single.map((row, i) => {
      const own = row.slice(0, LENGTHS[i]);
      if (id.startsWith('seq_sum')) return add(own);
      return id.startsWith('seq_max') ? Math.max(...own) : add(own) / (own.length + 1e-8);
    });
    const token = id.startsWith('token');
    const m = token ? single : single.map((row, i) => row.map(() => perRow[i]));
    const above = (v: number) => v > high;
    const below = (v: number) => low !== null && v < low;
    const share = (test: (v: number) => boolean) => perRow.filter(test).length / perRow.length;
    const fraction = (test: (v: number) => boolean) => (token ? masked(one(m, test)) : share(test));
    const shown = token ? ragged(m) : perRow;
    const limited = m.map((row) => row.map((v) => Math.max(low ?? 0, Math.min(high, v))));
    const square = masked(limited.map((row) => row.map((v) => v * v)));
    const center = add(perRow) / perRow.length;
    const out = one(m, (v) => above(v) || below(v));
    const want: Record<string, number> = {
      mean: masked(m),
      max: Math.max(...shown),
      min: Math.min(...shown),
      fraction_high: fraction(above),
      fraction_low: fraction(below),
      std: Math.sqrt(Math.max(0, square - masked(limited) ** 2)),
      seq_mean: center,
      seq_std: Math.sqrt(add(perRow.map((v) => (v - center) ** 2)) / (perRow.length - 1)),
      seq_max: Math.max(...perRow),
      seq_min: Math.min(...perRow),
      seq_max_deviation: Math.max(...perRow.map(Math.abs)),
      seq_fraction_high: share(above),
      masked_fraction: masked(out),
      seq_masked_fraction: rowSum(out).filter((own) => own > 0).length / LENGTHS.length,
    };
    if (k === 'k1') want['seq_fraction_low'] = share(below);
    const verl = new VerlRs(id, bounds);
    verl.add(batch);
    const found = verl.metrics();
    expect(Object.keys(found).sort()).toEqual(
      Object.keys(want)
        .map((name) => `rollout_rs_${id}_${name}`)
        .sort(),
    );
    for (const [name, value] of Object.entries(want)) {
      expect([name, found[`rollout_rs_${id}_${name}` as keyof typeof found]]).toEqual([
        name,
        expect.closeTo(value, 10),
      ]);
    }
    expect(want['masked_fraction']).toBeGreaterThan(0);
  });
});
