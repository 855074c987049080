/**
 * For tests: any link that the lab can write, and links as nobody meant them, the same ones for the same seed
 * on every machine.
 */
import * as fc from 'fast-check';
import { MAX_TOKENS, runSettingsSchema, SOURCES, type RunSettings } from '../settings/run';
import { outOfOrder, settingsOf, type Declarations, type Setting } from '../settings/setting';
import { makeFingerprint, type Fingerprint } from './fingerprint';
import { atSeat, HIDEABLE, LANGUAGES, writeLink, type Link } from './link';
import { MOST_SEATS } from './seat';
import { PAGE_IDS, PAGE_SETTINGS, type PageId } from './pages';
import { MAX_RACERS } from '../settings/training';
import type { RaceResult } from './race-result';

const whole = (min: number, max: number) => fc.integer({ min, max });
/** every double, not only those with few digits */
const real = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((x) => (x === 0 ? 0 : x));
const share = fc.float({ min: 0, max: 1, noNaN: true }).map((x) => (x === 0 ? 0 : x));

const raceResult: fc.Arbitrary<RaceResult | null> = fc.option(
  fc.record({
    backend: fc.constantFrom('webgpu' as const, 'wasm' as const),
    claims: fc.option(whole(0, 2 ** 32 - 1)),
    racers: fc.array(
      fc.record({
        hash: whole(0, 2 ** 32 - 1),
        reward: share,
        responses: whole(0, Number.MAX_SAFE_INTEGER),
        heldOut: share,
        heldOutPrompts: whole(0, Number.MAX_SAFE_INTEGER),
      }),
      { minLength: 1, maxLength: MAX_RACERS },
    ),
  }),
);

const packed = fc.oneof(fc.constant(''), fc.stringMatching(/^[A-Za-z0-9_-]{8,400}$/));

/** Any value of a setting, by what its declaration says. */
function anyValue({ key, shape }: Setting): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'number': {
      const { low, high, zero, none } = shape;
      const number = shape.whole ? whole(low, high) : real(low, high);
      return fc.oneof(
        number,
        ...(zero === undefined ? [] : [fc.constant(0)]),
        ...(none ? [fc.constant(null)] : []),
      );
    }
    case 'choice':
      return fc.constantFrom(...shape.options);
    case 'subset':
      return fc.subarray([...shape.options], { minLength: 1 });
    case 'flag':
      return fc.boolean();
    case 'name':
      return fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/);
    case 'list':
      return fc.array(anyValues(shape.item), { minLength: shape.least, maxLength: shape.most });
    case 'text':
      // A lesson is as it was packed: letters of base64url, or none.
      return key === 'lesson' ? packed : raceResult;
  }
}

/** Any values of an object of settings, lower ends below upper ones. */
export function anyValues(schema: Declarations): fc.Arbitrary<Record<string, unknown>> {
  const arbitraries = [...settingsOf(schema).values()].map((one) => [one.key, anyValue(one)]);
  const values = Object.fromEntries(arbitraries) as Record<string, fc.Arbitrary<unknown>>;
  return fc.record(values).map((drawn) => {
    const wrong = outOfOrder(schema, drawn);
    if (wrong === null) return drawn;
    const [low, high] = [wrong.low.key, wrong.high.key];
    return { ...drawn, [low]: drawn[high], [high]: drawn[low] };
  });
}

export const viewOf = (page: PageId) => anyValues(PAGE_SETTINGS[page]);

const source = (['policies', 'synthetic'] as const).map((kind) =>
  anyValues(SOURCES[kind]).map((values) => {
    const drawn = { kind, ...values } as RunSettings['source'];
    // as many prompts as fit into a tab
    const most = Math.floor(MAX_TOKENS / (drawn.groupSize * drawn.maxLength));
    return { ...drawn, prompts: Math.min(drawn.prompts, most) };
  }),
);

export const settings = fc
  .tuple(
    anyValues({ entries: { backend: runSettingsSchema.entries.backend } }),
    fc.oneof(...source),
  )
  .map(([machine, drawn]) => ({ ...machine, source: drawn }) as RunSettings);

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x));
const fingerprint: fc.Arbitrary<Fingerprint> = fc
  .record({
    lengths: fc.array(whole(1, 5), { minLength: 1, maxLength: 40 }),
    figures: fc.array(fc.record({ id: fc.string(), value: fc.option(float32) }), { maxLength: 8 }),
    synthetic: fc.boolean(),
  })
  .map(({ lengths, figures, synthetic }) => {
    const offsets = new Uint32Array(lengths.length + 1);
    lengths.forEach((length, i) => {
      offsets[i + 1] = (offsets[i] as number) + length;
    });
    const tokens = offsets.at(-1) as number;
    const rollouts = {
      offsets,
      tokenIds: new Int32Array(tokens).fill(synthetic ? -1 : 3),
      logpOld: new Float32Array(tokens).fill(-1),
      logpNew: new Float32Array(tokens).map((_, t) => -1 - t / 100),
    };
    const files = synthetic
      ? null
      : { onnx: 'ffffffff', old: '00000001', new: 'abcdef01', config: '0a', tokenizer: 'fe' };
    return makeFingerprint(
      rollouts,
      files,
      figures.map((figure) => ({ ...figure, label: '', tolerance: 0 })),
      0xffffffff,
    );
  });

export const links: fc.Arbitrary<Link> = fc
  .constantFrom(...PAGE_IDS)
  .chain((page) =>
    fc.record({
      page: fc.constant(page),
      run: settings,
      view: viewOf(page),
      embed: fc.boolean(),
      hide: fc.subarray([...HIDEABLE]),
      figure: fc.stringMatching(/^[a-z0-9-]{0,20}$/),
      lang: fc.constantFrom<Link['lang']>('own', ...LANGUAGES),
      seat: fc.constant(null),
      fingerprint: fc.option(fingerprint),
    }),
  )
  .chain((link) =>
    fc.option(whole(1, MOST_SEATS)).map((seat) => (seat === null ? link : atSeat(link, seat))),
  );

/** Small, fast, seeded: which characters a mutation touches must not depend on the machine. */
function generator(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789=&?%+-._#/"<>{}[],\u0000é\ud800';

export function* mutatedLinks(count: number, seed: number): Generator<string> {
  const random = generator(seed);
  const bases = [
    '#/equivalence?v=2&backend=wasm&source=synthetic&alpha=0.5&prompts=12&sigma=0.3&__proto__=1&constructor=x',
    '#/gradient?v=2&objectives=gspo,grpo&library=verl&against=entropy&hide=setup,words&embed=1',
    '#/train?v=1&on=wasm&steps=3&racers=gspo~0.1~0.2~0.001,grpo~1~1~0&heat=0.5&raced=none',
    '#/objectives?v=2&epsLow=3e-4&epsHigh=none&toString=1&hasOwnProperty=2',
    ...fc.sample(links, { numRuns: 40, seed: 11 }).map((link) => writeLink(link)),
  ];
  for (let i = 0; i < count; i++) {
    const characters = [...(bases[i % bases.length] as string)];
    for (let edits = 1 + random(8); edits > 0; edits--) {
      const at = random(characters.length);
      const letter = ALPHABET[random(ALPHABET.length)] as string;
      if (random(12) === 0) {
        // a piece of the link repeated elsewhere
        characters.splice(at, 0, ...characters.slice(random(at + 1), at));
      } else characters.splice(at, random(3), ...(random(10) < 7 ? [letter] : []));
    }
    yield characters.join('');
  }
}
