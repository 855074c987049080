import { describe, expect, it } from 'vitest';
import { kindOf, objective, type ObjectiveId } from '../../../src/math/objectives/registry';
import { clampWords } from './settings-words';

const words = (id: ObjectiveId, library: 'trl' | 'verl') => {
  const settings = objective(id)[library];
  if (settings === null) return null;
  return clampWords(kindOf(settings.surrogate).clamps(settings.surrogate, library));
};

describe('what a library clamps, in words', () => {
  it('is one thing for tokens and another for sequences in verl, and nothing in TRL', () => {
    expect([words('grpo', 'trl'), words('grpo', 'verl')]).toEqual(['nothing', 'log r within ±20']);
    expect([words('gspo', 'trl'), words('gspo', 'verl')]).toEqual(['nothing', 'log s at most 10']);
  });

  it('has both of VESPO’s in TRL', () => {
    expect(words('vespo', 'trl')).toBe('log r within ±20, log ρ from −18.421 to 20');
  });

  it('is nothing where verl leaves its clamp out', () => {
    expect(words('gmpo', 'verl')).toBe('nothing');
    expect(words('reinforce', 'verl')).toBe('nothing');
  });
});
