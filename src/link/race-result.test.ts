import { describe, expect, test } from 'vitest';
import { openLink, writeLink } from './link';
import {
  compareRaces,
  comparisonOf,
  raceResultOf,
  racesAgree,
  type RaceResult,
  type RaceStep,
} from './race-result';

const CLAIMS = 0xfedcba98;
const SIZES = { prompts: 4, groupSize: 8 };
const curve = (rewards: number[]): RaceStep[] =>
  rewards.map((reward, i) => ({
    reward,
    meanLength: 12,
    heldOut: i + 1 < rewards.length ? null : { correct: 30, prompts: 64 },
  }));

describe('result of a race', () => {
  const result = raceResultOf('wasm', CLAIMS, SIZES, [
    curve([0.25, 0.5, 0.75, 0.5]),
    curve([0.25, 0.5, 0.5, 0.25]),
  ]);

  test('is the mean reward of the last quarter, and survives the link', () => {
    expect(result.racers[0]).toMatchObject({ reward: 0.5, responses: 32, heldOutPrompts: 64 });
    const { link } = openLink('#/train');
    const written = writeLink({ ...link, view: { ...link.view, found: result } });
    expect(openLink(written).link.view['found']).toEqual(result);
  });

  test('says by which claims it was judged, and opens where it does not', () => {
    const { link } = openLink('#/train');
    const old = { ...result, claims: null };
    const opened = openLink(writeLink({ ...link, view: { ...link.view, found: old } }));
    expect(opened.link.view['found']).toEqual(old);
    expect(opened.problems).toEqual([]);
    expect(comparisonOf(result, result).otherClaims).toBeNull();
    for (const claims of [null, CLAIMS - 1]) {
      const { same, otherClaims } = comparisonOf({ ...result, claims }, result);
      expect(same).toBe(true);
      expect(otherClaims).toMatch(/compared all the same/);
    }
  });

  test('on one backend, the same curve is the same and any other is not', () => {
    expect(racesAgree(result, result)).toBe(true);
    const other = raceResultOf('wasm', CLAIMS, SIZES, [
      curve([0.25, 0.5, 0.75, 0.5]),
      curve([0.25, 0.53125, 0.5, 0.25]),
    ]);
    expect(compareRaces(result, other)?.map(({ sameCurve }) => sameCurve)).toEqual([true, false]);
    expect(racesAgree(result, other)).toBe(false);
  });

  test('where nothing is right, other responses are other ones all the same', () => {
    const none = (meanLength: number) => [{ reward: 0, meanLength, heldOut: null }];
    const here = raceResultOf('wasm', CLAIMS, SIZES, [none(9)]);
    expect(racesAgree(here, raceResultOf('wasm', CLAIMS, SIZES, [none(9)]))).toBe(true);
    expect(racesAgree(here, raceResultOf('wasm', CLAIMS, SIZES, [none(9.03125)]))).toBe(false);
  });

  test('across backends, shares count as the same within their intervals', () => {
    const near = raceResultOf('webgpu', CLAIMS, SIZES, [
      curve([0.2, 0.5, 0.7, 0.4]),
      curve([0.2, 0.4, 0.5, 0.3]),
    ]);
    expect(racesAgree(result, near)).toBe(true);
    const far = raceResultOf('webgpu', CLAIMS, SIZES, [
      curve([0.2, 0.5, 0.7, 1]),
      curve([0.2, 0.4, 0.5, 0.3]),
    ]);
    expect(racesAgree(result, far)).toBe(false);
  });

  test('a tampered result is no result', () => {
    const tampered: RaceResult = { ...result, racers: result.racers.slice(1) };
    expect(racesAgree(tampered, result)).toBe(false);
    expect(openLink('#/train?v=1&raced=AAAA').problems.join(' ')).toMatch(/race\.found/);
  });
});
