import { describe, expect, test } from 'vitest';
import { openLink, writeLink } from './link';
import { compareRaces, foundOf, racesAgree, type RaceFound, type RaceStep } from './race-found';

const SIZES = { prompts: 4, groupSize: 8 };
const curve = (rewards: number[]): RaceStep[] =>
  rewards.map((reward, i) => ({
    reward,
    meanLength: 12,
    heldOut: i + 1 < rewards.length ? null : { correct: 30, prompts: 64 },
  }));

describe('what a race found', () => {
  const found = foundOf('wasm', SIZES, [
    curve([0.25, 0.5, 0.75, 0.5]),
    curve([0.25, 0.5, 0.5, 0.25]),
  ]);

  test('is the mean reward of the last quarter, and survives the link', () => {
    expect(found.racers[0]).toMatchObject({ reward: 0.5, responses: 32, heldOutPrompts: 64 });
    const { link } = openLink('#/train');
    const written = writeLink({ ...link, view: { ...link.view, found } });
    expect(openLink(written).link.view['found']).toEqual(found);
  });

  test('on one backend, the same curve is the same and any other is not', () => {
    expect(racesAgree(found, found)).toBe(true);
    const other = foundOf('wasm', SIZES, [
      curve([0.25, 0.5, 0.75, 0.5]),
      curve([0.25, 0.53125, 0.5, 0.25]),
    ]);
    expect(compareRaces(found, other)?.map(({ sameCurve }) => sameCurve)).toEqual([true, false]);
    expect(racesAgree(found, other)).toBe(false);
  });

  test('where nothing is right, other responses are other ones all the same', () => {
    const none = (meanLength: number) => [{ reward: 0, meanLength, heldOut: null }];
    const here = foundOf('wasm', SIZES, [none(9)]);
    expect(racesAgree(here, foundOf('wasm', SIZES, [none(9)]))).toBe(true);
    expect(racesAgree(here, foundOf('wasm', SIZES, [none(9.03125)]))).toBe(false);
  });

  test('across backends, shares count as the same within their intervals', () => {
    const near = foundOf('webgpu', SIZES, [
      curve([0.2, 0.5, 0.7, 0.4]),
      curve([0.2, 0.4, 0.5, 0.3]),
    ]);
    expect(racesAgree(found, near)).toBe(true);
    const far = foundOf('webgpu', SIZES, [curve([0.2, 0.5, 0.7, 1]), curve([0.2, 0.4, 0.5, 0.3])]);
    expect(racesAgree(found, far)).toBe(false);
  });

  test('a tampered result is no result', () => {
    const tampered: RaceFound = { ...found, racers: found.racers.slice(1) };
    expect(racesAgree(tampered, found)).toBe(false);
    expect(openLink('#/train?v=1&raced=AAAA').problems.join(' ')).toMatch(/race\.found/);
  });
});
