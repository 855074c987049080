/** The command as a person runs it, with a tiny policy in the place of the shipped ones. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyPolicy } from '../models/build/tiny';
import { stampSchema } from '../src/export/stamp';
import { main } from './experiment';
import { nodeClient, nodeTrainingClient } from './node/client';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'experiment-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...argv: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const { files } = await tinyPolicy();
  const status = await main(
    argv,
    (line) => out.push(line),
    (line) => errors.push(line),
    {
      lab: () => nodeClient(files),
      race: (app) => ({ client: nodeTrainingClient(app, files), files }),
    },
  );
  return { status, out: out.join('\n'), link: out.at(-1) ?? '', errors: errors.join('\n') };
}

const TINY =
  'https://example.org/lab/#/equivalence?v=3&policy=tiny&old=a&new=b&prompts=4&groupSize=3&bins=24';

describe('npm run experiment', () => {
  it('prints a link of its own that another run confirms, token by token', async () => {
    const first = await run(TINY);
    expect(first.errors).not.toContain('The link asks');
    expect(first.status).toBe(0);
    expect(first.out).toContain('carries no fingerprint');
    expect(first.link).toContain(`${TINY}&fp=`);

    const again = await run(first.link);
    expect(again.status).toBe(0);
    expect(again.out).toContain('The same as in the link.');
    expect(again.out).toContain('Same tokens in 12 of 12 responses.');
    expect(again.out).not.toContain('DIFFER');

    const other = await run(first.link.replace('bins=24', 'bins=24&seed=2'));
    expect(other.status).toBe(1);
    expect(other.out).toContain('NOT the same as in the link.');
    expect(other.out).toMatch(/DIFFER mean of log s: .* in the link, .* here, off by /);
  });

  it('writes what it found as JSON and CSV, stamped', async () => {
    const json = join(folder, 'found.json');
    const csv = join(folder, 'tables');
    const { status, out } = await run(TINY, '--json', json, '--csv', csv);
    expect(status).toBe(0);
    const found = v.parse(
      v.object({
        stamp: stampSchema,
        claims: v.array(v.object({ id: v.string(), verdict: v.string() })),
        result: v.object({
          histograms: v.object({ geometric: v.object({ counts: v.array(v.number()) }) }),
        }),
        comparison: v.null(),
      }),
      JSON.parse(await readFile(json, 'utf8')),
    );
    expect(found.result.histograms.geometric.counts).toHaveLength(24);
    // graph, config, tokenizer and two checkpoints
    expect(found.stamp.policies).toHaveLength(5);
    for (const { sha256 } of found.stamp.policies) expect(out).toContain(sha256);
    for (const { id, verdict } of found.claims) expect(out).toContain(`${verdict.padEnd(8)} ${id}`);

    const lines = async (ending: string) => {
      const name = (await readdir(csv)).find((file) => file.endsWith(ending)) ?? ending;
      const text = await readFile(join(csv, name), 'utf8');
      expect(text).toContain('# link: https://example.org/lab/#/equivalence?v=3&policy=tiny');
      return text.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
    };
    expect(await lines('.sequences.csv')).toHaveLength(1 + 12);
    expect((await lines('.tokens.csv')).length).toBeGreaterThan(12);
    expect(await lines('.claims.csv')).toHaveLength(1 + found.claims.length);
  });

  it('names what a link may not ask for, and goes on with the default', async () => {
    const { status, errors, link } = await run(`${TINY}&alpha=9`);
    expect(errors).toContain('alpha = "9". It may be a number from -1 to 2. 1 is used.');
    expect(status).toBe(0);
    expect(link).not.toContain('alpha');
  });

  it.each([
    [[], 'One link is wanted, not 0.'],
    [['variance'], '"variance" is no link of the lab'],
    [['#/data?v=1'], 'The page "data" measures nothing that can be repeated.'],
    [[TINY, '--backend', 'cuda'], '--backend takes webgpu or wasm, not "cuda".'],
    [[TINY, '--json', '/nowhere/at/all.json'], '/nowhere/at cannot be written to'],
    [[TINY, '--svg', '/dev/null/none'], '--svg /dev/null/none: the folder'],
    [[TINY, '--csv', '/dev/null/none'], '/dev/null/none: the folder cannot be written to'],
    [[TINY.replace('new=b', 'new=c')], /^experiment: .*"c"/m],
  ])('%j ends with status 2 and a sentence', async (argv, words) => {
    const { status, out, errors } = await run(...argv);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(errors).toMatch(words);
  });

  const RACE =
    'https://example.org/lab/#/train?v=1&on=wasm&trained=tiny&from=a&steps=2&perStep=2&group=4&minibatches=2&most=1&longest=16&evalEvery=2&evalPrompts=4';

  it('trains a race again and says whether it came out the same', async () => {
    const csv = join(folder, 'race');
    const first = await run(RACE, '--csv', csv);
    expect(first.errors).not.toContain('experiment:');
    expect(first.status).toBe(0);
    expect(first.out).toContain('nothing to compare with');
    expect(first.link).toMatch(/&race\.found=[\w-]+$/);
    const text = await readFile(join(csv, 'gspo-lab-race.steps.csv'), 'utf8');
    const lines = text.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toHaveLength(1 + 2 * 2);

    const again = await run(first.link);
    expect(again.out).toContain('The same as in the link.');
    expect(again.status).toBe(0);

    const other = await run(first.link.replace('v=3', 'v=3&race.seed=5'));
    expect(other.out).toContain('NOT the same as in the link.');
    expect(other.status).toBe(1);
  });

  it.each([
    [RACE, ['--svg', 'figures'], '--svg draws experiments'],
    [RACE.replace('from=a', 'from=own-mine-1234abcd'), [], 'a checkpoint of whoever made the link'],
    [RACE.replace('from=a', 'from=nowhere'), [], 'has no checkpoint "nowhere"'],
    [RACE.replace('minibatches=2', 'minibatches=16'), [], '16 minibatches'],
  ])('a race that cannot be had is refused with a sentence: %s %s', async (link, more, why) => {
    const { status, errors } = await run(
      link,
      ...more.map((x) => (x === 'figures' ? join(folder, x) : x)),
    );
    expect(errors).toContain(why);
    expect(status).toBe(2);
  });
});
