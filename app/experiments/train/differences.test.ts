import { describe, expect, test } from 'vitest';
import { settingsOf } from '../../../src/settings/setting';
import {
  DEFAULT_RACER,
  DEFAULT_TRAINING,
  trainingSchema,
  type RacerSettings,
  type TrainingSettings,
} from '../../../src/settings/training';
import { differencesInWords } from './differences';
import { goneUpTo } from './series';

const { gspo, grpo, dapo } = DEFAULT_RACER;
const differs = (kept: Partial<TrainingSettings>) =>
  differencesInWords(DEFAULT_TRAINING, { ...DEFAULT_TRAINING, ...kept });
const racers = (before: RacerSettings[], after: RacerSettings[]) =>
  differencesInWords(
    { ...DEFAULT_TRAINING, racers: before },
    { ...DEFAULT_TRAINING, racers: after },
  );

describe('how a kept race differs, in the words of the page', () => {
  test('numbers by their labels', () => {
    expect(differs({})).toEqual([]);
    expect(differs({ prompts: 4, kl: 0.05 })).toEqual(['Prompts 8 → 4', 'KL penalty 0 → 0.05']);
    // Labels that say nothing out of their group.
    expect(differs({ evaluateEvery: 20, evaluatePrompts: 200 })).toEqual([
      'Held-out accuracy every 10 → 20',
      'Held-out prompts 64 → 200',
    ]);
  });

  test('choices by their names', () => {
    expect(differs({ backend: 'wasm', start: 'gspo-00100', schedule: 'cosine' })).toEqual([
      'Checkpoint step-03000 → gspo-00100',
      'Backend automatic → WebAssembly',
      'Schedule constant → cosine',
    ]);
  });

  test('no setting is left to its key in the link', () => {
    const other: TrainingSettings = {
      backend: 'webgpu',
      policy: 'other',
      start: 'other',
      seed: 9,
      steps: 3,
      prompts: 4,
      groupSize: 5,
      minibatches: 2,
      temperature: 0.7,
      minOperators: 2,
      maxOperators: 4,
      maxLength: 50,
      schedule: 'cosine',
      warmupSteps: 1,
      gradientClip: 0.5,
      weightDecay: 0.1,
      kl: 0.05,
      evaluateEvery: 2,
      evaluatePrompts: 8,
      racers: [gspo],
    };
    const texts = differs(other);
    const keys = [...settingsOf(trainingSchema).keys()];
    expect(texts).toHaveLength(keys.length);
    for (const text of texts) {
      expect(keys).not.toContain(text.split(' ')[0]);
      expect(text).not.toContain('~');
    }
    const labels = texts.map((text) => text.replace(/ \S+ → .*/, ''));
    expect(new Set(labels).size).toBe(labels.length);
  });

  test('racers by what was changed, exchanged, added or left out', () => {
    const wide = { ...gspo, epsilonLow: 0.2, epsilonHigh: 0.28 };
    expect(racers([gspo, grpo], [{ ...wide, learningRate: 3e-5 }, grpo])).toEqual([
      'GSPO: ε 0.003/0.004 → 0.2/0.28, learning rate 0.0001 → 0.00003',
    ]);
    expect(racers([gspo, grpo], [gspo, dapo])).toEqual(['GRPO → DAPO']);
    expect(racers([gspo, grpo], [gspo])).toEqual(['without GRPO']);
    expect(racers([gspo], [dapo, gspo, grpo])).toEqual(['with DAPO', 'with GRPO']);
    expect(racers([gspo, grpo], [grpo, gspo])).toEqual(['racers in another order']);
  });

  test('of two racers of one objective, the one that changed is named by its band', () => {
    const wide = { ...gspo, epsilonLow: 0.2, epsilonHigh: 0.2 };
    const wider = { ...gspo, epsilonLow: 0.3, epsilonHigh: 0.3 };
    expect(racers([gspo, wide], [wider, gspo])).toEqual(['GSPO ε 0.2/0.2: ε 0.2/0.2 → 0.3/0.3']);
  });
});

describe('rollouts that are gone', () => {
  const reports = [1, 2, 3, 4].map((step) => ({ step }) as Parameters<typeof goneUpTo>[0][number]);

  test('are those before the first that is held', () => {
    expect(goneUpTo(reports, [1, 2, 3, 4])).toBe(0);
    // Thinned to fit into memory: nothing was lost with a trainer.
    expect(goneUpTo(reports, [1, 4])).toBe(0);
    expect(goneUpTo(reports, [3, 4])).toBe(2);
    expect(goneUpTo(reports, [])).toBe(4);
    expect(goneUpTo([], [])).toBe(0);
  });
});
