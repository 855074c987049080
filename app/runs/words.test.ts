import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICIES, DEFAULT_SETTINGS, DEFAULT_SYNTHETIC } from '../../src/settings/run';
import type { ListedRun } from '../../src/engine/lab/protocol';
import { differenceWords, differsBy, labelOf, sizeWords, sourceWords, stateWords } from './words';

const run = (more: Partial<ListedRun> = {}): ListedRun => ({
  id: 'a',
  kind: 'rollouts',
  name: null,
  createdAt: Date.UTC(2026, 0, 2, 3, 4),
  updatedAt: 0,
  app: '0.1.0',
  settings: DEFAULT_SETTINGS,
  files: [],
  policies: [],
  backend: null,
  state: 'finished',
  batches: 16,
  sequencesPerBatch: 32,
  keptBatches: 16,
  sequences: 512,
  totalSequences: 512,
  tokens: 25_000,
  seconds: 30,
  bytes: 1_200_000,
  deletedAt: null,
  live: null,
  ...more,
});
const source = (change: object) => ({
  backend: 'auto' as const,
  source: { ...DEFAULT_POLICIES, ...change },
});

describe('kept runs in words', () => {
  it('differ from the run in view by what a person would say', () => {
    const kept = run({ settings: source({ alpha: 0.5, seed: 2 }) });
    expect(differenceWords(differsBy(DEFAULT_SETTINGS, kept) ?? [])).toBe('α 1 → 0.5, seed 1 → 2');
    expect(labelOf(DEFAULT_SETTINGS, kept)).toBe('α 1 → 0.5, seed 1 → 2');
    expect(
      labelOf(DEFAULT_SETTINGS, run({ name: 'half way', settings: source({ alpha: 0.5 }) })),
    ).toBe('half way');
    expect(labelOf(DEFAULT_SETTINGS, run())).toMatch(/^same settings, /);
  });

  it('say how many differences there are beyond the first', () => {
    const kept = run({ settings: source({ alpha: 0.5, seed: 2, prompts: 8, groupSize: 8 }) });
    expect(differenceWords(differsBy(DEFAULT_SETTINGS, kept) ?? [], 2)).toMatch(/, 2 more$/);
  });

  it('cannot be compared where data came from files', () => {
    const file = run({ settings: null, files: ['mine.jsonl'] });
    expect(differsBy(DEFAULT_SETTINGS, file)).toBeNull();
    expect(labelOf(DEFAULT_SETTINGS, file)).toMatch(/^mine\.jsonl, /);
    expect(sourceWords(file)).toBe('mine.jsonl');
    expect(sourceWords(run({ settings: { backend: 'auto', source: DEFAULT_SYNTHETIC } }))).toBe(
      'synthetic',
    );
  });

  it('are named by what is not as usual, so that runs of one source are told apart', () => {
    const of = (change: object) =>
      sourceWords(
        run({ settings: { backend: 'wasm', source: { ...DEFAULT_SYNTHETIC, ...change } } }),
      );
    expect(of({ rho: 0.5, seed: 7 })).toBe('synthetic, ρ 0.5, seed 7');
    expect(of({ tau: 0.03 })).toBe('synthetic, τ 0.03');
    expect(of({ prompts: 4, groupSize: 2, minLength: 1, maxLength: 8, rho: 0.5, seed: 2 })).toMatch(
      /^synthetic, prompts 4, .*, 2 more$/,
    );
    expect(sourceWords(run({ settings: source({ alpha: 0.5 }) }))).toMatch(/ → \S+, α 0\.5$/);
    expect(sourceWords(run())).toMatch(/ → \S+$/);
  });

  it('say how much there is and what became of it', () => {
    expect(sizeWords(run())).toBe('512 responses, 25,000 tokens, 1.2 MB');
    expect(sizeWords(run({ sequences: 96 }))).toMatch(/^96 of 512 responses/);
    const part = { state: 'running', sequences: 96 } as const;
    expect(stateWords(run(part))).toBe('cut off');
    expect(stateWords(run({ state: 'running' })), 'nothing is missing').toBe('finished');
    expect(stateWords(run({ ...part, live: 'here' }))).toBe('under way');
    expect(stateWords(run({ ...part, live: 'elsewhere' }))).toBe('in another tab');
  });
});
