/** The command as a person runs it, on the peers' data: same figures, same sentences. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESPONSE_IDS } from '../src/math/objectives/registry';
import type { Analysis } from '../src/rollouts/file/analysis';
import { main } from './analyze';

interface Cases {
  inputs: {
    old_logps: number[][];
    new_logps: number[][];
    sampler_logps: number[][];
    advantages: number[];
    max_completion_length: number;
  };
}
const { inputs } = JSON.parse(
  readFileSync(new URL('../src/math/objectives/peer-cases.json', import.meta.url), 'utf8'),
) as Cases;
const lines = inputs.old_logps.map((logp_old, i) =>
  JSON.stringify({
    v: 1,
    group: 'q',
    sample: i,
    logp_old,
    logp_new: inputs.new_logps[i],
    logp_sampler: inputs.sampler_logps[i],
    advantage: inputs.advantages[i],
    meta: { max_completion_length: inputs.max_completion_length },
  }),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'analyze-'));
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
async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Without the health report, which tells steps apart, and without what is said of files. */
function figures(json: string): Partial<Analysis> {
  const all = JSON.parse(json) as Partial<Analysis> &
    Record<'findings' | 'health' | 'import', unknown>;
  delete all.findings;
  delete all.health;
  delete all.import;
  return all;
}

describe('npm run analyze', () => {
  it("writes the peers' figures in the documented shape", async () => {
    const path = await write('run.jsonl', lines.join('\n'));
    const json = join(folder, 'out.json');
    const { status, out } = await run(path, '--json', json);
    expect(status).toBe(0);
    expect(out).toContain('Health');
    const analysis = JSON.parse(await readFile(json, 'utf8')) as Analysis;
    expect(Object.keys(analysis)).toEqual([
      'findings',
      'health',
      'import',
      'n_sequences',
      'n_tokens',
      'sequences',
      'objectives',
      'kl',
      'chi2',
      'mismatch',
      'sampling_metrics',
    ]);
    expect(analysis).toMatchObject({ n_sequences: 3, n_tokens: 10 });
    expect(analysis.sequences[0]).toMatchObject({ group: 'q', sample: 0, length: 2 });
    expect(analysis.sequences[0]?.ppl_ratio).toBeCloseTo(1.3001765, 7);
    const losses = Object.fromEntries(
      Object.entries(analysis.objectives).map(([id, { trl, verl }]) => [
        id,
        [trl && Number(trl.loss.toPrecision(8)), verl && Number(verl.loss.toPrecision(8))],
      ]),
    );
    expect(Object.keys(losses)).toEqual([...RESPONSE_IDS]);
    expect(losses).toMatchObject({
      grpo: [-0.020463431, -0.030714633],
      dr_grpo: [0.0005404414, -0.012797764],
      dapo: [-0.014802314, -0.046814006],
      gspo: [-0.16693334, -0.16693334],
      gspo_token: [-0.16693334, null],
      cispo: [-0.066860643, -0.023834361],
      gmpo: [-0.21921522, -0.21921522],
      sapo: [-0.38736835, -0.38736835],
      vespo: [-0.40378722, null],
      rloo: [-0.23449858, null],
    });
    expect(analysis.objectives.gspo.trl?.clip_high).toBeCloseTo(1 / 3, 8);
    expect(analysis.objectives.gspo.verl?.clip_fraction).toBeCloseTo(0.5, 8);
    expect(analysis.kl.k3).toBeCloseTo(0.15725616, 8);
    expect(analysis.chi2.sequence).toBeCloseTo(0.61789036, 8);
    expect(analysis.mismatch?.ppl_ratio).toBeCloseTo(0.89125597, 8);
  });

  it('the JSON holds what is said of the import: columns that are not read, and what was left out', async () => {
    const named = lines.map((line, i) => ({
      ...(JSON.parse(line) as object),
      train_mask: [1],
      ...(i === 0 ? { logp_new: 'x' } : {}),
    }));
    const path = await write('named.jsonl', named.map((row) => JSON.stringify(row)).join('\n'));
    const { out } = await run(path, '--skip-bad', '--json', '-');
    expect((JSON.parse(out) as { import: unknown }).import).toMatchObject({
      notes: [expect.stringMatching(/"train_mask" is not read.*rename it to "mask"/)],
      skipped: 1,
      problems: [expect.stringMatching(/line 1, field "logp_new"/)],
    });
  });

  it('a band of one’s own reaches the ratio-clipping objectives', async () => {
    const path = await write('band.jsonl', lines.join('\n'));
    const { out } = await run(path, '--eps-low', '0.2', '--eps-high', '0.2', '--json', '-');
    const analysis = JSON.parse(out) as Analysis;
    expect(analysis.objectives.gspo.trl?.loss).toBeCloseTo(-0.23369984, 8);
    expect(analysis.objectives.luspo.trl?.loss).toBeCloseTo(-0.63449952, 8);
    expect(analysis.objectives.gmpo.trl?.loss).toBeCloseTo(-0.21921522, 8);
  });

  it('several files and a folder give what one file gives', async () => {
    const one = await run(await write('all.jsonl', lines.join('\n')), '--json', '-');
    const parts = await Promise.all(lines.map((line, i) => write(`part${i}.jsonl`, line)));
    const many = await run(...parts, '--json', '-');
    expect(figures(many.out)).toEqual(figures(one.out));
    const steps = await mkdtemp(join(folder, 'steps-'));
    await Promise.all(lines.map((line, i) => writeFile(join(steps, `step${i + 9}.jsonl`), line)));
    const asFolder = await run(steps, '--json', '-');
    expect(figures(asFolder.out)).toEqual(figures(one.out));
  });

  it('a folder is read with its subfolders, without what is hidden or not for the lab', async () => {
    const one = await run(await write('whole.jsonl', lines.join('\n')), '--json', '-');
    const root = await mkdtemp(join(folder, 'run-'));
    await mkdir(join(root, 'checkpoint-2'));
    await mkdir(join(root, '.cache'));
    await writeFile(join(root, 'step10.jsonl'), lines[2]);
    await writeFile(join(root, 'checkpoint-2', 'b.jsonl'), lines[1]);
    await writeFile(join(root, 'checkpoint-2', 'a.jsonl'), lines[0]);
    await writeFile(join(root, 'checkpoint-2', 'trainer_state.json'), '{"global_step":2}');
    await writeFile(join(root, '.cache', 'c.jsonl'), lines[0]);
    await writeFile(join(root, '.d.jsonl'), lines[0]);
    const asFolder = await run(root, '--json', '-');
    expect(figures(asFolder.out)).toEqual(figures(one.out));
    const { out } = await run(root);
    expect(out).toMatch(/1 file of the folder left out.*checkpoint-2\/trainer_state\.json/);
  });

  it('figures are written even where nobody reads the lines to their end', async () => {
    const path = await write('piped.jsonl', lines.join('\n'));
    const json = join(folder, 'piped.json');
    const { stderr } = await promisify(execFile)(
      'bash',
      [
        '-c',
        'set -o pipefail; npm run --silent analyze -- "$1" --json "$2" | true',
        'bash',
        path,
        json,
      ],
      { cwd: new URL('..', import.meta.url) },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({ n_sequences: 3 });
  }, 60_000);

  it('says what is wrong in one sentence and exits with 1', async () => {
    const broken = await write('broken.jsonl', `${lines[0]}\n{"group":"q"}`);
    for (const [argv, message] of [
      [[broken], 'broken.jsonl, line 2, field "logp_old": is missing'],
      [[join(folder, 'absent.jsonl')], 'there is no such file'],
      [[], 'No file was given'],
      [[broken, '--eps-low', 'x'], '--eps-low is "x"; it must be a number from 0 to 100'],
      [[broken, '--eps-high', '101'], 'it must be a number from 0 to 100'],
      [[broken, '--advantages', 'ppo'], 'it must be trl, verl'],
      [[broken, '--nonsense'], '--nonsense'],
      [
        [broken, '--skip-bad', '--json', join(folder, 'no', 'where.json')],
        'cannot be read or written',
      ],
    ] as const) {
      const { status, errors } = await run(...argv);
      expect(status).toBe(1);
      expect(errors).toContain(message);
    }
    const skipped = await run(broken, '--skip-bad');
    expect(skipped.status).toBe(0);
    expect(skipped.out).toContain('1 skipped');
  });

  it('a column that holds no log-probs is a finding, and the file an error with the same cause', async () => {
    const rows = lines.map((line, i) => {
      const row = JSON.parse(line) as { logp_old: number[] };
      return i % 2 ? line : JSON.stringify({ ...row, logp_old: row.logp_old.map(Math.exp) });
    });
    const path = await write('probabilities.jsonl', rows.join('\n'));
    const stopped = await run(path);
    expect(stopped.status).toBe(1);
    expect(stopped.errors).toMatch(/line 1, field "logp_old\[0\]": is 0\.\d+; a log-prob cannot/);
    expect(stopped.out).toMatch(/\[WARN\] "logp_old" holds probabilities.*\(impossible-values\)/);
    expect(stopped.out).not.toMatch(/Objectives/);
    const json = await run(path, '--json', '-');
    expect(json.status).toBe(1);
    const told = JSON.parse(json.out) as { error: string; findings: { id: string }[] };
    expect(told.error).toBe(json.errors);
    expect(told.findings[0]).toMatchObject({
      id: 'impossible-values',
      statistic: rows.filter((_, i) => i % 2 === 0).length / rows.length,
      tokens: [{ group: 'q', from: 0, to: 1 }],
    });
    const skipped = await run(path, '--skip-bad');
    expect(skipped.status).toBe(0);
    expect(skipped.out).toMatch(/impossible-values/);
    expect(skipped.out).toMatch(/Objectives/);
    const none = await write('none.jsonl', rows.filter((_, i) => i % 2 === 0).join('\n'));
    const all = await run(none, '--skip-bad');
    expect([all.status, all.out]).toEqual([1, expect.stringContaining('none is left to compute')]);
  });
});
