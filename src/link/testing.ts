/** For tests: any link that the lab can write. */
import * as fc from 'fast-check';
import { makeFingerprint, type Fingerprint } from './fingerprint';
import { HIDEABLE, type Link } from './hash';
import { fieldsOf, PAGE_IDS, type PageId } from './pages';
import { MAX_RACERS } from './race';
import { BACKENDS, LENGTH_SHAPES, MAX_TOKENS, runSize, type RunSettings } from './settings';
import { TRAINING_OBJECTIVES } from './training';

const whole = (min: number, max: number) => fc.integer({ min, max });
/** every double, not only those with few digits */
const real = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((x) => (x === 0 ? 0 : x));
const seed = whole(0, 2 ** 31 - 1);

export const settings: fc.Arbitrary<RunSettings> = fc
  .record({
    backend: fc.constantFrom(...BACKENDS),
    source: fc.oneof(
      fc.record({
        kind: fc.constant('policies' as const),
        policy: fc.constantFrom('arithmetic-dense', 'other'),
        old: fc.constantFrom('gspo-00100', 'a'),
        new: fc.constantFrom('gspo-00101', 'b'),
        alpha: real(-1, 2),
        prompts: whole(1, 4096),
        groupSize: whole(1, 64),
        minOperators: whole(1, 9),
        maxOperators: fc.constant(9),
        temperature: real(0.05, 4),
        maxLength: whole(1, 180),
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
  })
  .filter((s) => runSize(s).tokens <= MAX_TOKENS);

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
const share = fc.float({ min: 0, max: 1, noNaN: true }).map((x) => (x === 0 ? 0 : x));

/** Fields of the Train page whose words do not say it all. */
const RACE_VALUES = {
  trained: name,
  from: name,
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
          responses: whole(0, 1e6),
          heldOut: share,
          heldOutPrompts: whole(0, 2000),
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
      const number =
        range[1] === 'a number' ? real(low, high) : whole(low, Math.min(high, 2 ** 31));
      values[name] = field.may.endsWith('or none') ? fc.option(number) : number;
    } else if (field.may.startsWith('a name of')) {
      values[name] = fc.constantFrom('all', 'near', 'other-gspo');
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
