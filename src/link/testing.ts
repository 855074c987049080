/** For tests: any link that the lab can write. */
import * as fc from 'fast-check';
import { makeFingerprint, type Fingerprint } from './fingerprint';
import { HIDEABLE, type Link } from './hash';
import { fieldsOf, PAGE_IDS, type PageId } from './pages';
import { MAX_RACERS } from './race';
import { BACKENDS, LENGTH_SHAPES, MAX_TOKENS, type RunSettings } from './settings';
import { TRAINING_OBJECTIVES } from './training';

const whole = (min: number, max: number) => fc.integer({ min, max });
/** every double, not only those with few digits */
const real = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((x) => (x === 0 ? 0 : x));
const seed = whole(0, 2 ** 32 - 1);
/** any name that a shipped file may have */
const shipped = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/);
/** two numbers of a range, the lower one first */
const ordered = (min: number, max: number) =>
  fc.tuple(whole(min, max), whole(min, max)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);

/** Prompts for that many tokens each, as many as a run may have. */
const prompts = (most: number, tokensEach: number) =>
  whole(1, Math.min(most, Math.floor(MAX_TOKENS / tokensEach)));

const policies = fc.tuple(whole(1, 64), whole(1, 224)).chain(([groupSize, maxLength]) =>
  fc
    .record({
      kind: fc.constant('policies' as const),
      policy: shipped,
      old: shipped,
      new: shipped,
      alpha: real(-1, 2),
      prompts: prompts(4096, groupSize * maxLength),
      groupSize: fc.constant(groupSize),
      operators: ordered(1, 9),
      temperature: real(0.05, 4),
      maxLength: fc.constant(maxLength),
      seed,
    })
    .map(({ operators: [minOperators, maxOperators], ...rest }) => ({
      ...rest,
      minOperators: minOperators as number,
      maxOperators: maxOperators as number,
    })),
);

const synthetic = fc
  .tuple(whole(1, 1024), ordered(1, 4096))
  .chain(([groupSize, [minLength, maxLength]]) =>
    fc.record({
      kind: fc.constant('synthetic' as const),
      prompts: prompts(100_000, groupSize * (maxLength as number)),
      groupSize: fc.constant(groupSize),
      lengthShape: fc.constantFrom(...LENGTH_SHAPES),
      minLength: fc.constant(minLength as number),
      maxLength: fc.constant(maxLength as number),
      mu: real(-1, 1),
      sigma: real(0, 5),
      rho: real(-0.95, 0.95),
      tau: real(0, 2),
      tailDegrees: fc.oneof(fc.constant(0), real(2.1, 100)),
      drift: real(0.1, 10),
      seed,
    }),
  );

export const settings: fc.Arbitrary<RunSettings> = fc.record({
  backend: fc.constantFrom(...BACKENDS),
  source: fc.oneof(policies, synthetic),
});

/** any name that a link may hold, of a pair or of a person's own checkpoint */
const anyName = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,127}$/);
const share = fc.float({ min: 0, max: 1, noNaN: true }).map((x) => (x === 0 ? 0 : x));

/** Fields of the Train page whose words do not say it all. */
const RACE_VALUES = {
  trained: anyName,
  from: anyName,
  racers: fc.array(
    fc.record({
      objective: fc.constantFrom(...TRAINING_OBJECTIVES),
      epsilonLow: real(0, 1),
      epsilonHigh: real(0, 5),
      learningRate: real(0, 0.01),
    }),
    { minLength: 1, maxLength: MAX_RACERS },
  ),
  raced: fc.option(
    fc.record({
      backend: fc.constantFrom('webgpu' as const, 'wasm' as const),
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
  ),
};

/** Values of every field of a page, by what the field says of itself. */
export function viewOf(page: PageId): fc.Arbitrary<Record<string, unknown>> {
  const values: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of fieldsOf(page)) {
    if (page === 'train' && Object.hasOwn(RACE_VALUES, name)) {
      values[name] = RACE_VALUES[name as keyof typeof RACE_VALUES];
      continue;
    }
    const range = /(a whole number|a number) from (\S+) to (\d+)/.exec(field.may);
    const words = field.may.replace(/^a list of |, with commas between$/g, '').split(/, | or /);
    if (range) {
      const [low, high] = [Number(range[2]), Number(range[3])];
      const number = range[1] === 'a number' ? real(low, high) : whole(low, high);
      values[name] = field.may.endsWith('or none') ? fc.option(number) : number;
    } else if (field.may.startsWith('a name of')) {
      values[name] = anyName;
    } else if (Array.isArray(field.fallback)) {
      values[name] = fc.subarray(words, { minLength: 1 });
    } else {
      values[name] = fc
        .constantFrom(...(typeof field.fallback === 'boolean' ? ['1', '0'] : words))
        .map((word) => field.read(word));
    }
  }
  return fc.record(values);
}

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
    const files = synthetic ? null : { onnx: 'ffffffff', old: '00000001', new: 'abcdef01' };
    return makeFingerprint(
      rollouts,
      files,
      figures.map((figure) => ({ ...figure, label: '', tolerance: 0 })),
    );
  });

export const links: fc.Arbitrary<Link> = fc.constantFrom(...PAGE_IDS).chain((page) =>
  fc.record({
    page: fc.constant(page),
    run: settings,
    view: viewOf(page),
    embed: fc.boolean(),
    hide: fc.subarray([...HIDEABLE]),
    fingerprint: fc.option(fingerprint),
  }),
);
