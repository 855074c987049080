/** `analyze --what-if` and `--correction` on the peers' three responses. */
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from './analyze';

interface Cases {
  inputs: {
    old_logps: number[][];
    new_logps: number[][];
    sampler_logps: number[][];
    advantages: number[];
  };
  mismatch: Record<string, number>;
}
const { inputs, mismatch } = JSON.parse(
  readFileSync(new URL('../src/math/objectives/peer-cases.json', import.meta.url), 'utf8'),
) as Cases;
let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'what-if-'));
  path = join(folder, 'run.jsonl');
  const records = inputs.old_logps.map((logp_old, i) => ({
    v: 1,
    group: 'q',
    sample: i,
    logp_old,
    logp_new: inputs.new_logps[i],
    logp_sampler: inputs.sampler_logps[i],
    advantage: inputs.advantages[i],
  }));
  await writeFile(path, records.map((one) => JSON.stringify(one)).join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...argv: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const status = await main(
    [path, ...argv],
    (line) => out.push(line),
    (line) => errors.push(line),
  );
  return { status, out: out.join('\n'), errors: errors.join('\n') };
}

it('GSPO with a wide band wakes the one response that the published band silences below', async () => {
  const json = join(folder, 'out.json');
  const { status, out } = await run(
    '--what-if',
    'gspo',
    '--what-if',
    'gspo@0.2/0.2',
    '--json',
    json,
  );
  expect(status).toBe(0);
  // s is 1.30, 0.9990 and 1.0002: the first stays outside on its side, the second comes in.
  expect(out).toContain('first gspo.trl');
  expect(out).toContain('if    gspo.trl@0.2/0.2');
  expect(out).toContain('clipped: 5 of 10 tokens');
  expect(out).toContain('woken 1: q#1');
  const { what_if } = JSON.parse(await readFile(json, 'utf8')) as {
    what_if: { variants: { loss: number; silenced: number[]; woken: number[]; share: number[] }[] };
  };
  const [first, second] = what_if.variants;
  expect(first?.loss).toBeCloseTo(-0.16693334, 8);
  expect(second?.loss).toBeCloseTo(-0.23369984, 8);
  expect([second?.silenced, second?.woken]).toEqual([[], [1]]);
  expect(first?.share[2]).toBeCloseTo(1, 12);
});

it('a correction enters the losses as the peers computed them', async () => {
  const { status, out } = await run('--correction', 'sequence-mask=none/3', '--json', '-');
  expect(status).toBe(0);
  const { objectives } = JSON.parse(out) as { objectives: { dapo: { trl: { loss: number } } } };
  // Theirs is the token clip at 0.2/0.2: DAPO's mean at GRPO's band.
  const banded = await run(
    '--correction',
    'sequence-mask',
    '--eps-low',
    '0.2',
    '--eps-high',
    '0.2',
    '--json',
    '-',
  );
  const own = JSON.parse(banded.out) as { objectives: typeof objectives };
  expect(own.objectives.dapo.trl.loss).toBeCloseTo(
    mismatch['trl.dapo x sequence_mask(3.0, default)'],
    8,
  );
  expect(objectives.dapo.trl.loss).not.toBe(own.objectives.dapo.trl.loss);
});

it.each([
  [['--what-if', 'gspo+tis'], /no correction "tis"/],
  [['--what-if', 'sapo@0.1/0.1'], /no epsilon/],
  [['--correction', 'sequence-mask=3'], /no correction; write/],
  [['--correction', 'sequence-mask=a/3'], /no number of 0 or more/],
])('%s is refused in a sentence', async (argv, sentence) => {
  const { status, errors } = await run(...argv);
  expect(status).toBe(1);
  expect(errors).toMatch(sentence);
});
