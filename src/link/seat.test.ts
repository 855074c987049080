import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../settings/run';
import { heldOutPrompts } from '../tasks/task';
import { findTask } from '../tasks/registry';
import { openLink, writeLink } from './link';
import { MOST_SEATS, seatSeed } from './seat';

test('no two seats of a class have the same seed, whatever the class’s', () => {
  for (const of of [0, 1, 2, 77, 2 ** 31, 2 ** 32 - 1]) {
    const seeds = Array.from({ length: MOST_SEATS }, (_, i) => seatSeed({ number: i + 1, of }));
    expect(new Set(seeds).size).toBe(MOST_SEATS);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
  }
  // a class's seats are those of no other class
  const of = (seed: number) =>
    Array.from({ length: 30 }, (_, i) => seatSeed({ number: i + 1, of: seed }));
  expect(new Set([...of(1), ...of(2)]).size).toBe(60);
});

test('two seats share no stream of prompts', () => {
  const prompts = (number: number) =>
    heldOutPrompts(
      findTask('arithmetic'),
      seatSeed({ number, of: 1 }),
      { minOperators: 5, maxOperators: 9 },
      50,
      0,
    );
  const seats = [1, 2, 3, 17, 30].map(prompts);
  const all = seats.flat();
  // 250 of far more than a million problems: no two the same
  expect(new Set(all).size).toBe(all.length);
  expect(prompts(17)).toEqual(seats[3]);
});

test('a link with a seat runs that seat’s seed, and is written as it was', () => {
  const hash = '#/variance?v=3&source=synthetic&seed=5&seat=17';
  const { link, problems } = openLink(hash);
  expect(problems).toEqual([]);
  expect(link.seat).toEqual({ number: 17, of: 5 });
  expect(link.run.source.seed).toBe(seatSeed({ number: 17, of: 5 }));
  expect(openLink(writeLink(link))).toEqual({ link, problems: [] });
  expect(writeLink(link)).toContain('seed=5&seat=17');
  // a seed that a person typed is no seat's
  const typed = { ...link, run: { ...link.run, source: { ...link.run.source, seed: 9 } } };
  expect(writeLink(typed)).toContain('seed=9');
  expect(writeLink(typed)).not.toContain('seat');
});

test.each(['0', '1000', '-1', '1.5', 'x', ''])('seat=%s is refused with a sentence', (seat) => {
  const { link, problems } = openLink(`#/variance?v=3&seat=${seat}`);
  expect(problems.join(' ')).toContain('a whole number from 1 to 999');
  expect(link.seat).toBeNull();
  expect(link.run).toEqual(DEFAULT_SETTINGS);
});
