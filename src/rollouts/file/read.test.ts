/** What a person with a file sees: the right numbers. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RolloutFile } from './bytes';
import { importNotes } from './notes';
import { readRolloutFiles } from './read';
import { parseRecord } from './record';
import {
  PARQUET,
  old,
  next,
  rows,
  jsonl,
  file,
  read,
  gzipped,
  messageOf,
  type Row,
} from './read.suite';

describe('formats', () => {
  it('JSONL: every column in its place', async () => {
    const { rollouts, sample, step, groupIds } = await read(
      jsonl(
        rows.map((row, i) => ({
          ...row,
          logp_sampler: old[i],
          token_ids: old[i]?.map((_, t) => 5 + t),
          tokens: old[i]?.map((_, t) => `w${t}`),
          prompt: 'two and two?',
        })),
      ),
    );
    expect(Array.from(rollouts.offsets)).toEqual([0, 2, 5, 10]);
    expect(Array.from(rollouts.logpOld)).toEqual(old.flat());
    expect(Array.from(rollouts.logpNew)).toEqual(next.flat());
    expect(Array.from(rollouts.logpSampler ?? [])).toEqual(old.flat());
    expect(Array.from(rollouts.tokenIds.subarray(0, 5))).toEqual([5, 6, 5, 6, 7]);
    expect(rollouts.tokenTexts?.slice(0, 3)).toEqual(['w0', 'w1', 'w0']);
    expect(Array.from(rollouts.group)).toEqual([0, 0, 0]);
    expect(rollouts.prompts).toEqual(['two and two?']);
    expect([groupIds, Array.from(sample), Array.from(step)]).toEqual([
      ['q1'],
      [0, 1, 2],
      [12, 12, 12],
    ]);
    // TRL's rule on rewards 1, 0, 0.8
    expect(rollouts.advantage[0]).toBeCloseTo(0.75578612, 8);
  });

  it.each([
    ['a JSON array', 'a.json', () => JSON.stringify(rows)],
    ['an indented JSON array', 'a.json', () => JSON.stringify(rows, null, 2)],
    ['a wrapped JSON array', 'a.json', () => JSON.stringify({ rollouts: rows }, null, 1)],
    ['JSONL named .json', 'a.json', () => jsonl(rows)],
    [
      'CRLF, blank lines and a byte-order mark',
      'a.jsonl',
      () => `\uFEFF${jsonl(rows).replaceAll('\n', '\r\n\r\n')}`,
    ],
    ['no newline at the end', 'a.jsonl', () => jsonl(rows).trimEnd()],
  ])('%s gives the same rollouts', async (_, name, text) => {
    const plain = await read(jsonl(rows));
    const other = await read(text(), {}, name);
    expect(other.rollouts).toEqual(plain.rollouts);
  });

  it('gzip of JSONL, JSON and Parquet', async () => {
    const plain = await read(jsonl(rows));
    for (const [name, text] of [
      ['a.jsonl.gz', jsonl(rows)],
      ['a.json.gz', JSON.stringify(rows)],
    ] as const) {
      const result = await readRolloutFiles([file(name, await gzipped(text))]);
      expect(result.rollouts).toEqual(plain.rollouts);
      expect(result.files[0]).toMatchObject({ compression: 'gzip', sequences: 3, tokens: 10 });
    }
    const parquet = await readRolloutFiles([
      file('a.parquet.gz', await gzipped(readFileSync(PARQUET))),
    ]);
    expect(parquet.rollouts.logpNew).toEqual(plain.rollouts.logpNew);
  });

  it("Parquet with verl's column names, several row groups, 64-bit integers, nested lists", async () => {
    const plain = await read(jsonl(rows));
    const { rollouts, files, step } = await readRolloutFiles([
      file('step_12.parquet', readFileSync(PARQUET)),
    ]);
    expect(files[0]).toMatchObject({ format: 'parquet', sequences: 3 });
    for (const column of ['offsets', 'logpOld', 'logpNew', 'reward', 'advantage'] as const) {
      expect(rollouts[column]).toEqual(plain.rollouts[column]);
    }
    expect(Array.from(rollouts.tokenIds.subarray(0, 2))).toEqual([7, 8]);
    expect(rollouts.tokenTexts?.[0]).toBe('<b>0</b>');
    expect(Array.from(step)).toEqual([12, 12, 12]);
  });

  it.each([
    ['old_per_token_logps', 'per_token_logps', 'sampling_per_token_logps', 'uid', 'score'],
    ['old_log_probs', 'log_probs', 'rollout_log_probs', 'prompt_id', 'reward'],
    ['prev_logprobs', 'log_prob', 'generation_logprobs', 'group', 'score'],
  ])('aliases %s, %s, %s, %s, %s', async (a, b, c, group, score) => {
    const renamed = rows.map((row, i) => ({
      [a]: row['logp_old'],
      [b]: row['logp_new'],
      [c]: old[i],
      [group]: 'q',
      [score]: row['reward'],
    }));
    const { rollouts } = await read(jsonl(renamed));
    expect(Array.from(rollouts.logpOld)).toEqual(old.flat());
    expect(Array.from(rollouts.logpNew)).toEqual(next.flat());
    expect(rollouts.logpSampler?.length).toBe(10);
    expect(Array.from(rollouts.reward)).toEqual([1, 0, 0.8]);
  });

  it('HTML in tokens and prompts stays text, own keys of any name are ignored', async () => {
    const html = '<img src=x onerror=alert(1)>';
    const text = `{"group":"g","__proto__":{"reward":5},"constructor":1,"logp_old":[-1],"logp_new":[-1],"advantage":1,"tokens":[${JSON.stringify(html)}],"prompt":${JSON.stringify(html)}}`;
    const { rollouts } = await read(text);
    expect(rollouts.tokenTexts).toEqual([html]);
    expect(rollouts.prompts).toEqual([html]);
    expect(rollouts.reward[0]).toBeNaN();
  });

  it('finished and the constant of Dr.GRPO come from meta', async () => {
    const result = await read(
      jsonl([
        { ...rows[0], meta: { max_completion_length: 8, finish_reason: 'stop' } },
        { ...rows[1], meta: { max_completion_length: 3 } },
        { ...rows[2], meta: { finish_reason: 'length' } },
      ]),
    );
    expect(Array.from(result.rollouts.finished)).toEqual([1, 0, 0]);
    expect(result.maxCompletionLength).toBe(8);
  });

  it('padding does not make a response long, and what the trainer says of its end counts first', async () => {
    const row = (mask: number[], finish_reason: string | null): Row => ({
      group: 'q',
      reward: 1,
      logp_old: mask.map(() => -1),
      logp_new: mask.map(() => -1),
      mask,
      meta: { max_completion_length: 4, finish_reason },
    });
    const { rollouts } = await read(
      jsonl([
        row([1, 1, 0, 0], null),
        row([1, 0, 0, 1], null),
        row([1, 1, 1, 1], 'stop'),
        row([1, 1, 0, 0], 'stop'),
        row([1, 1, 0, 0], 'length'),
      ]),
    );
    expect(Array.from(rollouts.finished)).toEqual([1, 0, 1, 1, 0]);
  });

  it('large sample and step numbers are kept to the digit', async () => {
    const big = { step: 5_000_000_000, sample: 2 ** 53 - 1 };
    const { sample, step } = await read(jsonl([{ ...rows[0], ...big }]));
    expect([sample[0], step[0]]).toEqual([big.sample, big.step]);
  });

  it('so are 64-bit group numbers of a Parquet file, which float64 cannot hold', () => {
    const idOf = (group: bigint) => parseRecord({ ...rows[0], group }).group;
    expect(idOf(2n ** 53n + 1n)).toBe('9007199254740993');
    expect(idOf(17n)).toBe(17);
  });
});

describe('files of several steps', () => {
  const row = (reward: number, more: Row = {}): Row => ({
    group: 'q1',
    logp_old: [-1, -2],
    logp_new: [-1.1, -2],
    reward,
    ...more,
  });
  const two = (a: string, b: string, more: Row = {}) =>
    readRolloutFiles([file(a, jsonl([row(1), row(0)])), file(b, jsonl([row(1), row(1, more)]))], {
      rule: 'dr_grpo',
    });

  it('without a step in the records are told apart by their names, and that is said', async () => {
    const read = await two('run/step1.jsonl', 'run/step2.jsonl');
    expect(Array.from(read.rollouts.group)).toEqual([0, 0, 1, 1]);
    expect(Array.from(read.rollouts.advantage)).toEqual([0.5, -0.5, 0, 0]);
    expect(Array.from(read.step)).toEqual([1, 1, 2, 2]);
    expect(read.rollouts.prompts).toEqual(['q1, step 1', 'q1, step 2']);
    expect(importNotes(read)).toEqual([
      'The training step of 4 responses comes from the file name: files of different steps share no groups.',
    ]);
  });

  it('parts of one step are one', async () => {
    const read = await two('step3-rank0.jsonl', 'step3-rank1.jsonl');
    expect(Array.from(read.rollouts.group)).toEqual([0, 0, 0, 0]);
    expect(Array.from(read.step)).toEqual([-1, -1, -1, -1]);
  });

  it('a step in the record counts before one in the name', async () => {
    const read = await two('step1.jsonl', 'step2.jsonl', { step: 1 });
    expect(Array.from(read.rollouts.group)).toEqual([0, 0, 1, 0]);
    expect(read.stepsFromNames).toBe(3);
  });

  it('whose names tell nothing are one, and that is said', async () => {
    const read = await two('a.jsonl', 'b.jsonl');
    expect(Array.from(read.rollouts.group)).toEqual([0, 0, 0, 0]);
    expect(importNotes(read)).toEqual([
      expect.stringMatching(/^1 group with responses in more than one file and no step: .*step12/),
    ]);
  });
});

describe('a folder of files', () => {
  const log = file('run/rollouts.jsonl', jsonl(rows));
  const others = [
    file('run/config.json', '{"architectures":["GPT2"],"vocab_size":50257}'),
    file('run/vocab.json', '{"the":1,"group":8094,"step":9662,"mask":27932}'),
    file('run/loss.jsonl', '{"loss":0.5,"step":1}\n{"loss":0.4,"step":2}\n'),
  ];
  const inFolder = (list: RolloutFile[]) => list.map((one) => ({ ...one, fromFolder: true }));

  it('leaves files of others out, and names them', async () => {
    const result = await readRolloutFiles(inFolder([...others, log]));
    const alone = await readRolloutFiles([log]);
    expect(result.rollouts).toEqual(alone.rollouts);
    expect(result.files.map(({ name }) => name)).toEqual(['run/rollouts.jsonl']);
    expect(importNotes(result)).toEqual([
      '3 files of the folder left out, without log-probs in the first record: run/config.json, run/vocab.json, run/loss.jsonl.',
    ]);
  });

  it('does not hide a rollout file that is bad', async () => {
    const bad = file('run/bad.jsonl', jsonl([{ ...rows[0], group: null }]));
    expect(await messageOf(readRolloutFiles(inFolder([log, bad])))).toMatch(
      'run/bad.jsonl, line 1, field "group"',
    );
    const cut = file('run/cut.jsonl', '{"group":');
    expect(await messageOf(readRolloutFiles(inFolder([log, cut])))).toMatch(
      'run/cut.jsonl, line 1: is not valid JSON',
    );
  });

  it('without any rollouts is an error, as is such a file that was picked by itself', async () => {
    expect(await messageOf(readRolloutFiles(inFolder(others)))).toMatch(
      /run\/config\.json, .*: holds no response with log-probs/,
    );
    expect(await messageOf(readRolloutFiles([log, ...others]))).toMatch('run/config.json, item 1');
  });
});

describe('advantages', () => {
  it('are taken from the file where it has them, else computed by the chosen rule', async () => {
    const text = jsonl([{ ...rows[0], advantage: 7 }, rows[1], rows[2]]);
    const verl = await read(text, { rule: 'verl' });
    expect(Array.from(verl.rollouts.advantage)).toEqual([
      7,
      expect.closeTo(-1.1338913, 6),
      expect.closeTo(0.37796376, 7),
    ]);
    expect(verl.computedAdvantages).toBe(2);
    const all = await read(text, { rule: 'dr_grpo', recompute: true });
    expect(all.rollouts.advantage[0]).toBeCloseTo(0.4, 12);
  });

  it('one prompt in two steps is two groups', async () => {
    const { rollouts, groupIds } = await read(jsonl([rows[0], { ...rows[1], step: 13 }, rows[2]]), {
      rule: 'dr_grpo',
    });
    expect(groupIds).toEqual(['q1', 'q1']);
    expect(Array.from(rollouts.group)).toEqual([0, 1, 0]);
    expect(rollouts.advantage[1]).toBe(0);
  });
});

describe('invariances', () => {
  const records = fc.array(
    fc.record({
      group: fc.constantFrom('a', 'b', 'ü', '日本'),
      step: fc.constantFrom(1, 2),
      reward: fc.constantFrom(0, 0.5, 1),
      d: fc.array(fc.double({ min: -2, max: 0, noNaN: true }), { minLength: 1, maxLength: 9 }),
    }),
    { minLength: 2, maxLength: 12 },
  );
  type Drawn = { group: string; step: number; reward: number; d: number[] };
  const toRow = ({ group, step, reward, d }: Drawn): Row => ({
    group,
    step,
    reward,
    logp_old: d,
    logp_new: d.map((x) => x * 1.1),
  });

  it('splitting a file changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.nat(11), async (drawn, at) => {
        const list = drawn.map(toRow);
        const cut = 1 + (at % (list.length - 1));
        const one = await read(jsonl(list));
        const two = await readRolloutFiles([
          file('a.jsonl', jsonl(list.slice(0, cut))),
          file('b.jsonl', jsonl(list.slice(cut))),
        ]);
        expect(two.rollouts).toEqual(one.rollouts);
      }),
      { numRuns: 40 },
    );
  });

  it('appending masked tokens changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.nat(5),
        fc.integer({ min: 1, max: 12 }),
        async (drawn, junk, max) => {
          const meta = { max_completion_length: max };
          const list = drawn.map((one): Row => ({ ...toRow(one), meta }));
          const padded = list.map((row) => {
            const logp = row['logp_old'] as number[];
            const pad = (x: unknown, y: number) => [...(x as number[]), ...Array(junk).fill(y)];
            return {
              ...row,
              logp_old: pad(logp, 5),
              logp_new: pad(row['logp_new'], 0),
              mask: [...logp.map(() => 1), ...Array<number>(junk).fill(0)],
            };
          });
          const plain = await read(jsonl(list));
          const masked = await read(jsonl(padded));
          expect(masked.rollouts).toEqual(plain.rollouts);
          expect(masked.maskedTokens).toBe(junk * list.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('how the bytes arrive changes nothing, and progress ends at 1', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 40 }), async (drawn, size) => {
        const text = jsonl(drawn.map(toRow));
        const bytes = new TextEncoder().encode(text);
        const dripping: RolloutFile = {
          name: 'a.jsonl',
          size: bytes.length,
          async *stream() {
            for (let i = 0; i < bytes.length; i += size) yield bytes.slice(i, i + size);
          },
          slice: async (start, end) => bytes.slice(start, end).buffer,
        };
        const seen: number[] = [];
        const dripped = await readRolloutFiles([dripping], { progress: (x) => seen.push(x) });
        expect(dripped.rollouts).toEqual((await read(text)).rollouts);
        expect(seen.at(-1)).toBe(1);
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
      }),
      { numRuns: 25 },
    );
  });
});
