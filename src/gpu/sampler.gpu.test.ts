import { describe, expect, test } from 'vitest';
import { philox4x32, Random, STREAM, unitInterval } from '../math/philox';
import { nucleusOf } from '../math/nucleus';
import { sampleRow } from '../math/sampler';
import { Arena } from './buffers';
import { computePipeline, encodePass, hasImmediates } from './pipeline';
import { Sampler, type LogitsLayout, type SampledBatch, type SamplerSettings } from './sampler';
import { PHILOX } from './snippets';
import { readBack } from './submit';
import { buffersLeft, filledBuffer, testDevice } from './testing';

const device = await testDevice();

const ways = (device.features.has('subgroups') ? [true, false] : [false]).flatMap((subgroups) =>
  (hasImmediates() ? [true, false] : [false]).map((immediates) => ({ subgroups, immediates })),
);

const SETTINGS: SamplerSettings = {
  batch: 4,
  vocabulary: 18,
  maxNew: 8,
  temperature: 1,
  seed: 5,
  firstSequence: 0,
  endToken: 17,
  padToken: 16,
};

interface Run extends SampledBatch {
  unfinished: number;
  next64: Uint32Array;
  next32: Int32Array;
}

type Tail<T extends unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;

/** Takes one step per entry of `steps`. */
async function runWith(
  way: { subgroups: boolean; immediates: boolean },
  changes: Partial<SamplerSettings>,
  steps: readonly Float32Array[],
  layout: LogitsLayout = {},
  bindingLimit?: number,
): Promise<Run> {
  const settings = { ...SETTINGS, ...changes };
  const sampler = await Sampler.create(device, settings, { bindingLimit, ...way });
  const arena = new Arena(device);
  const next = {
    int64: arena.storage(settings.batch * 8),
    int32: arena.storage(settings.batch * 4),
  };
  try {
    for (const logits of steps) sampler.step(arena.upload(logits), next, layout);
    return {
      ...(await sampler.read()),
      unfinished: await sampler.unfinished(),
      next64: new Uint32Array(await readBack(device, next.int64, settings.batch * 8)),
      next32: new Int32Array(await readBack(device, next.int32, settings.batch * 4)),
    };
  } finally {
    sampler.destroy();
    arena.destroy();
  }
}

/** [rows, vocabulary] normal logits. */
function normals(rows: number, vocabulary: number, seed: number, scale = 2): Float32Array {
  const random = new Random(seed, STREAM.display);
  return Float32Array.from({ length: rows * vocabulary }, () => scale * random.normal());
}

/** Logits under which exactly these ids are chosen. */
function pointing(ids: readonly number[], vocabulary: number): Float32Array {
  const logits = new Float32Array(ids.length * vocabulary).fill(-Infinity);
  ids.forEach((id, row) => (logits[row * vocabulary + id] = 0));
  return logits;
}

test('Philox gives the same words and floats in WGSL as in TypeScript', async () => {
  const blocks = 4096;
  const random = new Random(99, STREAM.display);
  const input = Uint32Array.from({ length: blocks * 6 }, (_, i) =>
    // the first blocks are the corners: all zeros, all ones
    i < 6 ? 0 : i < 12 ? 0xffffffff : random.bits(),
  );
  const code = `
    @group(0) @binding(0) var<storage, read> input: array<u32>;
    @group(0) @binding(1) var<storage, read_write> words: array<vec4u>;
    @group(0) @binding(2) var<storage, read_write> floats: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let k = id.x * 6u;
      words[id.x] = philox4x32(
        vec2u(input[k], input[k + 1u]),
        vec4u(input[k + 2u], input[k + 3u], input[k + 4u], input[k + 5u]),
      );
      floats[id.x] = unit_interval(words[id.x].x);
    }`;
  const pipeline = await computePipeline(device, {
    name: 'philox-test.wgsl',
    code: [code, PHILOX].join('\n'),
  });
  const arena = new Arena(device);
  const words = arena.storage(blocks * 16);
  const floats = arena.storage(blocks * 4);
  const encoder = device.createCommandEncoder();
  encodePass(encoder, device, [
    { pipeline, bindings: [arena.upload(input), words, floats], workgroups: blocks / 64 },
  ]);
  device.queue.submit([encoder.finish()]);
  const got = new Uint32Array(await readBack(device, words, blocks * 16));
  const gotFloats = new Float32Array(await readBack(device, floats, blocks * 4));
  arena.destroy();
  const want = Array.from({ length: blocks }, (_, b) => {
    const [k0 = 0, k1 = 0, c0 = 0, c1 = 0, c2 = 0, c3 = 0] = input.slice(b * 6, b * 6 + 6);
    return philox4x32(k0, k1, c0, c1, c2, c3);
  });
  expect(got).toEqual(Uint32Array.from(want.flat()));
  expect(gotFloats).toEqual(Float32Array.from(want, ([first]) => unitInterval(first)));
});

describe.each(ways.map((way) => [JSON.stringify(way), way] as const))('sampler %s', (_, way) => {
  const run = (...input: Tail<Parameters<typeof runWith>>) => runWith(way, ...input);

  test.each([
    ['small vocabulary', 18, 64, 1, 1],
    ['a workgroup of 256', 5003, 8, 0.7, 1],
    ['greedy', 257, 16, 0, 0.5],
    ['a nucleus', 18, 64, 1, 0.8],
    ['a nucleus of many', 151_936, 3, 1.3, 0.9],
  ])(
    'picks what its TypeScript twin picks: %s',
    async (_, vocabulary, batch, temperature, topP) => {
      const settings = {
        batch,
        vocabulary,
        temperature,
        topP,
        seed: 0xdeadbeef,
        firstSequence: 1000,
        // never sampled: its logit is -inf
        endToken: 0,
        padToken: 0,
      };
      const steps = [1, 2, 3].map((seed) => {
        const logits = normals(batch, vocabulary, seed);
        for (let row = 0; row < batch; row++) logits[row * vocabulary] = -Infinity;
        return logits;
      });
      const got = await run(settings, steps);
      const want = steps.flatMap((logits, step) =>
        Array.from({ length: batch }, (_, row) =>
          sampleRow(logits, row * vocabulary, vocabulary, {
            temperature,
            topP,
            seed: settings.seed,
            sequence: 1000 + row,
            step,
          }),
        ),
      );
      if (topP < 1 && temperature > 0) {
        steps.forEach((logits, step) => {
          for (let row = 0; row < batch; row++) {
            const own = nucleusOf(logits, row * vocabulary, vocabulary, { temperature, topP });
            const kept = got.logKept?.[row * SETTINGS.maxNew + step];
            expect(Math.abs((kept ?? NaN) - own.logKept)).toBeLessThan(2e-5);
          }
        });
      } else {
        expect(got.logKept).toBeNull();
      }
      const chosen = steps.flatMap((_, step) =>
        Array.from({ length: batch }, (_, row) => got.tokens[row * SETTINGS.maxNew + step]),
      );
      expect(chosen).toEqual(want);
      expect(new Set(want).size).toBeGreaterThan(3);
      expect(got.unfinished).toBe(batch);
      expect([...got.lengths]).toEqual(Array.from({ length: batch }, () => 3));
      const last = chosen.slice(-batch);
      expect([...got.next32]).toEqual(last);
      expect([...got.next64]).toEqual(last.flatMap((id) => [id, 0]));
    },
  );

  test('samples follow softmax(logits / temperature): chi-square', async () => {
    const batch = 4000;
    const temperature = 1.5;
    const row = [2, 1, 0, -1, 0.5, -Infinity];
    const logits = Float32Array.from({ length: batch * 6 }, (_, i) => row[i % 6]);
    const settings = { batch, vocabulary: 6, temperature, endToken: 5, padToken: 5, maxNew: 1 };
    const { tokens } = await run(settings, [logits]);
    const weights = row.map((x) => Math.exp(x / temperature));
    const total = weights.reduce((a, b) => a + b);
    let chiSquare = 0;
    row.forEach((_, id) => {
      const seen = tokens.filter((token) => token === id).length;
      const expected = (batch * weights[id]) / total;
      if (expected === 0) expect(seen).toBe(0);
      else chiSquare += (seen - expected) ** 2 / expected;
    });
    // 99.9 % quantile of chi-square with 4 degrees of freedom
    expect(chiSquare).toBeLessThan(18.47);
  });

  test('a response ends with its end token; from then on the sequence pads', async () => {
    const paths = [
      [3, 17, 5, 5],
      [17, 5, 5, 5],
      [1, 2, 3, 4],
      [1, 2, 3, 17],
    ];
    const steps = [0, 1, 2, 3].map((step) =>
      pointing(
        paths.map((path) => path[step]),
        18,
      ),
    );
    const got = await run({ maxNew: 5 }, steps);
    expect([...got.tokens]).toEqual([
      ...[3, 17, 16, 16, 0],
      ...[17, 16, 16, 16, 0],
      ...[1, 2, 3, 4, 0],
      ...[1, 2, 3, 17, 0],
    ]);
    expect([...got.lengths]).toEqual([2, 1, 4, 4]);
    expect([...got.finished]).toEqual([1, 1, 0, 1]);
    expect(got.unfinished).toBe(1);
    expect([...got.next32]).toEqual([16, 16, 4, 17]);
  });

  test('reads the last position of prefill logits, in chunks where they are large', async () => {
    const positions = 40;
    const vocabulary = 18;
    const logits = new Float32Array(4 * positions * vocabulary).fill(NaN);
    const ids = [4, 9, 2, 11];
    ids.forEach((id, row) => {
      const start = (row * positions + positions - 1) * vocabulary;
      logits.fill(-1, start, start + vocabulary);
      logits[start + id] = 1;
    });
    const layout = { offset: (positions - 1) * vocabulary, stride: positions * vocabulary };
    for (const limit of [undefined, 4096]) {
      const got = await run({ temperature: 0 }, [logits], layout, limit);
      expect([...got.next32]).toEqual(ids);
    }
  });

  test('greedy ties go to the lowest id', async () => {
    const logits = new Float32Array(4 * 700).fill(3);
    logits.fill(2, 0, 300);
    const got = await run({ vocabulary: 700, temperature: 0 }, [logits]);
    expect(got.next32[0]).toBe(300);
    expect(got.next32[1]).toBe(0);
    // -0 and 0 are a tie; so are the same logits of two threads.
    const zeros = new Float32Array(4 * 700).fill(-1);
    zeros.set([-0, 0], 350);
    zeros[700 + 650] = 0;
    zeros[700 + 90] = -0;
    zeros.fill(-2, 1400);
    const { next32 } = await run({ vocabulary: 700, temperature: 0 }, [zeros]);
    expect([...next32]).toEqual([350, 90, 0, 0]);
  });

  test('bad input is refused in words', async () => {
    const steps = [new Float32Array(4 * 18)];
    await expect(run({}, [new Float32Array(4 * 18 - 1)])).rejects.toThrow('end at element 72');
    await expect(run({ maxNew: 1 }, [...steps, ...steps])).rejects.toThrow('All 1 steps');
    await expect(run({ temperature: -1 }, steps)).rejects.toThrow('temperature must be 0 or more');
    await expect(run({ endToken: 18 }, steps)).rejects.toThrow('endToken 18 is not one of 18');
    await expect(run({ batch: 0 }, steps)).rejects.toThrow('batch of at least 1');
    const spoilt = new Float32Array(4 * 18).fill(NaN, 18, 36);
    await expect(run({}, [spoilt])).rejects.toThrow('1 rows of logits held no usable number');
  });

  test('a step that the GPU refuses is heard at the next reading', async () => {
    const sampler = await Sampler.create(device, SETTINGS);
    const arena = new Arena(device);
    const next = { int64: arena.storage(32), int32: arena.storage(16) };
    const logits = filledBuffer(device, new Float32Array(4 * 18));
    logits.destroy();
    sampler.step(logits, next);
    await expect(sampler.unfinished()).rejects.toThrow('The GPU refused a sampling step');
    await expect(sampler.read()).rejects.toThrow('The GPU refused a sampling step');
    sampler.destroy();
    arena.destroy();
  });

  test('leaves no buffer behind', async () => {
    const left = await buffersLeft(device, async () => {
      const sampler = await Sampler.create(device, SETTINGS);
      const logits = filledBuffer(device, new Float32Array(4 * 18));
      const next = { int64: filledBuffer(device, new Float32Array(8)), int32: logits };
      const int32 = filledBuffer(device, new Float32Array(4));
      sampler.step(logits, { ...next, int32 });
      await sampler.read();
      for (const buffer of [logits, next.int64, int32]) buffer.destroy();
      sampler.destroy();
    });
    expect(left).toBe(0);
  });
});
