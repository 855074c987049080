/** Files as trainers really write them: read as what they are, or refused with the way out. */
import { describe, expect, it } from 'vitest';
import { DamagedError, gunzipMembers } from './compression';
import { importNotes } from './notes';
import { readRolloutFiles, type FileRollouts } from './read';
import { file, gzipped, jsonl, messageOf, read, rows, type Row } from './read.suite';

const line = (row: Row) => JSON.stringify(row);
const one = async (row: Row, name?: string): Promise<FileRollouts> => read(line(row), {}, name);
const listOf = (values: ArrayLike<number> | undefined) => Array.from(values ?? []);

describe('masks', () => {
  const padded = {
    uid: 'a',
    old_log_probs: [-1.1234567, -0.5234567, 0, 0],
    log_probs: [-1.1224567, -0.5224567, 0, 0],
    advantage: 1,
  };

  it.each([
    'mask',
    'response_mask',
    'completion_mask',
    'tool_mask',
    'loss_mask',
    'token_loss_mask',
    'action_mask',
  ])('"%s" takes tokens out of the ratio and leaves the response its others', async (name) => {
    const { rollouts, maskedTokens, facts } = await read(
      jsonl([
        { ...padded, [name]: [1, 1, 0, 0] },
        {
          ...padded,
          old_log_probs: [-1.3234567, -0.6234567, -0.2, 0],
          log_probs: [-1.3244567, -0.6244567, -0.201, 0],
          [name]: [true, true, true, false],
        },
      ]),
    );
    expect(listOf(rollouts.offsets)).toEqual([0, 2, 5]);
    const logS = (from: number, to: number) => {
      let sum = 0;
      for (let t = from; t < to; t++) {
        sum += rollouts.logpNew[t] - rollouts.logpOld[t];
      }
      return sum / (to - from);
    };
    expect(logS(0, 2)).toBeCloseTo(0.001, 12);
    expect(logS(2, 5)).toBeCloseTo(-0.001, 12);
    expect(maskedTokens).toBe(3);
    expect(listOf(facts.masked)).toEqual([2, 1]);
    expect(facts.read).toContainEqual(expect.objectContaining({ name, responses: 2 }));
  });

  it("TRL's tool_mask comes on top of completion_mask; two masks of one thing must agree", async () => {
    const masks = { completion_mask: [1, 1, 1, 0], tool_mask: [1, 0, 1, 1] };
    expect(listOf((await one({ ...padded, ...masks })).rollouts.logpOld)).toEqual([-1.1234567, 0]);
    const both = line({ ...padded, response_mask: [1, 1, 0, 0], loss_mask: [1, 0, 0, 0] });
    expect(await messageOf(read(both))).toMatch(
      /field "loss_mask\[1\]": disagrees with "response_mask\[1\]"/,
    );
  });

  it('a mask under an unknown name is named with what to do, and so are the other columns that speak of what changes numbers', async () => {
    const result = await one({
      ...padded,
      keep_mask: [1, 1, 0, 0],
      final_logprobs: [-1, -1, 0, 0],
      adv_raw: 3,
      format_reward: 1,
      data_source: 'x',
      teacher_logprobs: [-1, -1, 0, 0],
    });
    const notes = importNotes(result).join('\n');
    expect(notes).toMatch(/"keep_mask" is not read, .* masks: .*rename it to "mask"/);
    expect(notes).toMatch(/"final_logprobs" is not read, .* log-probs/);
    expect(notes).toMatch(/"adv_raw" is not read, .* advantages/);
    expect(notes).toMatch(/"format_reward" is not read, .* rewards/);
    expect(notes).toMatch(/Not read: "teacher_logprobs" \(of a teacher/);
    expect(notes).not.toMatch('data_source');
  });

  it('responses that the trainer leaves out of the loss are left out and counted', async () => {
    const result = await read(
      jsonl([
        { ...rows[0], sample_loss_mask: 1 },
        { ...rows[1], sample_loss_mask: 0 },
        { ...rows[2], remove_sample: true },
      ]),
    );
    expect(result.rollouts.group.length).toBe(1);
    expect(importNotes(result).join()).toMatch(
      /2 responses left out by "sample_loss_mask", "remove_sample"/,
    );
  });
});

describe('columns', () => {
  const row = { group: 'a', logp_old: [-1, -2], logp_new: [-1.1, -2.1], reward: 1 };

  it('booleans are rewards of 1 and 0; a reward per token is summed', async () => {
    const { rollouts } = await read(
      jsonl([
        { ...row, reward: true },
        { ...row, reward: false },
        { ...row, reward: undefined, token_level_scores: [0, 0.25] },
      ]),
    );
    expect(listOf(rollouts.reward)).toEqual([1, 0, 0.25]);
    expect(await messageOf(one({ ...row, reward: { acc: 1 } }))).toMatch(/an object of several/);
  });

  it('advantages per token: one where they are the same, their mean and all of them where not', async () => {
    const { rollouts, facts } = await read(
      jsonl([
        { ...row, advantages: [0.5, 0.5] },
        { ...row, advantages: [1, -2] },
        { ...row, advantage: 7 },
      ]),
    );
    expect(listOf(rollouts.advantage)).toEqual([0.5, -0.5, 7]);
    expect(listOf(rollouts.tokenAdvantage)).toEqual([0.5, 0.5, 1, -2, 7, 7]);
    expect(facts.unevenAdvantages).toBe(1);
    expect((await one({ ...row, advantages: [3, 3] })).rollouts.tokenAdvantage).toBeUndefined();
    const masked = await one({ ...row, advantages: [3, 0], response_mask: [1, 0] });
    expect(listOf(masked.rollouts.advantage)).toEqual([3]);
  });

  it.each([
    ['reward', { score: 0.5 }, /"score": disagrees with "reward"/],
    ['advantage', { advantage: 1, advantages: [2, 2] }, /"advantages": disagrees with "advantage"/],
    ['old', { old_log_probs: [-1, -2.5] }, /"old_log_probs\[1\]": disagrees with "logp_old\[1\]"/],
    ['end', { finish_reason: 'length', truncated: false }, /"truncated": says .* "finish_reason"/],
  ])('two columns for one thing that disagree are an error: %s', async (_, more, message) => {
    expect(await messageOf(one({ ...row, ...more }))).toMatch(message);
  });

  it('two that agree are read once', async () => {
    const { rollouts } = await one({ ...row, score: 1, old_log_probs: [-1, -2.0000001] });
    expect(listOf(rollouts.logpOld)).toEqual([-1, -2]);
  });

  it('Tinker’s sequence_ratio_mask is kept where all responses have one', async () => {
    const masked = { ...row, sequence_ratio_mask: [1, 0] };
    const all = await read(jsonl([masked, masked]));
    expect(listOf(all.rollouts.tables?.['ratio_mask']?.values)).toEqual([1, 0, 1, 0]);
    expect(all.facts.unread).toEqual([]);
    expect((await read(jsonl([masked, row]))).rollouts.tables).toBeUndefined();
    expect((await read(jsonl([row, masked]))).rollouts.tables).toBeUndefined();
  });

  it('null in an optional column costs that column for that response, and is counted', async () => {
    const full = { ...row, logp_sampler: [-1, -2], token_ids: [5, 6], tokens: ['a', 'b'] };
    const result = await read(
      jsonl([
        full,
        { ...full, logp_sampler: [-1, null], tokens: [null, 'b'] },
        { ...full, token_ids: [1, null], advantages: [null, null] },
      ]),
    );
    const { rollouts } = result;
    expect(listOf(rollouts.logpSampler)).toEqual([-1, -2, NaN, NaN, -1, -2]);
    expect(listOf(rollouts.tokenIds)).toEqual([5, 6, 5, 6, -1, -1]);
    expect(rollouts.tokenTexts).toEqual(['a', 'b', '#5', '#6', 'a', 'b']);
    expect(result.withoutSampler).toBe(1);
    const notes = importNotes(result).join('\n');
    for (const name of ['logp_sampler', 'tokens', 'token_ids', 'advantages']) {
      expect(notes).toMatch(
        `"${name}" has gaps (null, NaN, another length or impossible values) in 1 response`,
      );
    }
    expect(await messageOf(one({ ...row, logp_new: [-1, null] }))).toMatch(
      /"logp_new\[1\]": is null/,
    );
  });

  it.each([
    [{ finish_reason: 'length' }, 0],
    [{ finish_reason: { type: 'length', length: 2 } }, 0],
    [{ finish_reason: 'stop' }, 1],
    [{ truncated: true }, 0],
    [{ truncated: 0 }, 1],
    [{ status: 'truncated' }, 0],
    [{ status: 'completed' }, 1],
    [{ max_completion_length: 2 }, 0],
  ])('%j says how the response ended', async (more, finished) => {
    const { rollouts, facts } = await one({ ...row, ...more });
    expect([rollouts.finished[0], facts.endKnown[0]]).toEqual([finished, 1]);
    expect((await one({ ...row, status: 200 })).facts.endKnown[0]).toBe(0);
  });
});

describe('trainers', () => {
  it.each([
    [
      'AReaL',
      { group: 'x', logprobs: [-1.12], prox_logp: [-1.11], loss_mask: [1], rewards: 1 },
      [-1.12],
      [-1.11],
    ],
    [
      'OpenRLHF',
      {
        index: 4,
        action_log_probs: [-1.12, 0],
        base_action_log_probs: [-1.11, 0],
        rollout_log_probs: [-1.13, 0],
        action_mask: [true, false],
        rewards: 1,
      },
      [-1.13],
      [-1.12],
    ],
    [
      'slime',
      {
        group_index: 0,
        index: 3,
        tokens: [1, 2, 3, 4],
        response_length: 2,
        rollout_log_probs: [-1.1, -0.2],
        loss_mask: [1, 1],
        log_probs: [-1.11, -0.21],
        reward: 1,
        status: 'completed',
      },
      [-1.1, -0.2],
      [-1.11, -0.21],
    ],
    [
      'NeMo-RL',
      {
        rewards: [1],
        input_lengths: [3],
        token_ids: [[9, 9, 4, 5]],
        token_loss_mask: [[0, 0, 1, 0]],
        sample_loss_mask: [1],
        advantages: [[0.5, 0.5, 0.5, 0.5]],
        generation_logprobs: [[0, 0, -1.5, 0]],
        prev_logprobs: [[0, -7, -1.25, 0]],
        idx: 0,
      },
      [-1.5],
      [-1.25],
    ],
  ])('%s: its own names, sampler against trainer', async (_, row, sampler, trainer) => {
    const result = await one(row);
    expect(listOf(result.rollouts.logpOld)).toEqual(sampler);
    expect(listOf(result.rollouts.logpNew)).toEqual(trainer);
    expect(result.facts.compares).toBe('mismatch');
    expect(importNotes(result).join()).toMatch(/sampler and trainer are compared/);
  });

  it("slime's ids are those of the response, and NeMo-RL's prompts make groups", async () => {
    const ids = { rollout_log_probs: [-1], log_probs: [-1], tokens: [1, 2, 3], reward: 1 };
    expect(listOf((await one({ ...ids, group_index: 7 })).rollouts.tokenIds)).toEqual([3]);
    const nemo = (prompt: number) => ({
      rewards: [1],
      token_ids: [[prompt, 8]],
      token_loss_mask: [[0, 1]],
      generation_logprobs: [[0, -1]],
      prev_logprobs: [[0, -1]],
    });
    const { rollouts, facts } = await read(jsonl([nemo(3), nemo(4), nemo(3)]));
    expect(listOf(rollouts.group)).toEqual([0, 1, 0]);
    const step = await read(
      jsonl([nemo(3), nemo(3)]),
      { fileSteps: 'always' },
      'train_data_step7.jsonl',
    );
    expect(listOf(step.step)).toEqual([7, 7]);
    expect(facts.groupsFrom.promptTokens).toBe(3);
  });

  it.each([
    [
      { input: 'q', output: 'a', gts: '4', score: 1, step: 12, uid: 's' },
      /verl's text dump .* no log-probs.*calculate_log_probs=True.*verl\.md/,
    ],
    [
      { step: 1, prompt: 'q', completion: 'a', accuracy: 1, advantage: 0.5 },
      /TRL's table of completions .* no log-probs.*trl\.md/,
    ],
    [{ group: 'x', prox_logp: [-1], reward: 1 }, /"logp_new": is missing.*AReaL.*grpo_loss_fn/],
    [{ group: 'x', action_log_probs: [-1], reward: 1 }, /"logp_new": is missing.*OpenRLHF/],
    [{ group: 'x', logprobs: [-1], reward: 1 }, /"logp_old": is missing.*the sampler's/],
    // Logs with the sampler's log-probs per response, as several small trainers write them.
    [
      { prompt: 'q', responses: [{ tokens: ['x'], logprobs: [-1], reward: 1 }] },
      /"logp_old": is missing.*"logprobs" are the sampler's.*trainer/,
    ],
    [
      { prompt: 'q', responses: ['a', 'b'], token_logprobs: [[-1], [-1]], rewards: [1, 0] },
      /"logp_old": is missing.*has "token_logprobs" only.*"logp_old".*"logp_new"/,
    ],
    [
      { model: 'm', responses: [{ prompt: 'q', tokens: [1], log_probs: [-1], reward: 1 }] },
      /"logp_old": is missing.*has "log_probs" only.*the sampling policy's/,
    ],
  ])('%j is told exactly what is missing, and where the trainer has it', async (row, message) => {
    expect(await messageOf(one(row))).toMatch(message);
  });

  it('equal responses are counted and the first pair is known', async () => {
    const { facts } = await read(jsonl([...rows, ...rows].map((row) => ({ ...row, sample: 1 }))));
    expect(facts.duplicates).toEqual({ responses: 3, first: [0, 3], longest: 5 });
    expect((await read(jsonl(rows))).facts.duplicates.responses).toBe(0);
    expect([facts.files, listOf(facts.place)]).toEqual([['run.jsonl'], [1, 2, 3, 4, 5, 6]]);
  });
});

describe('shapes', () => {
  const column = (name: string) => rows.map((row) => row[name]);
  const batch = Object.fromEntries(
    ['group', 'sample', 'logp_old', 'logp_new', 'reward'].map((name) => [name, column(name)]),
  );
  const keyed = (values: unknown[]) => Object.fromEntries(values.map((value, i) => [i, value]));
  const names = ['group', 'sample', 'step', 'logp_old', 'logp_new', 'reward'];

  it.each([
    ['a batch per line', () => line({ ...batch, step: 12 }), 'a.jsonl'],
    ['columns in a document', () => line({ ...batch, step: 12 }), 'a.json'],
    ['rows under "data"', () => line({ data: rows }), 'a.json'],
    ['rows under "data", pretty-printed', () => JSON.stringify({ data: rows }, null, 2), 'a.jsonl'],
    ['rows under a name of their own', () => line({ step: 3, samples: rows }), 'a.jsonl'],
    [
      'an array per line',
      () => `${line(rows.slice(0, 1) as never)}\n${line(rows.slice(1) as never)}`,
      'a.jsonl',
    ],
    [
      "pandas' default",
      () => line(Object.fromEntries(names.map((name) => [name, keyed(column(name))]))),
      'a.json',
    ],
    [
      "pandas' split",
      () => line({ columns: names, data: rows.map((row) => names.map((name) => row[name])) }),
      'a.json',
    ],
  ])('%s', async (_, text, name) => {
    const plain = await read(jsonl(rows));
    expect((await read(text(), {}, name)).rollouts).toEqual(plain.rollouts);
  });

  it('a batch is said, and one that does not fit is named with column and response', async () => {
    expect(importNotes(await one(batch)).join()).toMatch(/1 line looks like a batch/);
    expect(await messageOf(one({ ...batch, reward: [1, 0] }))).toMatch(
      /field "reward": has 2 entries, but "logp_old" has 3 responses\. This looks like a batch/,
    );
    const bad = { ...batch, logp_new: [[-1, -1], [-1], [-1]] };
    expect(await messageOf(one(bad))).toMatch(
      /line 1, field "logp_new": in response 2 of this batch: has 1 entries/,
    );
    const left = await read(line(bad), { onBad: 'skip' });
    expect([left.rollouts.group.length, left.skipped]).toEqual([1, 2]);
  });

  it.each([
    ['print(row)', "{'group': 'a', 'logp_old': [-1.0]}\n", /Python's repr, not JSON.*json\.dumps/],
    ['a CSV', 'group,logp_old,logp_new\na,"[-1.0]","[-1.1]"\n', /is CSV.*orient="records"/],
    ['a TSV', 'group\tlogp_old\na\t-1\n', /is CSV or another table/],
    [
      'pretty-printed objects',
      rows.map((row) => JSON.stringify(row, null, 2)).join('\n'),
      /several pretty-printed JSON objects.*without indent/,
    ],
    ['HTML', '<!doctype html>\n<html></html>', /begins like HTML.*error page/],
    ['YAML', 'group: a\nlogp_old: [-1]\n', /does not begin like JSON/],
    [
      'objects behind each other',
      rows.map((row) => JSON.stringify(row)).join(''),
      /Several objects stand on one line.*newline/,
    ],
    [
      'arrays as texts',
      JSON.stringify({ ...rows[0], logp_old: '[-1.0, -2.0]' }),
      /"logp_old": is the text.*json\.loads/,
    ],
  ])('%s is refused with the way out', async (_, text, message) => {
    const said = await messageOf(read(text));
    expect(said).toMatch(message);
    expect(said).not.toMatch('may have been cut');
  });

  it.each([
    ['tar', 257, [0x75, 0x73, 0x74, 0x61, 0x72], /is a tar archive\. Unpack it/],
    ['pickle', 0, [0x80, 2, 0x7d], /is a Python pickle/],
    ['xz', 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a], /packed with xz/],
    ['NumPy', 0, [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], /NumPy array/],
    ['Arrow', 0, [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], /Arrow \(Feather\)/],
  ])('%s, packed or not, has its own sentence', async (_, at, magic, message) => {
    const bytes = new Uint8Array(600);
    bytes.set(magic, at);
    expect(await messageOf(readRolloutFiles([file('run.jsonl', bytes)]))).toMatch(message);
    const packed = file('run.jsonl.gz', await gzipped(bytes));
    expect(await messageOf(readRolloutFiles([packed]))).toMatch(message);
  });
});

describe('packed files', () => {
  it('zstd, cut and whole', async () => {
    const { rollouts, files } = await readRolloutFiles([file('run.jsonl.zst', ZSTD)]);
    expect(rollouts).toEqual((await read(jsonl(rows))).rollouts);
    expect(files[0]).toMatchObject({ format: 'jsonl', compression: 'zstd' });
    const cut = file('cut.jsonl.zst', ZSTD.slice(0, -20));
    expect(await messageOf(readRolloutFiles([cut]))).toMatch(/the zstd data is cut short/);
  });

  it('a zip is a folder: in the order of its steps, Parquet and gzip in it, others left out', async () => {
    const { BlobWriter, TextReader, Uint8ArrayReader, ZipWriter } = await import('@zip.js/zip.js');
    const zip = new ZipWriter(new BlobWriter());
    await zip.add('run/step10.jsonl', new TextReader(jsonl(rows.slice(2))));
    await zip.add(
      'run/step2.jsonl.gz',
      new Uint8ArrayReader(await gzipped(jsonl(rows.slice(0, 2)))),
    );
    await zip.add('run/config.json', new TextReader('{"vocab_size":5}'));
    await zip.add('run/readme.txt', new TextReader('hello'));
    const blob = await zip.close();
    const result = await readRolloutFiles([file('run.zip', blob)]);
    expect(result.files.map(({ name }) => name)).toEqual([
      'run.zip/run/step2.jsonl.gz',
      'run.zip/run/step10.jsonl',
    ]);
    expect(result.rollouts).toEqual((await read(jsonl(rows))).rollouts);
    expect(result.leftOut).toEqual(['run.zip/run/config.json']);
    const torch = new ZipWriter(new BlobWriter());
    await torch.add('archive/data.pkl', new TextReader('x'));
    const saved = readRolloutFiles([file('rollout.pt', await torch.close())]);
    expect(await messageOf(saved)).toMatch(/written by torch\.save .*torch\.load/);
    const damaged = readRolloutFiles([file('run.zip', blob.slice(0, 200))]);
    expect(await messageOf(damaged)).toMatch(/the zip is cut short or damaged/);
  });

  it('gzip members appended to each other, where the platform stops after the first', async () => {
    const parts = await Promise.all(rows.map((row) => gzipped(`${line(row)}\n`)));
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    async function* drip(all: Uint8Array, size: number) {
      for (let i = 0; i < all.length; i += size) yield all.slice(i, i + size);
    }
    const first = `${line(rows[0])}\n`.length;
    const text = async (all: Uint8Array, size: number) => {
      let out = '';
      const decoder = new TextDecoder();
      const chunks = gunzipMembers('a.gz', drip(all, size), first, null);
      for await (const chunk of chunks) out += decoder.decode(chunk, { stream: true });
      return out;
    };
    for (const size of [1, 13, 10_000]) {
      expect(await text(bytes, size)).toBe(jsonl(rows).slice(first));
    }
    await expect(text(bytes.slice(0, -9), 13)).rejects.toThrow(DamagedError);
    await expect(text(parts[0] as Uint8Array, 13)).rejects.toThrow(DamagedError);
  });
});

/** jsonl(rows), packed by zstd 1.5 at level 3 */
const ZSTD = Uint8Array.from(
  atob(
    'KLUv/QBY/QQAsokeHmBJnAOqDV1Nt4MYzD87BMES22gQIpI0klMMwi5eAcNDIFFIVaDeCQDMO0rMlJj3xb0rzLveFXMTpUJ0R7jonlDvq8OjywhzOIzxjQLzntQ6jMBY1HvCvIBlRFkEWrIofi4zpQ0cjW8t8HI7WJjEX11uzKDxdRnBCQENAAnDA9b28yYMe+gayAcgc8PiGVdLQydBFqChNIDHazah',
  ),
  (letter) => letter.charCodeAt(0),
);

describe("UNIPO's logs", () => {
  const response = (reward: number, shift: number, rest: Row = {}) => ({
    id: 'r',
    reward,
    advantage: reward - 0.5,
    response_text: 'a b',
    tokens: {
      ids: [7, 9],
      strings: ['a', ' b'],
      log_probs: [-0.5123 + shift, -0.7321],
      old_log_probs: [-0.5123, -0.7321],
      ref_log_probs: [-0.6, -0.8],
      rewards: [-0.01, reward],
      ...rest,
    },
  });
  const log = (more: Row = {}) => ({
    header: { algorithm: 'grpo', totalSteps: 2 },
    entries: [
      { step: 0, metrics: { reward: 0.5 } },
      {
        step: 3,
        prompts: [
          { prompt: 'p', responses: [response(1, 0.01), response(0, 0.02)] },
          { prompt: 'q', responses: [response(1, 0.03, { advantages: [0.25, 0.75] })] },
        ],
        ...more,
      },
    ],
  });

  it.each([undefined, 4])(
    'are read through their steps and prompts (indent %s)',
    async (indent) => {
      const data = await read(JSON.stringify(log(), null, indent), {}, 'metrics.json');
      const { rollouts } = data;
      expect(listOf(rollouts.offsets)).toEqual([0, 2, 4, 6]);
      expect(rollouts.prompts).toEqual(['p', 'q']);
      expect(listOf(rollouts.group)).toEqual([0, 0, 1]);
      expect(listOf(data.step)).toEqual([3, 3, 3]);
      expect(listOf(rollouts.reward)).toEqual([1, 0, 1]);
      expect(listOf(rollouts.advantage)).toEqual([0.5, -0.5, 0.5]);
      expect(listOf(rollouts.tokenAdvantage)).toEqual([0.5, 0.5, -0.5, -0.5, 0.25, 0.75]);
      expect(listOf(rollouts.tokenIds)).toEqual([7, 9, 7, 9, 7, 9]);
      expect(rollouts.logpNew[2] - rollouts.logpOld[2]).toBeCloseTo(0.02, 12);
      expect(data.facts.unread).toEqual([]);
      expect(listOf(rollouts.logpRef ?? [])).toEqual([-0.6, -0.8, -0.6, -0.8, -0.6, -0.8]);
    },
  );

  it('without old log-probs say what is missing', async () => {
    const bare = log({
      prompts: [{ prompt: 'p', responses: [response(1, 0, { old_log_probs: undefined })] }],
    });
    expect(await messageOf(read(JSON.stringify(bare), {}, 'metrics.json'))).toMatch(/logp_old/);
  });
});

describe('parts of a reward', () => {
  const response = { group: 1, reward: 1, logp_old: [-0.5], logp_new: [-0.51] };

  it.each([
    ['an array', [1, 0.25]],
    ['an object by name', { right: true, short: 0.25 }],
  ])('%s', async (_, parts) => {
    const rows = [
      { ...response, rewards_per_func: parts },
      { ...response, rewards_per_func: [0, 0.5] },
    ];
    const { rollouts } = await read(jsonl(rows));
    expect(listOf(rollouts.rewardParts ?? [])).toEqual([1, 0.25, 0, 0.5]);
  });

  it.each([
    ['of another number', [1, 2, 3]],
    ['that are none', ['a', 'b']],
    ['missing', undefined],
  ])('%s in one response cost all of them that column', async (_, parts) => {
    const rows = [
      { ...response, rewards_per_func: [1, 0.25] },
      { ...response, rewards_per_func: parts },
      { ...response, rewards_per_func: [0, 0.5] },
    ];
    const { rollouts } = await read(jsonl(rows));
    expect(rollouts.rewardParts).toBeUndefined();
    expect(listOf(rollouts.reward)).toEqual([1, 1, 1]);
  });
});

describe('a mask that is asked for by name', () => {
  const response = {
    group: 1,
    reward: 1,
    logp_old: [-0.5, -0.6, -0.7],
    logp_new: [-0.51, -0.61, -0.71],
    response_mask: [1, 1, 0],
    loss_mask: [1, 0, 0],
    my_mask: [0, 1, 1],
    tool_mask: [1, 0, 1],
  };

  it.each([
    ['response_mask', [-0.5, -0.6]],
    ['loss_mask', [-0.5]],
    ['my_mask', [-0.6, -0.7]],
  ])('%s: it and no other', async (mask, kept) => {
    const result = await read(jsonl([response]), { mask });
    expect(listOf(result.rollouts.logpOld)).toEqual(kept);
    const masks = result.facts.read.filter(({ meaning }) => meaning === 'mask');
    expect(masks.map(({ name }) => name)).toEqual([mask]);
    const notes = importNotes(result).join('\n');
    expect(notes).toMatch(`"${mask}" was asked for as the mask`);
    expect(notes).toMatch(`left out by "${mask}":`);
  });

  it('is needed in every response, and named where masks disagree', async () => {
    expect(await messageOf(read(jsonl([response]), { mask: 'other' }))).toMatch(
      /"other": is missing, and was asked for as the mask/,
    );
    expect(await messageOf(read(jsonl([response])))).toMatch(
      /disagrees with "response_mask\[1\]".*--mask response_mask, or --mask loss_mask/,
    );
  });
});
