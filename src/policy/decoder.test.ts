/** Decoding inside the runtime, held against the step-by-step sampler and against scoring. */
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { localFiles, NODE_ASSETS } from '../../scripts/node/ort';
import { cpuKernels } from '../math/cpu-kernels';
import { GroupStream } from '../rollouts/group-stream';
import { sampleGroups, taskOf } from '../rollouts/sample-groups';
import { heldOutPrompts } from '../tasks/task';
import { Decoder } from './decoder';
import { fetchCatalogue, findPolicy } from './fetch';
import { PolicyHost } from './host';
import { loadRuntime } from './runtime';
import { sampleSequences, type SampleRequest } from './sample';
import { sampleOnCpu } from './sample-cpu';
import { scoreSequences } from './score';

const RANGE = { minOperators: 1, maxOperators: 9 };

let tiny: PolicyHost;
let shipped: PolicyHost;

beforeAll(async () => {
  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  const { files, manifest } = await tinyPolicy();
  tiny = await PolicyHost.open(runtime, files, manifest);
  const arithmetic = findPolicy(await fetchCatalogue(localFiles), 'arithmetic-dense');
  shipped = await PolicyHost.open(runtime, localFiles, arithmetic);
});

const weightsOf = async (host: PolicyHost) => {
  const { old, new: next } = host.manifest.defaultPair;
  return host.pair(old, next, 1);
};

/** More sequences than there are rows, so that rows change hands. */
function request(host: PolicyHost, more: Partial<SampleRequest> = {}): SampleRequest {
  const { tokenizer, endToken, padToken, maxPositions } = host.files;
  const texts = heldOutPrompts(taskOf(host), 3, RANGE, 100);
  return {
    prompts: texts.map((text) => tokenizer.encode(text)),
    firstSequence: 5,
    temperature: 1,
    maxLength: 40,
    maxPositions,
    seed: 7,
    endToken,
    padToken,
    ...more,
  };
}

describe('decoding in the runtime', () => {
  test.each([0, 0.7, 1, 1.6])(
    'gives the tokens of the step-by-step sampler, temperature %d',
    async (temperature) => {
      for (const host of [tiny, shipped]) {
        const { old } = await weightsOf(host);
        const asked = request(host, { temperature });
        const { sequences, scored } = await sampleSequences(host.session, old, asked);
        expect(scored).not.toBeNull();
        expect(sequences).toEqual(await sampleOnCpu(host.session, old, asked));
      }
    },
  );

  test.each([
    [0.9, 1],
    [0.4, 1.6],
  ])(
    'and its tokens where top-p %d cuts off the rest, temperature %d',
    async (topP, temperature) => {
      for (const host of [tiny, shipped]) {
        const { old } = await weightsOf(host);
        const asked = request(host, { temperature, topP });
        const { sequences } = await sampleSequences(host.session, old, asked);
        const stepped = await sampleOnCpu(host.session, old, asked);
        const drawn = (all: typeof sequences) =>
          all.map(({ tokens, finished }) => [tokens, finished]);
        expect(drawn(sequences)).toEqual(drawn(stepped));
        const whole = await sampleSequences(host.session, old, request(host, { temperature }));
        expect(drawn(sequences)).not.toEqual(drawn(whole.sequences));
        const kept = sequences.flatMap(({ logKept = [] }) => logKept);
        expect(kept).toHaveLength(sequences.flatMap(({ tokens }) => tokens).length);
        // Top-p is of the probability at the sampler's temperature.
        if (temperature === 1)
          expect(Math.min(...kept)).toBeGreaterThanOrEqual(Math.log(topP) - 1e-6);
        expect(Math.min(...kept)).toBeLessThan(-0.01);
        stepped
          .flatMap(({ logKept = [] }) => logKept)
          .forEach((x, t) => expect(Math.abs(x - (kept[t] ?? NaN))).toBeLessThan(5e-5));
      }
    },
  );

  test('says of each token what scoring says, whatever the temperature', async () => {
    const { old } = await weightsOf(shipped);
    for (const temperature of [0.7, 1.6]) {
      const asked = request(shipped, { temperature });
      const { sequences, scored } = await sampleSequences(shipped.session, old, asked);
      const again = await scoreSequences(
        shipped.session,
        old,
        cpuKernels,
        sequences.map(({ tokens }, i) => ({
          prompt: [...(asked.prompts[i] ?? [])],
          response: tokens,
        })),
        asked.padToken,
      );
      for (const column of ['logp', 'entropy', 'collision'] as const) {
        const own = Array.from(scored?.[column] ?? []);
        expect(own).toHaveLength(again[column].length);
        const off = own.map((x, t) => Math.abs(x - (again[column][t] ?? NaN)));
        expect(Math.max(...off), column).toBeLessThan(5e-5);
        const rms = Math.sqrt(off.reduce((sum, x) => sum + x * x, 0) / off.length);
        expect(rms, column).toBeLessThan(2e-6);
      }
    }
  });

  test('an abort between two runs loses nothing', async () => {
    const { old } = await weightsOf(tiny);
    const asked = request(tiny);
    const decoder = await Decoder.create(tiny.session, old, asked);
    if (decoder === null) throw new Error('the tiny policy has no decoding loop');
    decoder.add(asked.prompts.map((prompt, i) => ({ prompt, sequence: 5 + i })));
    const abort = new AbortController();
    await decoder.advance(abort.signal);
    abort.abort();
    await expect(decoder.advance(abort.signal)).rejects.toThrow(/abort/i);
    while (decoder.unfinished > 0) await decoder.advance();
    const { sequences } = decoder.take(5, asked.prompts.length);
    expect(sequences).toEqual((await sampleSequences(tiny.session, old, asked)).sequences);
  });
});

test('groups out of a stream are those that are sampled by themselves, however they are asked for', async () => {
  const { old } = await weightsOf(shipped);
  const draw = { groupSize: 4, temperature: 1, maxLength: 60, seed: 2 };
  const texts = (first: number, count: number) =>
    heldOutPrompts(taskOf(shipped), 2, RANGE, count, first);
  const groups = 30;
  const alone = await sampleGroups(shipped, old, {
    texts: texts(0, groups),
    firstSequence: 0,
    ...draw,
  });
  const range = (first: number, count: number) => ({ first, count });
  // in turn; from the middle on, as a run that goes on; every other range, as one sampler of two; again
  for (const ranges of [
    [range(0, 8), range(8, 8), range(16, 8), range(24, 6)],
    [range(13, 7), range(20, 10)],
    [range(3, 5), range(13, 5), range(8, 5), range(25, 5)],
  ]) {
    const stream = new GroupStream(shipped, old, { texts, ...draw });
    stream.announce(ranges.slice(0, 3));
    for (const { first, count } of [...ranges, range(2, 3)]) {
      const { responses, answers, verdicts } = await stream.take({ first, count });
      const [from, to] = [4 * first, 4 * (first + count)];
      expect(responses).toEqual(alone.responses.slice(from, to));
      expect(answers).toEqual(alone.answers.slice(from, to));
      expect(verdicts).toEqual(alone.verdicts.slice(from, to));
    }
  }
});
