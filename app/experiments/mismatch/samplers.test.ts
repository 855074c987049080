/** The samplers of "break it" do what their buttons say. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mismatch, type MismatchResult } from '../../../src/experiments/mismatch';
import { cpuKernels } from '../../../src/math/cpu-kernels';
import { fromBlob } from '../../../src/rollouts/file/bytes';
import { readRolloutFiles } from '../../../src/rollouts/file/read';
import { SAMPLERS, withSampler } from './samplers';

const EXAMPLE = new URL('../../../public/example/rollouts.jsonl', import.meta.url);

async function measured(file: string): Promise<MismatchResult> {
  const sampler = SAMPLERS.find((one) => one.file === file);
  if (!sampler) throw new Error(`no sampler "${file}"`);
  const text = withSampler(readFileSync(EXAMPLE, 'utf8'), sampler);
  const { rollouts } = await readRolloutFiles([fromBlob(file, new Blob([text]))]);
  return mismatch.run(rollouts, mismatch.defaults, { seed: 1, kernels: cpuKernels });
}

const verdicts = ({ claims }: MismatchResult) =>
  Object.fromEntries(claims.map(({ id, verdict }) => [id.replace('mismatch.', ''), verdict]));

describe('samplers to break the mismatch page with', () => {
  it('honest noise fails no claim, and wastes responses by rho alone', async () => {
    const result = await measured('sampler-noise.jsonl');
    expect(Object.values(verdicts(result))).not.toContain('fails');
    const last = result.measure?.shares.prefix.points.at(-1);
    expect(last?.unnormalised.effectiveShare).toBeLessThan(0.85);
    expect(last?.sequence.effectiveShare).toBeGreaterThan(0.98);
  });

  it('a renormalised nucleus and another temperature are no weights of mean 1', async () => {
    for (const file of ['sampler-top-p.jsonl', 'sampler-temperature.jsonl']) {
      expect(verdicts(await measured(file))['mean-weight'], file).toBe('fails');
    }
  });
});
