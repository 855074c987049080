/** What a person with a file sees: the right numbers, or a sentence with file, line and field. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBlob, type RolloutFile } from './bytes';
import { importNotes } from './notes';
import { KEPT_PROBLEMS, readRolloutFiles, type ReadOptions } from './read';
import { RolloutFileError } from './problems';
import { parseRecord } from './record';

const PARQUET = new URL('./fixtures/rollouts.parquet', import.meta.url);

const old = [
  [-0.5, -1.2],
  [-2, -1.5, -3],
  [-0.1, -1, -0.7, -2.2, -0.05],
];
const next = [
  [-0.275, -0.9],
  [-2.5, -0.3, -3.703],
  [-0.05, -1.3, -0.68, -1.971, -0.048],
];
type Row = Record<string, unknown>;
const rows: Row[] = old.map((logp_old, i) => ({
  v: 1,
  step: 12,
  group: 'q1',
  sample: i,
  logp_old,
  logp_new: next[i],
  reward: [1, 0, 0.8][i],
}));
const jsonl = (list: Row[]) => list.map((row) => JSON.stringify(row)).join('\n') + '\n';
const file = (name: string, ...parts: BlobPart[]) => fromBlob(name, new Blob(parts));
const read = (text: string, options?: ReadOptions, name = 'run.jsonl') =>
  readRolloutFiles([file(name, text)], options);
async function gzipped(text: BlobPart): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RolloutFileError);
  return (error as Error).message;
}
const broken = (change: Row, at = 1) =>
  jsonl(rows.map((row, i) => (i === at ? { ...row, ...change } : row)));

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
      expect(result.files[0]).toMatchObject({ gzip: true, sequences: 3, tokens: 10 });
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
    const text = jsonl([{ ...rows[0], advantage: 7 }, rows[1] as Row, rows[2] as Row]);
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
    const { rollouts, groupIds } = await read(
      jsonl([rows[0] as Row, { ...rows[1], step: 13 }, rows[2] as Row]),
      { rule: 'dr_grpo' },
    );
    expect(groupIds).toEqual(['q1', 'q1']);
    expect(Array.from(rollouts.group)).toEqual([0, 1, 0]);
    expect(rollouts.advantage[1]).toBe(0);
  });
});

describe('bad input is named', () => {
  it.each([
    [
      'ragged arrays',
      broken({ logp_new: [-1] }),
      /run\.jsonl, line 2, field "logp_new": has 1 entries, but "logp_old" has 3/,
    ],
    ['ragged mask', broken({ mask: [1] }), /line 2, field "mask": has 1 entries/],
    ['null in an array', broken({ logp_old: [-1, null, -1] }), /field "logp_old\[1\]": is null/],
    [
      'text in an array',
      broken({ logp_old: [-1, -1, '<b>'] }),
      /"logp_old\[2\]": is the text "<b>"/,
    ],
    [
      'a positive log-prob',
      broken({ logp_new: [-1, 0.5, -1] }),
      /"logp_new\[1\]": is 0.5; a log-prob cannot be positive/,
    ],
    [
      'a filler',
      broken({ logp_new: [-1, -3.4e38, -1] }),
      /"logp_new\[1\]": is -3.4e\+38; no softmax gives a log-prob that low/,
    ],
    [
      'overflow to Infinity',
      broken({ logp_new: [-1, -1, 0] }).replace('-1,-1,0', '-1,-1,-1e999'),
      /"logp_new\[2\]": is -Infinity/,
    ],
    ['missing group', broken({ group: undefined }), /line 2, field "group": is missing.*uid/],
    [
      'missing log-probs',
      broken({ logp_old: undefined }),
      /field "logp_old": is missing.*old_per_token_logps/,
    ],
    [
      'neither reward nor advantage',
      broken({ reward: undefined }),
      /field "advantage": is missing, and so is "reward"/,
    ],
    ['another version', broken({ v: 2 }), /line 2, field "v": is 2; this lab reads version 1/],
    ['everything masked', broken({ mask: [0, 0, 0] }), /field "mask": masks every token/],
    ['no tokens', broken({ logp_old: [], logp_new: [] }), /field "logp_old": is empty/],
    [
      'a response that is no text',
      broken({ response: ['4'] }),
      /field "response": is an array of 1; it must be a text/,
    ],
    [
      'a step beyond float64',
      broken({ step: 1e20 }),
      /"step": is 100000000000000000000; it must be a whole number from 0 to/,
    ],
    [
      'a group number beyond float64',
      broken({ group: 2 ** 53 }),
      /"group": is 9007199254740992; .*write larger ones as text/,
    ],
    ['a bad token id', broken({ token_ids: [1, -2, 3] }), /"token_ids\[1\]": is -2/],
    [
      'a bad constant',
      broken({ meta: { max_completion_length: 0 } }),
      /field "meta.max_completion_length"/,
    ],
    [
      'an alias is named as written',
      broken({ logp_old: undefined, old_log_probs: 3 }),
      /field "old_log_probs": is 3; it must be an array/,
    ],
    [
      'not an object',
      `${JSON.stringify(rows[0])}\n[1]`,
      /line 2: holds an array of 1; each response must be one JSON object/,
    ],
    ['a cut line', jsonl(rows).slice(0, -30), /line 3: is not valid JSON.*may have been cut/],
    ['an empty file', '', /run\.jsonl: holds no responses/],
  ])('%s', async (_, text, message) => {
    expect(await messageOf(read(text))).toMatch(message);
  });

  it.each(['NaN', 'Infinity', '-Infinity'])('Python writes a bare %s', async (word) => {
    const inArray = jsonl(rows).replace('-2.5', word);
    expect(await messageOf(read(inArray))).toMatch(`line 2, field "logp_new[0]": is ${word};`);
    const scalar = jsonl(rows).replace('"reward":0.8', `"reward":${word}`);
    expect(await messageOf(read(scalar))).toMatch(`line 3, field "reward": is ${word};`);
    const inText = jsonl(rows.map((row) => ({ ...row, prompt: `NaN, "Infinity"` })));
    expect((await read(inText)).rollouts.prompts[0]).toBe('NaN, "Infinity"');
  });

  it('a masked NaN is nobody’s business', async () => {
    const text = broken({ mask: [0, 1, 1] }).replace('-2.5', 'NaN');
    expect((await read(text)).rollouts.logpNew[2]).toBe(-0.3);
  });

  it('items of a JSON array and rows of a Parquet file are counted from 1', async () => {
    const items = JSON.stringify([rows[0], { ...rows[1], group: null }]);
    expect(await messageOf(read(items, {}, 'a.json'))).toMatch('a.json, item 2, field "group"');
  });

  it('truncated gzip, damaged Parquet, binary junk', async () => {
    const whole = await gzipped(jsonl(rows));
    const cut = readRolloutFiles([file('run.jsonl.gz', whole.slice(0, whole.length - 12))]);
    expect(await messageOf(cut)).toMatch(
      /run\.jsonl\.gz, line 3: the gzip data is cut short or damaged.* 2 good lines came before that\.$/,
    );
    const long = await gzipped(jsonl(Array.from({ length: 4000 }, () => rows[0] as Row)));
    const half = readRolloutFiles([file('long.jsonl.gz', long.slice(0, long.length / 2))]);
    const good = Number(/([\d,]+) good lines/.exec(await messageOf(half))?.[1]?.replace(',', ''));
    expect(good).toBeGreaterThan(1500);
    expect(good).toBeLessThan(2500);
    const kept = await readRolloutFiles(
      [file('long.jsonl.gz', long.slice(0, long.length / 2)), file('b.jsonl', jsonl(rows))],
      { onBad: 'skip' },
    );
    expect(kept.files.map(({ sequences, skipped }) => [sequences, skipped])).toEqual([
      [good, 1],
      [rows.length, 0],
    ]);
    const none = readRolloutFiles([file('none.jsonl.gz', long.slice(0, 30))], { onBad: 'skip' });
    expect(await messageOf(none)).toMatch(/none\.jsonl\.gz: the gzip data is cut short/);
    const parquet = readFileSync(PARQUET);
    const damaged = readRolloutFiles([file('x.parquet', parquet.subarray(0, 900))]);
    expect(await messageOf(damaged)).toMatch(/x\.parquet: cannot be read as Parquet/);
    const junk = readRolloutFiles([file('x.bin', Uint8Array.of(0xff, 0xfe, 0x00, 0xc3, 0x28))]);
    expect(await messageOf(junk)).toMatch(/x\.bin: is not UTF-8 text/);
  });

  it('one line that is not UTF-8 is a bad line; a file that is none at all is a bad file', async () => {
    const [a, b, c] = rows.map((row) => JSON.stringify(row)) as [string, string, string];
    const latin1 = Uint8Array.from(
      b.replace('"q1"', '"q\u00e9"'),
      (letter) => letter.codePointAt(0) as number,
    );
    for (const [parts, line] of [
      [[`${a}\n`, latin1, `\n${c}\n`], 2],
      [[latin1, `\n${a}\n${c}\n`], 1],
    ] as const) {
      const name = 'run.jsonl';
      expect(await messageOf(readRolloutFiles([file(name, ...parts)]))).toMatch(
        `run.jsonl, line ${line}: is not UTF-8 text`,
      );
      const left = await readRolloutFiles([file(name, ...parts)], { onBad: 'skip' });
      expect(left).toMatchObject({ skipped: 1, problems: [{ index: line, unit: 'line' }] });
      expect(left.rollouts).toEqual((await read(`${a}\n${c}`)).rollouts);
    }
    // UTF-16
    const wide = new Uint8Array(
      Uint16Array.from(`\ufeff${a}\n${c}`, (x) => x.charCodeAt(0)).buffer,
    );
    const message = messageOf(readRolloutFiles([file('x.jsonl', wide)], { onBad: 'skip' }));
    expect(await message).toMatch(/^x\.jsonl: is not UTF-8 text\. Expected JSONL/);
  });

  it('a line that is too long is named at once, or read away and counted', async () => {
    const [a, b] = rows.map((row) => `${JSON.stringify(row)}\n`) as [string, string];
    const filler = new Uint8Array(2 ** 20).fill(120);
    let asked = 0;
    const long = (fillers: number): RolloutFile => ({
      ...file('long.jsonl', ''),
      async *stream() {
        yield new TextEncoder().encode(a);
        for (asked = 0; asked < fillers; asked++) yield filler;
        yield new TextEncoder().encode(`\n${b}{"cut`);
      },
    });
    expect(await messageOf(readRolloutFiles([long(1000)]))).toMatch(
      'long.jsonl, line 2: is longer than 64 MiB',
    );
    expect(asked).toBeLessThan(70);
    const left = await readRolloutFiles([long(70)], { onBad: 'skip' });
    expect(left.problems.map(({ index }) => index)).toEqual([2, 4]);
    expect(left.rollouts).toEqual((await read(a + b)).rollouts);
  });

  it('says how many groups lack a response that was skipped, where advantages were computed', async () => {
    const row = (group: string, more: Row = {}): Row => ({ ...rows[0], group, ...more });
    const bad = { logp_new: [-1] };
    const list = [row('a'), row('a', bad), row('a', bad), row('b'), row('c', bad)];
    const notes = async (text: string) => importNotes(await read(text, { onBad: 'skip' }));
    expect(await notes(jsonl(list))).toEqual([
      'Advantages of 1 group are computed without the responses left out, and so differ from the trainer’s.',
    ]);
    expect(await notes(`${jsonl([row('a')])}{"group":"a",`)).toEqual([
      'The group of 1 response left out cannot be told; advantages computed in it lack them.',
    ]);
    expect(await notes(jsonl(list.map((one) => ({ ...one, advantage: 1 }))))).toEqual([]);
  });

  it('too many tokens are refused with the limit', async () => {
    expect(await messageOf(read(jsonl(rows), { maxTokens: 6 }))).toMatch(
      /line 3: more than 6 response tokens so far, which is this lab's limit/,
    );
  });

  it('bad records are skipped by choice, counted and kept for the page', async () => {
    const many = Array.from({ length: KEPT_PROBLEMS + 5 }, () => '{"group":').join('\n');
    const result = await read(`${jsonl(rows)}${many}\n${broken({ logp_new: [-1] })}`, {
      onBad: 'skip',
    });
    expect(result.skipped).toBe(KEPT_PROBLEMS + 6);
    expect(result.problems).toHaveLength(KEPT_PROBLEMS);
    expect(result.problems[0]).toMatchObject({ file: 'run.jsonl', unit: 'line', index: 4 });
    expect(result.files[0]).toMatchObject({ sequences: 5, skipped: KEPT_PROBLEMS + 6 });
    expect(await messageOf(read('{"a":1}\n', { onBad: 'skip' }))).toMatch(
      /all 1 records were skipped/,
    );
  });

  it('an aborted reading stops with the reason', async () => {
    const controller = new AbortController();
    controller.abort(new Error('changed my mind'));
    await expect(read(jsonl(rows), { signal: controller.signal })).rejects.toThrow(
      'changed my mind',
    );
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
