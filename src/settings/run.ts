/**
 * The settings of a run: what the setup panel edits, what a link carries, what the engine obeys. Contract:
 * nothing reaches the engine that has not passed `parseRunSettings`; each setting, its bounds and its
 * default are declared here and nowhere else.
 */
import * as v from 'valibot';
import { ARITHMETICS } from '../math/arithmetic';
import { DTYPES, modelRefSchema, type ModelRef } from '../model-ref';
import { MOST_PROMPT_TEXT, readPrompts } from './prompts';
import {
  absent,
  checkOrder,
  choice,
  defaultsOf,
  differencesOf,
  flag,
  name,
  parseSettings,
  real,
  realOrZero,
  SettingsError,
  settingsOf,
  text,
  whole,
  type Words,
} from './setting';

export { SettingsError };

export const BACKENDS = ['auto', 'webgpu', 'wasm'] as const;
export type BackendChoice = (typeof BACKENDS)[number];

export const backend = (words: Partial<Words> = {}) =>
  choice(BACKENDS, 'auto', {
    label: 'Backend',
    hint: 'automatic: WebGPU on a real adapter, else WebAssembly',
    names: { auto: 'automatic', webgpu: 'WebGPU', wasm: 'WebAssembly' },
    ...words,
  });

export const seed = (words: Partial<Words> = {}) =>
  whole(0, 2 ** 32 - 1, 1, { label: 'Seed', hint: 'same seed, same run', ...words });

const groupSize = (most: number, usual: number, words: Partial<Words> = {}) =>
  whole(1, most, usual, {
    label: 'Group size',
    symbol: 'G',
    hint: 'responses per prompt',
    ...words,
  });

const topP = () =>
  absent(
    real(0.05, 1, 1, {
      label: 'Top-p',
      hint: 'the sampler draws from the likeliest tokens that have this share together; 1: from all',
      slider: 'linear',
    }),
    1,
  );

export const policiesSourceSchema = v.strictObject({
  kind: v.literal('policies'),
  policy: name('policy', 'arithmetic-dense', { label: 'Policy', heading: 'Policies' }),
  old: name('checkpoint', 'gspo-00100', {
    label: 'Old policy',
    symbol: 'π_old',
    hint: 'samples the responses',
  }),
  new: name('checkpoint', 'gspo-00101', {
    label: 'New policy',
    symbol: 'π_θ',
    hint: 'scores them again',
  }),
  alpha: real(-1, 2, 1, {
    label: 'Distance',
    symbol: 'α',
    hint: 'θ = θ_old + α (θ_new − θ_old): 0 is the old policy, 1 the new one',
    slider: 'linear',
  }),
  prompts: whole(1, 4096, 1024, {
    label: 'Prompts',
    hint: 'held-out arithmetic problems; at most so many',
    heading: 'Rollouts',
    was: { 2: 64 },
  }),
  groupSize: groupSize(64, 4, { was: { 2: 8 } }),
  budget: absent(
    realOrZero(1, 3600, 'none', 40, {
      label: 'Time',
      unit: 's',
      hint: 'most seconds; a run rests earlier where the page’s claims are decided; 0: every prompt',
      was: { 2: 0 },
    }),
    0,
  ),
  minOperators: whole(1, 9, 1, {
    label: 'Fewest operators',
    hint: 'of + − × in a prompt; more operators, longer responses',
  }),
  maxOperators: whole(1, 9, 9, {
    label: 'Most operators',
    hint: 'of + − × in a prompt',
    atLeast: 'minOperators',
  }),
  temperature: real(0.05, 4, 1, {
    label: 'Temperature',
    hint: 'of the sampler; log-probs are always those of temperature 1',
  }),
  topP: topP(),
  sampler: absent(
    choice(ARITHMETICS, 'fp32', {
      label: 'Sampler',
      alone: 'Sampler’s arithmetic',
      hint: 'weights of the engine that samples, rounded from those of the old policy',
      names: {
        fp32: '32-bit, as the trainer',
        fp16: '16-bit',
        int8: '8-bit, per column',
        int4: '4-bit, blocks of 32',
        'int4-zero': '4-bit, with zero points',
      },
    }),
    'fp32',
  ),
  maxLength: whole(1, 224, 180, {
    label: 'Longest response',
    unit: 'tokens',
    hint: 'tokens; longer ones are cut and marked as cut',
  }),
  seed: seed(),
});

export const LENGTH_SHAPES = ['fixed', 'uniform', 'geometric', 'log-normal'] as const;

export const syntheticSourceSchema = v.strictObject({
  kind: v.literal('synthetic'),
  prompts: whole(1, 100_000, 500, {
    label: 'Prompts',
    hint: 'groups',
    slider: 'log',
    heading: 'Responses',
  }),
  groupSize: groupSize(1024, 8, { slider: 'log' }),
  lengthShape: choice(LENGTH_SHAPES, 'log-normal', {
    label: 'Lengths',
    alone: 'Length shape',
    hint: 'distribution of response lengths',
  }),
  minLength: whole(1, 4096, 4, {
    label: 'Shortest',
    unit: 'tokens',
    hint: 'tokens',
    slider: 'log',
  }),
  maxLength: whole(1, 4096, 256, {
    label: 'Longest',
    unit: 'tokens',
    hint: 'tokens',
    slider: 'log',
    atLeast: 'minLength',
  }),
  mu: real(-1, 1, 0, {
    label: 'Mean log-ratio',
    symbol: 'μ',
    unit: 'nats',
    hint: 'of one token, nats',
    slider: 'square',
    heading: 'Log-ratios',
  }),
  sigma: real(0, 5, 0.1, {
    label: 'Token noise',
    symbol: 'σ',
    unit: 'nats',
    hint: 'standard deviation of the log-ratio within a response, nats',
    slider: 'square',
  }),
  rho: real(-0.95, 0.95, 0, {
    label: 'Neighbour correlation',
    symbol: 'ρ',
    hint: 'AR(1) correlation of neighbouring tokens; 0 is independent',
    slider: 'linear',
  }),
  tau: real(0, 2, 0, {
    label: 'Prompt effect',
    symbol: 'τ',
    unit: 'nats',
    hint: 'standard deviation of each prompt’s own shift, nats',
    slider: 'square',
  }),
  tailDegrees: realOrZero(2.1, 100, 'normal', 0, {
    label: 'Tail degrees',
    symbol: 'ν',
    hint: 'of Student’s t; 0 is normal, small is heavy-tailed',
    slider: 'log',
  }),
  drift: real(0.1, 10, 1, {
    label: 'Drift',
    hint: 'noise at the end of the longest response over noise at its start, log-linear in between',
    slider: 'log',
  }),
  seed: seed(),
});

const modelRef = (fallback: ModelRef, words: Words) =>
  text(
    modelRefSchema,
    {
      may: 'hub:OWNER/NAME@COMMIT, folder:NAME or server:https://HOST/PATH, #FILE.safetensors behind it for a checkpoint',
      parse: (said) => said,
      write: (ref) => ref,
    },
    fallback,
    words,
  );

const dtype = (fallback: (typeof DTYPES)[number], words: Words) => choice(DTYPES, fallback, words);

const words = (most: number, fallback: string, told: Words) =>
  text(
    v.pipe(v.string(), v.maxLength(most)),
    { may: `a text of at most ${most} characters`, parse: (said) => said, write: (said) => said },
    fallback,
    told,
  );

export const PROMPT_SOURCES = ['texts', 'arithmetic', 'maze'] as const;
export const VERIFIERS = ['none', 'regexp', 'last-number'] as const;

const DEFAULT_MODEL = 'hub:HuggingFaceTB/SmolLM2-135M-Instruct';

/** Beginnings that any language model goes on with. */
const DEFAULT_TEXTS = [
  'Once upon a time, there was a little girl',
  'The old man walked down to the sea',
  'In the morning, the dog',
  'One day, a bird found',
  'The teacher asked the class',
  'It was a cold night, and',
  'My favourite food is',
  'The king had three sons. The first',
  'Tom and Lily went to the park',
  'There was a big tree in the garden',
  'The train left the station',
  'She opened the box and saw',
  'A cat and a mouse were',
  'After the rain, the children',
  'The little boat sailed',
  'Long ago, in a small village',
  'The sun',
  'Once',
  'Mum said that',
  'A frog',
  'He was sad because',
  'The rabbit and the fox met in the wood. The fox said',
  'Lucy wanted to bake a cake for her friend. She took flour, eggs and milk, and then',
  'The river had frozen in the night, so the boys took their sledges and ran down the hill. At the bottom',
  'Grandfather had a clock that had not worked for twenty years. One evening',
  'Anna lost her red ball. She looked under the bed, behind the door and in the garden. In the end',
  'The baker gets up at three in the morning, while everyone else is asleep. First he',
  'A farmer had two horses. One was young and strong, the other',
  'It was the last day of school. All the children',
  'The moon looked down and',
  '“Where are we going?” asked Ben.',
  'The bear was hungry. He went to the bees and',
  'In the middle of the forest stood a house that nobody had ever entered. One day a girl knocked at its door, and',
  'Two friends built a kite out of paper and string, but the wind',
  'The snow was so deep that',
  'When the lights went out, Sam',
  'A small fish lived in a big lake. Every day',
  'The doctor looked at the boy and smiled. “You only need',
  'There once was a queen who could not laugh. Many people came to her castle and tried, but',
  'Every Sunday',
].join('\n');

/** Models of other people, as they stand on a hub (`policy/foreign`). */
export const modelsSourceSchema = v.strictObject({
  kind: v.literal('models'),
  old: modelRef(DEFAULT_MODEL, {
    label: 'Old model',
    symbol: 'π_old',
    hint: 'samples the responses',
    heading: 'Models',
  }),
  oldDtype: dtype('fp32', { label: 'Weights', alone: 'Old model’s weights' }),
  new: modelRef(DEFAULT_MODEL, {
    label: 'New model',
    symbol: 'π_θ',
    hint: 'scores them again; it has the same tokenizer',
  }),
  newDtype: dtype('q4', { label: 'Weights', alone: 'New model’s weights' }),
  prompts: whole(1, 4096, 256, {
    label: 'Prompts',
    hint: 'at most so many; from the first on',
    heading: 'Prompts',
  }),
  task: choice(PROMPT_SOURCES, 'texts', {
    label: 'From',
    alone: 'Prompts from',
    names: { texts: 'own texts', arithmetic: 'arithmetic', maze: 'maze' },
  }),
  texts: text(
    v.pipe(
      v.string(),
      v.maxLength(MOST_PROMPT_TEXT),
      v.check((said) => readPrompts(said) !== null, 'a line is no prompt'),
    ),
    {
      may: 'one prompt a line, or JSON lines with "prompt" and "answer"',
      parse: (said) => said,
      write: (said) => said,
    },
    DEFAULT_TEXTS,
    {
      label: 'Texts',
      hint: 'one prompt a line, or JSON lines with "prompt" and "answer"',
      rows: 6,
    },
  ),
  minOperators: whole(1, 9, 1, {
    label: 'Easiest',
    hint: 'of a task: operators, side of the maze',
  }),
  maxOperators: whole(1, 9, 3, {
    label: 'Hardest',
    hint: 'of a task: operators, side of the maze',
    atLeast: 'minOperators',
  }),
  chat: flag(false, { label: 'Chat template', hint: 'the prompt as a user’s message' }),
  system: words(2000, '', {
    label: 'System prompt',
    hint: 'with the chat template only',
    rows: 3,
  }),
  verifier: choice(VERIFIERS, 'none', {
    label: 'Reward',
    hint: '1 where the response is right',
    names: { none: 'none', regexp: 'matches a pattern', 'last-number': 'last number is right' },
  }),
  pattern: words(200, '', { label: 'Pattern', hint: 'a regular expression without look-around' }),
  groupSize: groupSize(64, 8, { heading: 'Rollouts' }),
  budget: realOrZero(1, 3600, 'none', 120, {
    label: 'Time',
    unit: 's',
    hint: 'most seconds; 0: every prompt',
  }),
  temperature: real(0.05, 4, 1, {
    label: 'Temperature',
    hint: 'of the sampler; log-probs are always those of temperature 1',
  }),
  topP: topP(),
  promptBudget: whole(1, 8192, 256, {
    label: 'Longest prompt',
    unit: 'tokens',
    hint: 'tokens; of longer ones the end is kept',
  }),
  maxLength: whole(1, 2048, 48, {
    label: 'Longest response',
    unit: 'tokens',
    hint: 'tokens; longer ones are cut and marked as cut',
  }),
  seed: seed(),
});

export const runSettingsSchema = v.strictObject({
  backend: backend({ heading: 'Machine' }),
  source: v.variant('kind', [policiesSourceSchema, syntheticSourceSchema, modelsSourceSchema]),
});

export type PoliciesSource = v.InferOutput<typeof policiesSourceSchema>;
export type SyntheticSource = v.InferOutput<typeof syntheticSourceSchema>;
export type ModelsSource = v.InferOutput<typeof modelsSourceSchema>;
export type RunSettings = v.InferOutput<typeof runSettingsSchema>;
export type SourceKind = RunSettings['source']['kind'];

export const SOURCES = {
  policies: policiesSourceSchema,
  synthetic: syntheticSourceSchema,
  models: modelsSourceSchema,
} as const satisfies Record<SourceKind, unknown>;

export const DEFAULT_POLICIES: PoliciesSource = defaultsOf(policiesSourceSchema);
export const DEFAULT_SYNTHETIC: SyntheticSource = defaultsOf(syntheticSourceSchema);
export const DEFAULT_MODELS: ModelsSource = defaultsOf(modelsSourceSchema);
export const DEFAULT_SETTINGS: RunSettings = { backend: 'auto', source: DEFAULT_POLICIES };

/**
 * Most response tokens that a run may have, counted at their longest: what a tab can hold. Each takes
 * about 30 bytes with its log-probs, entropies and kernels' copies.
 */
export const MAX_TOKENS = 50_000_000;

export interface RunSize {
  responses: number;
  /** at their longest */
  tokens: number;
}

/** Prompts that a run will have: texts of a person's own may be fewer than are asked for. */
export function plannedPrompts(source: RunSettings['source']): number {
  if (source.kind !== 'models' || source.task !== 'texts') return source.prompts;
  return Math.max(1, Math.min(source.prompts, readPrompts(source.texts)?.length ?? 0));
}

export function runSize({ source }: RunSettings): RunSize {
  const responses = plannedPrompts(source) * source.groupSize;
  return { responses, tokens: responses * source.maxLength };
}

/** @throws SettingsError naming the setting and what it may be */
export function parseRunSettings(input: unknown): RunSettings {
  const settings = parseSettings(runSettingsSchema, input, 'Setting');
  checkOrder(SOURCES[settings.source.kind], settings.source, 'Setting');
  const { tokens } = runSize(settings);
  if (tokens > MAX_TOKENS) {
    throw new SettingsError(
      `Prompts × group size × longest response is ${tokens.toLocaleString('en-US')} tokens; ` +
        `at most ${MAX_TOKENS.toLocaleString('en-US')} fit into a tab.`,
    );
  }
  return settings;
}

export interface RunDifference {
  /** "α", "seed" */
  name: string;
  before: string;
  after: string;
}

/** What would change: "α 1 → 0.5". Sources of different kinds differ in their kind only. */
export function runDifferences(before: RunSettings, after: RunSettings): RunDifference[] {
  const machine = differencesOf(runSettingsSchema, before, after);
  const { kind } = before.source;
  const source =
    kind === after.source.kind ? differencesOf(SOURCES[kind], before.source, after.source) : [];
  const found = [...machine, ...source].map(({ setting, ...values }) => ({
    name: setting.symbol ?? (setting.alone ?? setting.label).toLowerCase(),
    ...values,
  }));
  return kind === after.source.kind
    ? found
    : [...found, { name: 'source', before: kind, after: after.source.kind }];
}

export const runSettings = (kind: SourceKind) => [
  ...settingsOf(runSettingsSchema).values(),
  ...settingsOf(SOURCES[kind]).values(),
];

/**
 * The name and the hash in the id of a person's own checkpoint, `own-NAME-HASH`; null for any other id. A file of this name that has this
 * hash gets this id.
 */
export function readOwnId(id: string): { name: string; hash: string } | null {
  const [, name, hash] = /^own-(?:([a-z0-9-]+)-)?([0-9a-f]{8})$/.exec(id) ?? [];
  return hash === undefined ? null : { name: `${name ?? ''}.safetensors`, hash };
}
