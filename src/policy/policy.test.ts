/** The policy on the wasm provider: what must be true of any policy, shown on a tiny random one. */
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyPolicy, type TinyPolicy } from '../../models/build/tiny';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { cpuKernels } from '../math/cpu-kernels';
import { PolicyHost } from './host';
import { loadRuntime } from './runtime';
import { sampleSequences, type SampleRequest } from './sample';
import { scoreSequences, type ScoredSequence } from './score';
import type { ResidentWeights } from './session';

let tiny: TinyPolicy;
let host: PolicyHost;

beforeAll(async () => {
  tiny = await tinyPolicy();
  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  host = await PolicyHost.open(runtime, tiny.files, tiny.manifest);
});

const encode = (text: string) => host.files.tokenizer.encode(text);

function request(texts: string[], more: Partial<SampleRequest> = {}): SampleRequest {
  return {
    prompts: texts.map(encode),
    firstSequence: 0,
    temperature: 1,
    maxLength: 24,
    maxPositions: host.files.maxPositions,
    seed: 7,
    endToken: host.files.endToken,
    padToken: host.files.padToken,
    ...more,
  };
}

const sample = async (weights: ResidentWeights, asked: SampleRequest) =>
  (await sampleSequences(host.session, weights, asked)).sequences;

const PROMPTS = ['8*3+2-6=', '1+1=', '9-9*9+4=', '7*7=', '2+3-4*5+6=', '5-8='];

describe('scoring', () => {
  const text = (prompt: string, response: string): ScoredSequence => ({
    prompt: encode(prompt),
    response: encode(response),
  });

  test('a response scores the same alone and beside longer ones (padding never leaks)', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const { padToken } = host.files;
    const score = (s: ScoredSequence[]) =>
      scoreSequences(host.session, old, cpuKernels, s, padToken);
    const short = text('1+1=', '2;');
    const alone = await score([short]);
    const together = await score([text('9-9*9+4=', '9-81+4=(-72)+4=(-68);'), short]);
    const offset = '9-81+4=(-72)+4=(-68);'.length;
    for (let t = 0; t < 2; t++) {
      expect(together.logp[offset + t]).toBeCloseTo(alone.logp[t], 5);
      expect(together.entropy[offset + t]).toBeCloseTo(alone.entropy[t], 5);
    }
  });

  test('responses to one prompt score behind its cache as each does alone, in their order', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const score = (some: ScoredSequence[]) =>
      scoreSequences(host.session, old, cpuKernels, some, host.files.padToken);
    // prompts of several lengths, mixed; one token, one that is cut, none at all
    const answers = ['2;', ';', '9-81+4=(-72)+4=(-68);', '', '7', '1+1=2;', '4*4=16;', '3;'];
    const sequences = answers.flatMap((answer, i) => [
      text(PROMPTS[i % 2], answer),
      text(PROMPTS[2], `${answer};`),
    ]);
    const together = await score(sequences);
    const alone = await Promise.all(sequences.map((one) => score([one])));
    for (const column of ['logp', 'entropy', 'collision'] as const) {
      const each = alone.flatMap((one) => Array.from(one[column]));
      expect(together[column]).toHaveLength(each.length);
      const apart = each.map((x, t) => Math.abs(x - together[column][t]));
      expect(Math.max(...apart)).toBeLessThan(2e-6);
    }
  });

  test('next-token probabilities given a prefix add up to one', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const vocabulary = host.files.tokenizer.vocabulary.length;
    const sequences = Array.from({ length: vocabulary }, (_, id) => ({
      prompt: encode('1+1='),
      response: [id],
    }));
    const { logp } = await scoreSequences(host.session, old, cpuKernels, sequences, 0);
    const total = Array.from(logp).reduce((sum, x) => sum + Math.exp(x), 0);
    expect(total).toBeCloseTo(1, 5);
  });

  test('alpha = 0 makes pi_theta pi_old, to the last bit; alpha moves it continuously', async () => {
    const sequences = [text('8*3+2-6=', '24+2-6=26-6=20;')];
    const theta = async (alpha: number) => {
      const pair = await host.pair('a', 'b', alpha);
      const { logp } = await scoreSequences(host.session, pair.theta, cpuKernels, sequences, 0);
      return Array.from(logp);
    };
    const pair = await host.pair('a', 'b', 0);
    const { logp } = await scoreSequences(host.session, pair.old, cpuKernels, sequences, 0);
    expect(await theta(0)).toEqual(Array.from(logp));
    const [near, middle, far] = [await theta(0.01), await theta(0.5), await theta(1)];
    const distance = (x: number[]) => Math.max(...x.map((y, i) => Math.abs(y - logp[i])));
    expect(distance(near)).toBeGreaterThan(0);
    expect(distance(near)).toBeLessThan(distance(middle) / 10);
    expect(distance(far)).toBeGreaterThan(distance(middle));
  });
});

describe('sampling', () => {
  test('the same seed gives the same tokens, another seed gives others', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const first = await sample(old, request(PROMPTS));
    expect(await sample(old, request(PROMPTS))).toEqual(first);
    expect(await sample(old, request(PROMPTS, { seed: 8 }))).not.toEqual(first);
  });

  test('a response does not depend on what else is in the batch', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const together = await sample(old, request(PROMPTS));
    for (const [i, prompt] of PROMPTS.entries()) {
      const alone = await sample(old, request([prompt], { firstSequence: i }));
      expect(alone[0]).toEqual(together[i]);
    }
  });

  test('greedy decoding picks what scoring calls most likely (the cache is right)', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const [greedy] = await sample(old, request(['8*3+2-6='], { temperature: 0, maxLength: 12 }));
    const { tokens } = greedy as { tokens: number[] };
    for (let t = 0; t < tokens.length; t++) {
      const prompt = [...encode('8*3+2-6='), ...tokens.slice(0, t)];
      const candidates = host.files.tokenizer.vocabulary.map((_, id) => ({
        prompt,
        response: [id],
      }));
      const { logp } = await scoreSequences(host.session, old, cpuKernels, candidates, 0);
      expect(Array.from(logp).indexOf(Math.max(...logp))).toBe(tokens[t]);
    }
  });

  test('the frequencies of a sampled token follow its probabilities', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const n = 4000;
    const prompt = '1+1=';
    const samples = await sample(
      old,
      request(
        Array.from({ length: n }, () => prompt),
        { maxLength: 1 },
      ),
    );
    const vocabulary = host.files.tokenizer.vocabulary.length;
    const candidates = Array.from({ length: vocabulary }, (_, id) => ({
      prompt: encode(prompt),
      response: [id],
    }));
    const { logp } = await scoreSequences(host.session, old, cpuKernels, candidates, 0);
    const counts = new Array<number>(vocabulary).fill(0);
    for (const { tokens } of samples) counts[tokens[0]] = (counts[tokens[0]] ?? 0) + 1;
    let chiSquare = 0;
    counts.forEach((count, id) => {
      const expected = n * Math.exp(logp[id]);
      chiSquare += (count - expected) ** 2 / expected;
    });
    // 17 degrees of freedom: 40.8 is the 99.9 % point; the seed is fixed.
    expect(chiSquare).toBeLessThan(40.8);
  });

  test('stops at the length limit and says so; aborts between steps', async () => {
    const { old } = await host.pair('a', 'b', 1);
    const sampled = await sample(old, request(PROMPTS, { maxLength: 3 }));
    for (const { tokens, finished } of sampled) {
      expect(tokens.length).toBeLessThanOrEqual(3);
      expect(finished).toBe(tokens.at(-1) === host.files.endToken);
    }
    const abort = new AbortController();
    abort.abort();
    await expect(sample(old, request(PROMPTS, { signal: abort.signal }))).rejects.toThrow(/abort/i);
  });
});

describe('bad input', () => {
  test('an unknown checkpoint is named, with those that exist', async () => {
    await expect(host.pair('a', 'c', 1)).rejects.toThrow(/no checkpoint "c".*a, b/);
  });

  test('a file that is not what the manifest says is refused', async () => {
    const files: typeof tiny.files = async (path, ...rest) => {
      const bytes = await tiny.files(path, ...rest);
      if (path.endsWith('a.safetensors')) bytes[bytes.length - 1] = 1 ^ (bytes.at(-1) as number);
      return bytes;
    };
    const tampered = await PolicyHost.open(host.session.runtime, files, tiny.manifest);
    await expect(tampered.pair('a', 'b', 1)).rejects.toThrow(/a\.safetensors is not the file/);
  });
});
