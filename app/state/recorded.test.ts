import { describe, expect, it, vi } from 'vitest';
import { equivalence } from '../../src/experiments/equivalence';
import { DEFAULT_SETTINGS, DEFAULT_SYNTHETIC } from '../../src/settings/run';
import { cpuKernels } from '../../src/math/cpu-kernels';
import { syntheticRollouts } from '../../src/rollouts/synthetic';
import { loadRecorded, parseRecorded } from './recorded';

async function recording() {
  const rollouts = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 6, groupSize: 4 });
  const result = await equivalence.run(rollouts, { bins: 8 }, { kernels: cpuKernels, seed: 1 });
  return {
    recordedAt: '2025-11-23T18:00:00Z',
    settings: DEFAULT_SETTINGS,
    backend: { policy: 'wasm', kernels: 'cpu', adapter: 'none', reason: 'none', threads: 1 },
    result,
  };
}

/** As a script writes it: typed arrays as plain arrays. */
const written = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, item: unknown) =>
      item instanceof Uint32Array ? Array.from(item) : item,
    ),
  );

describe('a recorded run', () => {
  it('comes back as the experiment returned it', async () => {
    const original = await recording();
    expect(parseRecorded(written(original))).toEqual(original);
  });

  it('with a form missing, a count below zero or no shape at all is none', async () => {
    const original = await recording();
    const { geometric, perplexity } = original.result.histograms;
    const histograms = { geometric, perplexity };
    expect(
      parseRecorded(written({ ...original, result: { ...original.result, histograms } })),
    ).toBe(null);
    const sequences = -1;
    expect(parseRecorded(written({ ...original, result: { ...original.result, sequences } }))).toBe(
      null,
    );
    expect(parseRecorded('<!doctype html>')).toBe(null);
  });
});

describe('loadRecorded', () => {
  const answer = (body: string, init: ResponseInit) =>
    vi.stubGlobal('fetch', async () => new Response(body, init));
  const load = () => loadRecorded('https://site.example/lab/', new AbortController().signal);

  it('takes a file that is not there for no recording, however the host says so', async () => {
    answer('not found', { status: 404 });
    expect(await load()).toBe(null);
    answer('<!doctype html>', { status: 200, headers: { 'content-type': 'text/html' } });
    expect(await load()).toBe(null);
    answer('{', { status: 200, headers: { 'content-type': 'application/json' } });
    expect(await load()).toBe(null);
    vi.unstubAllGlobals();
  });

  it('reads one that is there', async () => {
    const original = await recording();
    answer(JSON.stringify(written(original)), {
      status: 200,
      headers: { 'content-type': 'application/json' },
    });
    expect(await load()).toEqual(original);
    vi.unstubAllGlobals();
  });
});
