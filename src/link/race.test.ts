import { describe, expect, test } from 'vitest';
import { openLink, writeLink } from './hash';
import { pageDefaults } from './pages';
import { raceDifferences, trainingOf, viewOf, type RaceFound } from './race';
import { compareRaces, foundOf, racesAgree, type RaceStep } from './race-found';
import { DEFAULT_RACER, DEFAULT_TRAINING } from './training';

const view = pageDefaults('train');

describe('a race in a link', () => {
  test('the defaults of the page are those of the trainer', () => {
    expect(trainingOf(view)).toEqual(DEFAULT_TRAINING);
  });

  test('every setting reaches the trainer', () => {
    const other = {
      ...DEFAULT_TRAINING,
      backend: 'wasm' as const,
      policy: 'other',
      start: 'own-mine-00ff',
      seed: 9,
      steps: 3,
      prompts: 4,
      groupSize: 5,
      minibatches: 2,
      temperature: 0.7,
      minOperators: 2,
      maxOperators: 4,
      maxLength: 50,
      schedule: 'cosine' as const,
      warmupSteps: 1,
      gradientClip: 0.5,
      weightDecay: 0.1,
      kl: 0.05,
      evaluateEvery: 2,
      evaluatePrompts: 8,
      racers: [DEFAULT_RACER.sapo, { ...DEFAULT_RACER.gspo, epsilonLow: 1e-7 }],
    };
    const { run, embed, hide, fingerprint } = openLink('#/train').link;
    const written = writeLink({
      page: 'train',
      run,
      embed,
      hide,
      fingerprint,
      view: { ...view, ...viewOf(other) },
    });
    const { link, problems } = openLink(written);
    expect(problems).toEqual([]);
    expect(trainingOf(link.view as typeof view)).toEqual(other);
    expect(
      raceDifferences(DEFAULT_TRAINING, other)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(viewOf(other)).sort());
  });

  test('what cannot be is refused with a sentence', () => {
    const { problems } = openLink('#/train?v=1&racers=gspo~1~2&steps=99999');
    expect(problems.join(' ')).toMatch(/racers = "gspo~1~2"/);
    expect(problems.join(' ')).toMatch(/steps = "99999".*a whole number from 1 to 2000/);
    expect(trainingOf({ ...view, fewest: 5, most: 2 })).toMatch(/minOperators/);
    expect(trainingOf({ ...view, perStep: 1, group: 2, minibatches: 16 })).toMatch(
      /16 minibatches/,
    );
  });
});

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
    const written = writeLink({ ...link, view: { ...link.view, raced: found } });
    expect(openLink(written).link.view['raced']).toEqual(found);
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
    expect(openLink('#/train?v=1&raced=AAAA').problems.join(' ')).toMatch(/raced/);
  });
});
