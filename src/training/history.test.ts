import { expect, test } from 'vitest';
import { StepHistory } from './history';

const upTo = (steps: number, budget: number) => {
  const history = new StepHistory<string>(() => 1, budget);
  for (let step = 1; step <= steps; step++) history.add(step, `step ${step}`);
  return history;
};

test('everything is held while there is room', () => {
  expect(upTo(50, 50).steps).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

test('beyond it, the first and the latest stay, and none of the run is left bare', () => {
  const { steps } = upTo(1000, 40);
  expect(steps).toHaveLength(40);
  expect([steps[0], steps.at(-1)]).toEqual([1, 1000]);
  const gaps = steps.slice(1).map((step, i) => step - steps[i]);
  expect(Math.max(...gaps)).toBeLessThan(100);
});

test('what is larger than the budget is held alone', () => {
  const history = upTo(5, 0.5);
  expect(history.steps).toEqual([5]);
  expect(history.get(5)).toBe('step 5');
  expect(history.get(4)).toBeUndefined();
});

test('a step that is taken again replaces what came after it', () => {
  const history = upTo(5, 50);
  history.add(3, 'again');
  expect(history.steps).toEqual([1, 2, 3]);
  expect(history.get(3)).toBe('again');
});
