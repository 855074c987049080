/** The samplers of "break it" do to the weights what their buttons say; their promises: `engine/lab/breaks.test.ts`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mismatch, type MismatchResult } from '../experiments/mismatch';
import { cpuKernels } from '../math/cpu-kernels';
import { fromBlob } from '../rollouts/file/bytes';
import { readRolloutFiles } from '../rollouts/file/read';
import { SAMPLERS, withSampler, type Sampler } from './samplers';

const EXAMPLE = new URL('../../public/example/rollouts.jsonl', import.meta.url);

async function measured(sampler: Sampler): Promise<MismatchResult> {
  const text = withSampler(readFileSync(EXAMPLE, 'utf8'), sampler);
  const { rollouts } = await readRolloutFiles([fromBlob(sampler.file, new Blob([text]))]);
  return mismatch.run(rollouts, mismatch.defaults, { seed: 1, kernels: cpuKernels });
}

describe('samplers to break the mismatch page with', () => {
  it('honest noise wastes responses by rho alone', async () => {
    const result = await measured(SAMPLERS.noise);
    const last = result.measure?.shares.prefix.points.at(-1);
    expect(last?.unnormalised.effectiveShare).toBeLessThan(0.85);
    expect(last?.sequence.effectiveShare).toBeGreaterThan(0.98);
  });
});
