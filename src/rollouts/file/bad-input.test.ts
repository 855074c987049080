/** What a person with a broken file sees: a sentence with file, line and field. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type RolloutFile } from './bytes';
import { importNotes } from './notes';
import { KEPT_PROBLEMS, readRolloutFiles } from './read';
import {
  PARQUET,
  rows,
  jsonl,
  file,
  read,
  gzipped,
  messageOf,
  broken,
  type Row,
} from './read.suite';

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
    const long = await gzipped(jsonl(Array.from({ length: 4000 }, () => rows[0])));
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
