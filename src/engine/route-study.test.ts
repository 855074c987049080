/** The study of routes on the shipped policies, small: what must be equal is, and what cannot be is refused. */
import { describe, expect, it } from 'vitest';
import { localFiles, NODE_ASSETS } from '../../scripts/node/ort';
import { DEFAULT_POLICIES } from '../settings/run';
import type { StudyProgress } from './route-figures';
import { studyRoutes } from './route-study';

const source = {
  ...DEFAULT_POLICIES,
  policy: 'arithmetic-moe',
  old: 'step-03000',
  new: 'gspo-00150',
  maxOperators: 3,
};
const told: StudyProgress[] = [];
const options = {
  source,
  backend: 'wasm' as const,
  assets: NODE_ASSETS,
  files: localFiles,
  tell: (progress: StudyProgress) => void told.push(progress),
  signal: new AbortController().signal,
  prompts: 24,
};

describe('the study of routes', () => {
  it('has more flips the further it goes, as foretold at the end itself, and a dense side of the same spread', async () => {
    const study = await studyRoutes(options);
    const shares = study.alphas.map(({ share }) => share.estimate);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    const end = study.alphas.find(({ at }) => at === 1);
    expect(end?.share.estimate).toBeGreaterThan(0.001);
    expect(end?.share.estimate).toBeCloseTo(end?.predicted ?? NaN, 3);
    expect(study.growth.estimate).toBeGreaterThan(0.5);
    expect(study.growth.estimate).toBeLessThan(1.5);
    expect(study.layers).toBe(4);

    // What training by reinforcement did is far more than one step of it.
    const [gspo] = study.training.series;
    expect(gspo?.points.every(({ share }) => share.estimate > 0.05)).toBe(true);

    const { experts, dense } = study.sides ?? {};
    expect(dense?.policy).toBe('arithmetic-dense');
    // The estimates are corrected for bias, each over its own prompts.
    const apart = (dense?.variance.estimate ?? NaN) / (experts?.variance.estimate ?? NaN);
    expect(Math.abs(Math.log(apart))).toBeLessThan(0.15);
    expect(dense?.alpha).not.toBe(1);
    expect(experts?.largest.estimate).toBeGreaterThan(0.1);

    const fractions = told.map(({ fraction }) => fraction);
    expect([...fractions].sort((a, b) => a - b)).toEqual(fractions);
    expect(fractions.every((x) => x >= 0 && x < 1)).toBe(true);
  });

  it('refuses a policy without experts in a sentence, and ends when cancelled', async () => {
    const dense = { ...source, policy: 'arithmetic-dense', old: 'gspo-00100', new: 'gspo-00101' };
    await expect(studyRoutes({ ...options, source: dense, prompts: 2 })).rejects.toThrow(
      /"arithmetic-dense" has no experts/,
    );
    const abort = new AbortController();
    const tell = () => abort.abort();
    await expect(studyRoutes({ ...options, tell, signal: abort.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
