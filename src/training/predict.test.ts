import { describe, expect, test } from 'vitest';
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../settings/training';
import { ROWS } from './microbatches';
import { predictedSeconds, type StepEstimate } from './predict';
import { arithmetic } from '../tasks/arithmetic';

const FREE: StepEstimate = {
  task: 'arithmetic',
  sampling: 0,
  scoring: 0,
  gradient: 0,
  update: 0,
  tracing: 0,
  compiling: 0,
  compiled: [],
};

/** Every answer has the same length, every response a gradient: all amounts of work are known. */
const KNOWN: TrainingSettings = {
  ...DEFAULT_TRAINING,
  steps: 30,
  prompts: 4,
  groupSize: 8,
  minibatches: 4,
  minOperators: 3,
  maxOperators: 3,
  evaluatePrompts: 0,
  racers: [DEFAULT_RACER.cispo],
};
const TOKENS = arithmetic.expectedTokens('8*3+2-6=');
/** `8*3+2-6=` and 15.6 tokens less one. */
const WIDTH = 32;

const predicted = (cost: Partial<StepEstimate>, settings: Partial<TrainingSettings> = {}) =>
  predictedSeconds({ ...FREE, ...cost }, { ...KNOWN, ...settings });

describe('the time of a race, from the cost of its parts', () => {
  test('sampling and both scorings are paid by the token', () => {
    expect(predicted({ sampling: 2 })).toBeCloseTo(30 * 32 * TOKENS * 2, 6);
    expect(predicted({ scoring: 2 })).toBeCloseTo(30 * 32 * TOKENS * 2 * 2, 6);
    // A penalty scores under the start, too.
    expect(predicted({ scoring: 2 }, { kl: 0.1 })).toBeCloseTo(30 * 32 * TOKENS * 2 * 3, 6);
  });

  test('answers are never longer than the settings allow', () => {
    expect(predicted({ sampling: 1 }, { maxLength: 10 })).toBeCloseTo(30 * 32 * 10, 6);
  });

  test('updates are paid by the update', () => {
    expect(predicted({ update: 1 })).toBe(30 * 4);
    expect(predicted({ update: 1 }, { minibatches: 16 })).toBe(30 * 16);
  });

  test('a gradient is paid by the rectangle, full or not', () => {
    const oneRectangle = ROWS * WIDTH;
    expect(predicted({ gradient: 1 })).toBe(30 * 8 * oneRectangle);
    // Sixteen minibatches of two responses: half of every rectangle is padding.
    expect(predicted({ gradient: 1 }, { minibatches: 16 })).toBe(30 * 16 * oneRectangle);
  });

  test('where all answers of a group are alike there is no gradient, unless the objective counts them', () => {
    const places = (settings: Partial<TrainingSettings>) =>
      predicted({ gradient: 1 }, { prompts: 25, steps: 12, minibatches: 1, ...settings });
    const everyone = places({});
    expect(places({ racers: [DEFAULT_RACER.gspo] }) / everyone).toBeCloseTo(0.56, 2);
    expect(places({ racers: [DEFAULT_RACER.gspo], kl: 0.1 })).toBe(everyone);
  });

  test('held-out evaluation is sampling, as often as it is due', () => {
    const evaluated = { evaluateEvery: 7, evaluatePrompts: 10 };
    const more = predicted({ sampling: 1 }, evaluated) - predicted({ sampling: 1 });
    // Before the first, after 7, 14, 21, 28 and the last step.
    expect(more).toBeCloseTo(6 * 10 * TOKENS, 6);
  });

  test('every racer traces; what is compiled already is not compiled again', () => {
    const racers = [DEFAULT_RACER.cispo, DEFAULT_RACER.gspo];
    expect(predicted({ tracing: 3 }, { racers })).toBe(2 * 3);
    expect(predicted({ compiling: 5 }, { racers })).toBe(5);
    expect(predicted({ compiling: 5, compiled: [WIDTH] }, { racers })).toBe(0);
    // Answers of many lengths need rectangles of many widths.
    const range = { minOperators: 1, maxOperators: 9 };
    const widths = predicted({ compiling: 1 }, range);
    expect(widths).toBeGreaterThan(1);
    expect(predicted({ tracing: 1 }, range)).toBe(widths);
  });
});
