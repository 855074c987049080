import { expect, test } from 'vitest';
import { inTurn } from './turns';

const task = () => new Promise((done) => setTimeout(done));

test('the first is drawn at once, the others in tasks of their own and in order; a turn can be given up', async () => {
  const drawn: string[] = [];
  inTurn(() => drawn.push('first'));
  expect(drawn).toEqual(['first']);
  inTurn(() => drawn.push('second'));
  const giveUp = inTurn(() => drawn.push('given up'));
  inTurn(() => drawn.push('third'));
  giveUp();
  expect(drawn).toEqual(['first']);
  await task();
  expect(drawn).toEqual(['first', 'second']);
  await task();
  expect(drawn).toEqual(['first', 'second', 'third']);
  await task();
  inTurn(() => drawn.push('at once again'));
  expect(drawn.at(-1)).toBe('at once again');
  await task();
});
