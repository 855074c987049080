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
