import { describe, expect, test } from 'vitest';
import { rowStats } from '../math/log-softmax';
import { Random, STREAM } from '../math/philox';
import { buffersLeft, filledBuffer, testDevice } from './testing';
import {
  encodeTokenStats,
  tokenStats,
  tokenStatsInPlace,
  type TokenStatsOptions,
} from './token-stats';

const device = await testDevice();

const ways = device.features.has('subgroups') ? [true, false] : [false];

/** Rows of normal logits; those not in `rows` are NaN and infinities. */
function logitsAmongJunk(allRows: number, vocabulary: number, rows: Uint32Array): Float32Array {
  const junk = [NaN, Infinity, -Infinity, 3e38];
  const logits = Float32Array.from(
    { length: allRows * vocabulary },
    (_, i) => junk[i % junk.length],
  );
  const random = new Random(11, STREAM.display);
  for (const row of rows) {
    for (let v = 0; v < vocabulary; v++) logits[row * vocabulary + v] = 4 * random.normal();
  }
  return logits;
}

/** Largest absolute error of the three columns against float64. */
async function worstError(
  vocabulary: number,
  allRows: number,
  rows: Uint32Array,
  options: TokenStatsOptions = {},
): Promise<number> {
  const logits = logitsAmongJunk(allRows, vocabulary, rows);
  const targets = rows.map((row) => (row * 7919 + 3) % vocabulary);
  const buffer = filledBuffer(device, logits);
  const got = await tokenStatsInPlace(device, buffer, { vocabulary, rows, targets }, options);
  buffer.destroy();
  const errors = [...rows].flatMap((row, i) => {
    const want = rowStats(logits, row * vocabulary, vocabulary, targets[i]);
    return [
      Math.abs(got.logp[i] - want.logp),
      Math.abs(got.entropy[i] - want.entropy),
      Math.abs(got.collision[i] - want.collision),
    ];
  });
  return Math.max(...errors);
}

describe.each(ways)('token statistics in place, subgroups %s', (subgroups) => {
  test.each([
    ['one thread per row', 18, 1000],
    ['a workgroup per row', 257, 40],
    ['a workgroup per row, most of it idle', 129, 40],
    ['many logits per thread', 5003, 6],
  ])('%s: listed rows in any order, junk everywhere else', async (_, vocabulary, allRows) => {
    const rows = Uint32Array.from({ length: allRows / 2 }, (_, i) => (i * 37) % allRows);
    expect(new Set(rows).size).toBe(rows.length);
    expect(await worstError(vocabulary, allRows, rows, { subgroups })).toBeLessThan(1e-5);
  });

  test('logits larger than one binding are worked off in chunks', async () => {
    const rows = Uint32Array.of(29, 0, 7, 7, 15, 28, 3);
    const rowBytes = 257 * 4;
    const chunks = (bindingLimit: number) => worstError(257, 30, rows, { bindingLimit, subgroups });
    expect(await chunks(3 * rowBytes)).toBeLessThan(1e-5);
    await expect(chunks(rowBytes - 4)).rejects.toThrow(/One row of 257 logits/);
  });

  test('a row that cannot be used spoils itself only, twice the same to the last bit', async () => {
    const vocabulary = 300;
    const rows = Uint32Array.of(0, 1, 2);
    const logits = logitsAmongJunk(3, vocabulary, rows);
    // no NaN, which would spread by itself, and not the last one, which every thread reads
    logits[vocabulary + 151] = 3e38;
    const buffer = filledBuffer(device, logits);
    const job = { vocabulary, rows, targets: Uint32Array.of(1, 2, 3) };
    const got = await tokenStatsInPlace(device, buffer, job, { subgroups });
    for (const column of [got.logp, got.entropy, got.collision]) {
      expect([...column].map(Number.isNaN)).toEqual([false, true, false]);
    }
    expect(await tokenStatsInPlace(device, buffer, job, { subgroups })).toEqual(got);
    buffer.destroy();
  });

  test('logits from the CPU arrive in chunks too', async () => {
    const rows = Uint32Array.from({ length: 11 }, (_, i) => i);
    const logits = logitsAmongJunk(11, 100, rows);
    const targets = rows.map((row) => row * 3);
    const chunked = await tokenStats(device, logits, 100, targets, { bindingLimit: 4 * 400 });
    const whole = await tokenStats(device, logits, 100, targets);
    expect(chunked).toEqual(whole);
    expect(chunked.logp[10]).toBeCloseTo(rowStats(logits, 1000, 100, 30).logp, 5);
  });

  test('results can stay on the GPU', async () => {
    const buffer = filledBuffer(device, Float32Array.of(0, 0, 0, 0));
    const stats = await encodeTokenStats(device, buffer, {
      vocabulary: 2,
      rows: Uint32Array.of(0, 1),
      targets: Uint32Array.of(1, 0),
    });
    buffer.destroy();
    expect(stats.rows).toBe(2);
    const { logp, entropy, collision } = await stats.read();
    stats.destroy();
    for (let i = 0; i < 2; i++) {
      expect(logp[i]).toBeCloseTo(-Math.LN2, 6);
      expect(entropy[i]).toBeCloseTo(Math.LN2, 6);
      expect(collision[i]).toBeCloseTo(0.5, 6);
    }
  });

  test('rows and targets outside the logits are refused in words', async () => {
    const buffer = filledBuffer(device, new Float32Array(8));
    const ask = (rows: number[], targets: number[]) =>
      tokenStatsInPlace(device, buffer, {
        vocabulary: 4,
        rows: Uint32Array.from(rows),
        targets: Uint32Array.from(targets),
      });
    await expect(ask([0, 2], [0, 0])).rejects.toThrow('Row 2 is outside the 2 rows of logits.');
    await expect(ask([0], [4])).rejects.toThrow('Target 4 of row 0 is outside the vocabulary');
    await expect(ask([0, 1], [0])).rejects.toThrow('2 rows cannot have 1 targets.');
    expect((await ask([], [])).logp).toHaveLength(0);
    buffer.destroy();
  });

  test('leaves no buffer behind, also when it fails', async () => {
    const left = await buffersLeft(device, async () => {
      const targets = Uint32Array.of(0, 1);
      await tokenStats(device, new Float32Array(4), 2, targets, { bindingLimit: 8 });
      const attempt = tokenStats(device, new Float32Array(4), 2, targets, { bindingLimit: 4 });
      await expect(attempt).rejects.toThrow(/needs a binding/);
    });
    expect(left).toBe(0);
  });
});
