import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random, STREAM } from '../math/philox';
import { settingsFromHash, settingsToQuery } from './hash';
import {
  BACKENDS,
  DEFAULT_POLICIES,
  DEFAULT_SETTINGS,
  DEFAULT_SYNTHETIC,
  LENGTH_SHAPES,
  parseRunSettings,
  type RunSettings,
} from './settings';

const whole = (min: number, max: number) => fc.integer({ min, max });
const real = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((x) => Number(x.toFixed(6)) + 0);
const seed = whole(0, 2 ** 31 - 1);

const settings: fc.Arbitrary<RunSettings> = fc.record({
  backend: fc.constantFrom(...BACKENDS),
  source: fc.oneof(
    fc.record({
      kind: fc.constant('policies' as const),
      policy: fc.constantFrom('arithmetic-dense', 'other'),
      old: fc.constantFrom('step-04200', 'a'),
      new: fc.constantFrom('step-04400', 'b'),
      alpha: real(-1, 2),
      prompts: whole(1, 4096),
      groupSize: whole(1, 64),
      minOperators: whole(1, 9),
      maxOperators: fc.constant(9),
      temperature: real(0.05, 4),
      maxLength: whole(1, 224),
      seed,
    }),
    fc.record({
      kind: fc.constant('synthetic' as const),
      prompts: whole(1, 100_000),
      groupSize: whole(1, 1024),
      lengthShape: fc.constantFrom(...LENGTH_SHAPES),
      minLength: whole(1, 2000),
      maxLength: whole(2000, 4096),
      mu: real(-1, 1),
      sigma: real(0, 5),
      rho: real(-0.95, 0.95),
      tau: real(0, 2),
      tailDegrees: fc.oneof(fc.constant(0), real(2.1, 100)),
      drift: real(0.1, 10),
      seed,
    }),
  ),
});

const open = (query: string) => settingsFromHash(`#/equivalence${query}`);

describe('settings in an address', () => {
  test('every setting survives the round trip', () => {
    fc.assert(
      fc.property(settings, (s) => {
        expect(open(settingsToQuery(s))).toEqual({ settings: s, problems: [] });
      }),
      { numRuns: 500 },
    );
  });

  test('only what differs from the defaults is written', () => {
    expect(settingsToQuery(DEFAULT_SETTINGS)).toBe('');
    expect(settingsToQuery({ ...DEFAULT_SETTINGS, backend: 'wasm' })).toBe('?v=1&backend=wasm');
    const source = { ...DEFAULT_POLICIES, alpha: 0.5 };
    expect(settingsToQuery({ ...DEFAULT_SETTINGS, source })).toBe('?v=1&alpha=0.5');
    expect(settingsToQuery({ backend: 'auto', source: DEFAULT_SYNTHETIC })).toBe(
      '?v=1&source=synthetic',
    );
  });

  test.each([
    ['?v=1&alpha=7', /source\.alpha.*"7".*1 is used/],
    ['?v=1&alpha=half', /source\.alpha.*"half"/],
    ['?v=1&prompts=1.5', /source\.prompts/],
    ['?v=1&backend=cuda', /backend.*auto is used/],
    ['?v=1&policy=../../x', /source\.policy/],
    ['?v=1&sigma=0.1', /"sigma" that this lab does not know/],
    ['?v=1&__proto__=1', /"__proto__" that this lab does not know/],
    ['?v=1&source=file', /source "file"/],
    ['?v=2&alpha=0.5', /version "2"/],
    [`?v=1&policy=${'a'.repeat(5000)}`, /longer than/],
  ])('%s is refused with a sentence, and the default stays', (query, sentence) => {
    const opened = open(query);
    expect(opened.settings).toEqual(DEFAULT_SETTINGS);
    expect(opened.problems.join(' ')).toMatch(sentence);
  });

  test('10,000 mutated links: settings always within the schema, no prototype touched', () => {
    const random = new Random(9, STREAM.display);
    const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789=&?%+-._#/"<>{}[]\u0000é';
    const base =
      '#/equivalence?v=1&backend=wasm&source=synthetic&alpha=0.5&prompts=12&sigma=0.3&__proto__=1&constructor=x';
    for (let i = 0; i < 10_000; i++) {
      const characters = [...base];
      for (let edits = 1 + random.integer(6); edits > 0; edits--) {
        const at = random.integer(characters.length);
        const letter = alphabet[random.integer(alphabet.length)] as string;
        characters.splice(at, random.integer(3), ...(random.uniform() < 0.7 ? [letter] : []));
      }
      const { settings: s } = settingsFromHash(characters.join(''));
      expect(parseRunSettings(s)).toEqual(s);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['v']).toBeUndefined();
  });
});
