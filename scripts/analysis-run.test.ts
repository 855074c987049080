/** One analysis on several machines: parts that are merged give what one run over all gives, to the last digit. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBlob } from '../src/rollouts/file/bytes';
import { areLarge, BY_STEP_BYTES, filesByStep } from './analysis-run';
import { main, noteLines } from './analyze';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PARTS = 4;

let folder: string;
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parts-'));
  // Spiky log-ratios, a sampler in all but one response, rewards without advantages: groups must stay whole.
  const rows = (step: number) =>
    Array.from({ length: 24 }, (_, i) => {
      const length = 5 + ((7 * i + 3 * step) % 11);
      const wave = (k: number) =>
        Array.from({ length }, (_, t) => -0.1 - Math.abs(Math.sin(k + 3.7 * t + i * 1.3 + step)));
      const old = wave(0);
      return JSON.stringify({
        group: `q${i % 6}`,
        logp_old: old,
        logp_new: old.map((x, t) => x - 0.02 * Math.cos(5 * t + i)),
        ...(i === 5 ? {} : { logp_sampler: old.map((x, t) => x - 0.003 * Math.sin(t + step)) }),
        reward: i % 3 === 0 ? 1 : 0,
        max_completion_length: 15,
      });
    }).join('\n');
  files = await Promise.all(
    Array.from({ length: PARTS }, async (_, k) => {
      const path = join(folder, `step${k + 1}.jsonl`);
      await writeFile(path, rows(k + 1));
      return path;
    }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...argv: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const status = await main(
    argv,
    (line) => out.push(line),
    (line) => errors.push(line),
  );
  return { status, out: out.join('\n'), errors: errors.join('\n') };
}

const part = (k: number) => join(folder, `part${k}.json`);

/** The command in a process of its own. */
function start(k: number) {
  const child = spawn(
    process.execPath,
    [
      '--conditions',
      'onnxruntime-web-use-extern-wasm',
      '--import',
      './scripts/node/register.mjs',
      'scripts/analyze.ts',
      files[k],
      '--partial',
      part(k),
    ],
    { cwd: ROOT, stdio: 'ignore' },
  );
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, ended };
}

/** Beside the responses, which no part keeps, and the inputs, which only parts name. */
function figuresOf(text: string): unknown {
  const figures = JSON.parse(text) as Record<string, unknown>;
  delete figures['sequences'];
  delete figures['inputs'];
  delete figures['import'];
  return figures;
}

describe('parts of an analysis', () => {
  it('four processes, one of them killed and repeated, give what one run gives', async () => {
    const running = files.map((_, k) => start(k));
    running[2]?.child.kill('SIGKILL');
    const ends = await Promise.all(running.map(({ ended }) => ended));
    expect(ends).toEqual([0, 0, null, 0]);
    const missing = await run('--merge', ...files.map((_, k) => part(k)));
    expect([missing.status, missing.errors]).toEqual([1, expect.stringContaining('part2.json')]);
    expect(await start(2).ended).toBe(0);
    const merged = await run('--merge', ...files.map((_, k) => part(k)).reverse(), '--json', '-');
    expect(merged.errors).toBe('');
    const whole = await run(...files, '--json', '-');
    expect(figuresOf(merged.out)).toEqual(figuresOf(whole.out));
    const twice = await run('--merge', part(0), part(1), part(0));
    expect(twice.errors).toMatch(/step1\.jsonl is in two of the parts/);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }, 120_000);

  const parallel = spawnSync('parallel', ['--version']).status === 0;
  it.skipIf(!parallel)(
    'GNU parallel, four at a time, makes a part again whose process was killed',
    async () => {
      const killed = join(folder, 'killed');
      const command =
        `if [ {#} = 3 ] && [ ! -e ${killed} ]; then touch ${killed}; kill -9 $$; fi; ` +
        `${process.execPath} --conditions onnxruntime-web-use-extern-wasm --import ./scripts/node/register.mjs ` +
        `scripts/analyze.ts {} --partial ${folder}/gnu-{/.}.json`;
      const { status } = spawnSync(
        'parallel',
        ['-j4', '--retries', '3', '--joblog', join(folder, 'log'), command, ':::', ...files],
        { cwd: ROOT, env: { ...process.env, HOME: folder } },
      );
      expect(status).toBe(0);
      expect(await readFile(killed, 'utf8')).toBe('');
      const made = files.map((_, k) => join(folder, `gnu-step${k + 1}.json`));
      const merged = await run('--merge', ...made, '--json', '-');
      const whole = await run(...files, '--json', '-');
      expect(figuresOf(merged.out)).toEqual(figuresOf(whole.out));
    },
    120_000,
  );

  it('sentences that parts say with other numbers are said once', () => {
    const notes = new Map([
      ['1,334 tokens left out by "mask".', 1],
      ['12 tokens left out by "mask".', 2],
      ['The files say nothing.', 3],
      ['7 responses without a group.', 1],
    ]);
    expect(noteLines(notes)).toEqual([
      '1,334 tokens left out by "mask". (3 parts say so, with numbers of their own)',
      'The files say nothing. (3 parts say so)',
      '7 responses without a group.',
    ]);
  });

  it('a part that was cut, or is none, is refused with what to do', async () => {
    const own = join(folder, 'own.json');
    expect((await run(files[0], '--partial', own)).status).toBe(0);
    const text = await readFile(own, 'utf8');
    const cut = join(folder, 'cut.json');
    for (const bad of [text.slice(0, -40), '{}', text.replace(/"version":\d+/, '"version":999')]) {
      await writeFile(cut, bad);
      expect((await run('--merge', own, cut)).errors).toMatch(
        /cut\.json: is no part .* Make it again/,
      );
    }
    const other = join(folder, 'other.json');
    await run(files[1], '--partial', other, '--eps-low', '0.1');
    expect((await run('--merge', own, other)).errors).toMatch(/different clip ranges/);
  });

  it('parts made with other masks, or advantages by other rules, are refused, in any order', async () => {
    const made = async (name: string, row: object, ...how: string[]) => {
      const path = join(folder, `${name}.jsonl`);
      const own = { group: name, step: 1, logp_old: [-1, -2], logp_new: [-1.1, -2.2], ...row };
      await writeFile(path, JSON.stringify(own));
      expect((await run(path, '--partial', `${path}.part`, ...how)).errors).toBe('');
      return `${path}.part`;
    };
    const masks = { response_mask: [1, 1], keep: [1, 0], advantage: 1 };
    const byName = await made('by-name', masks);
    const byKeep = await made('by-keep', masks, '--mask', 'keep');
    expect((await run('--merge', byName, byKeep)).errors).toMatch(
      /by-keep.*was made with "keep" as the mask, the other parts with masks by their names/,
    );
    expect((await run('--merge', byKeep, byName)).errors).toMatch(/Make the parts again/);
    // The first part computes nothing: the rule is that of the first which does.
    const verl = await made('verl', { reward: 1 }, '--advantages', 'verl');
    const trl = await made('trl', { reward: 1 });
    const merged = await run('--merge', byName, verl);
    expect(merged.out).toMatch(/computed by the rule "verl"/);
    expect((await run('--merge', byName, verl, trl)).errors).toMatch(
      /computed by the rule "trl", those of the other parts by "verl"/,
    );
  });

  it.each([['--by-step'], ['--partial', 'part.json'], ['--merge']])(
    'what takes all responses at once is refused with %s',
    async (...how) => {
      for (const asked of [
        ['--correction', 'sequence-mask=none/3'],
        ['--what-if', 'gspo'],
      ]) {
        const { status, errors } = await run(files[0], ...how, ...asked);
        expect(status).toBe(1);
        expect(errors).toMatch(/--correction and --what-if take all responses at once; leave --by/);
      }
    },
  );

  it('a group whose advantages are computed must be in one part', async () => {
    const split = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const path = join(folder, `${name}.jsonl`);
        const row = { group: 'q', logp_old: [-1], logp_new: [-1.1], reward: name === 'a' ? 1 : 0 };
        await writeFile(path, JSON.stringify(row));
        await run(path, '--partial', `${path}.part`);
        return `${path}.part`;
      }),
    );
    expect((await run('--merge', ...split)).errors).toMatch(
      /Group q of no known step has responses in .*that takes the whole group/,
    );
  });

  it('step by step gives what all at once gives, with all responses in the JSON', async () => {
    const whole = await run(...files, '--json', '-');
    const steps = await run(...files, '--json', '-', '--by-step');
    expect(figuresOf(steps.out)).toEqual(figuresOf(whole.out));
    const sequencesIn = (text: string) => (JSON.parse(text) as { sequences: unknown }).sequences;
    expect(sequencesIn(steps.out)).toEqual(sequencesIn(whole.out));
    expect((await run(...files, '--by-step')).out).toMatch(/Read in 4 parts, .*: kept are sums/);
  });

  it('is chosen by size, packed files counting for more, and goes by the steps of names', () => {
    const file = (name: string, size: number) => ({ ...fromBlob(name, new Blob()), size });
    expect(areLarge([file('a.jsonl', BY_STEP_BYTES)])).toBe(false);
    expect(areLarge([file('a.jsonl.zst', BY_STEP_BYTES / 2)])).toBe(true);
    const names = ['r/step2-rank0.jsonl', 'r/step10.jsonl', 'r/step2-rank1.jsonl', 'x.jsonl'];
    const groups = filesByStep(names.map((name) => file(name, 1)));
    expect(groups.map((group) => group.map(({ name }) => name))).toEqual([
      ['r/step2-rank0.jsonl', 'r/step2-rank1.jsonl'],
      ['r/step10.jsonl'],
      ['x.jsonl'],
    ]);
  });
});
