import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLEAN, plantedTokens } from '../src/calibration/planted';
import { main } from './experiment';

/** Any generator's data, through the command that others test verdicts with. */
test('a file of rollouts is judged by the claims of a link’s page, as JSON', async () => {
  const { logRatio, offsets, cluster } = plantedTokens({
    ...CLEAN,
    prompts: 60,
    rho: 0.5,
    maxLength: 60,
  });
  const lines = Array.from(cluster, (g, i) => {
    const d = Array.from(logRatio.subarray(offsets[i], offsets[i + 1]));
    return JSON.stringify({
      prompt: `prompt ${g}`,
      old_logprobs: d.map(() => -1),
      new_logprobs: d.map((x) => -1 + x),
      reward: i % 2,
    });
  });
  const file = join(await mkdtemp(join(tmpdir(), 'claims-')), 'rollouts.jsonl');
  await writeFile(file, lines.join('\n'));
  const out: string[] = [];
  const complaints: string[] = [];
  const status = await main(
    ['#/dependence?v=1', '--file', file],
    (line) => out.push(line),
    (line) => complaints.push(line),
  );
  expect([status, complaints]).toEqual([0, []]);
  const found = JSON.parse(out.join('\n')) as {
    responses: number;
    claims: { id: string; verdict: string }[];
  };
  expect(found.responses).toBe(480);
  const verdict = (id: string) => found.claims.find((claim) => claim.id === id)?.verdict;
  expect(verdict('dependence.covariance')).toBe('fails');
  expect(verdict('dependence.prompt')).not.toBe('fails');
});

test('what cannot be asked of a file is refused with a sentence', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'claims-')), 'rollouts.jsonl');
  const line = { prompt: 'p', old_logprobs: [-1, -2], new_logprobs: [-1], reward: 1 };
  await writeFile(file, JSON.stringify(line));
  const refused = async (...argv: string[]): Promise<string> => {
    const out: string[] = [];
    const complaints: string[] = [];
    const status = await main(
      argv,
      (own) => out.push(own),
      (own) => complaints.push(own),
    );
    expect([status, out]).toEqual([2, []]);
    return complaints.at(-1) ?? '';
  };
  expect(await refused('#/nowhere?v=2', '--file', file)).toMatch(/no page.* variance, /);
  expect(await refused('#/train?v=2', '--file', file)).toMatch(
    /"train" makes no claims .*variance/,
  );
  expect(await refused('#/variance?v=2', '--file', file)).toMatch(
    /line 1, field "new_logprobs": has 1 entr/,
  );
  expect(await refused('#/variance?v=2', '--file', `${file}.not`)).toMatch(/there is no such file/);
  expect(await refused('#/variance?v=2', '--file', file, '--csv', tmpdir())).toMatch(/--json/);
});
