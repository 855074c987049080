/**
 * The Train page's choices as a link holds them, and what a finished race found. Contract: a link's texts
 * become `TrainingSettings` that have passed `parseTraining`, or a sentence; nothing else reaches the
 * trainer.
 *
 * Racers are written `OBJECTIVE~EPSILON_LOW~EPSILON_HIGH~LEARNING_RATE`, with commas between them.
 */
import * as v from 'valibot';
import { ByteReader, ByteWriter, fromBase64Url, toBase64Url } from './bytes';
import { choice, custom, name, numberOf, real, whole, type Field } from './fields';
import { BACKENDS, SettingsError } from './settings';
import {
  DEFAULT_TRAINING,
  parseTraining,
  racerSchema,
  SCHEDULES,
  TRAINING_OBJECTIVES,
  type RacerSettings,
  type TrainingSettings,
} from './training';

export const MAX_RACERS = 4;

const racersSchema = v.pipe(v.array(racerSchema), v.minLength(1), v.maxLength(MAX_RACERS));

function readRacers(text: string): unknown {
  return text.split(',').map((part) => {
    const [objective, low, high, rate, ...more] = part.split('~');
    if (more.length > 0) return null;
    const [epsilonLow, epsilonHigh, learningRate] = [low, high, rate].map((n) => numberOf(n ?? ''));
    return { objective, epsilonLow, epsilonHigh, learningRate };
  });
}

const writeRacers = (racers: readonly RacerSettings[]) =>
  racers
    .map(({ objective, epsilonLow, epsilonHigh, learningRate }) =>
      [objective, epsilonLow, epsilonHigh, learningRate].join('~'),
    )
    .join(',');

/** What a finished race came to, racer by racer: enough to see whether a repetition agrees. */
export interface RaceFound {
  /** one training thread's arithmetic is exact; another backend's rounds differently */
  backend: 'webgpu' | 'wasm';
  racers: {
    /** rewards of every step, as a hash: the same hash, the same curve */
    hash: number;
    /** mean reward over the last quarter of the steps, and of how many responses */
    reward: number;
    responses: number;
    /** of the last evaluation; 0 prompts: there was none */
    heldOut: number;
    heldOutPrompts: number;
  }[];
}

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const amount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const foundSchema = v.nullable(
  v.strictObject({
    backend: v.picklist(['webgpu', 'wasm']),
    racers: v.pipe(
      v.array(
        v.strictObject({
          hash: amount,
          reward: share,
          responses: amount,
          heldOut: share,
          heldOutPrompts: amount,
        }),
      ),
      v.minLength(1),
      v.maxLength(MAX_RACERS),
    ),
  }),
);

/** 2: lengths count beside rewards. Of version 1 the settings open, and what was found is named as unreadable. */
const FOUND_VERSION = 2;

function writeFound(found: RaceFound | null): string {
  if (found === null) return 'none';
  const out = new ByteWriter();
  out.byte(FOUND_VERSION);
  out.byte(found.backend === 'webgpu' ? 1 : 0);
  for (const racer of found.racers) {
    out.word(racer.hash);
    out.float32(racer.reward);
    out.count(racer.responses);
    out.float32(racer.heldOut);
    out.count(racer.heldOutPrompts);
  }
  return toBase64Url(out.done());
}

function readFound(text: string): unknown {
  if (text === 'none') return null;
  const bytes = text.length > 200 ? null : fromBase64Url(text);
  if (bytes === null) return undefined;
  try {
    const from = new ByteReader(bytes);
    if (from.byte() !== FOUND_VERSION) return undefined;
    const flag = from.byte();
    if (flag > 1) return undefined;
    const racers: RaceFound['racers'] = [];
    while (from.left > 0) {
      racers.push({
        hash: from.word(),
        reward: from.float32(),
        responses: from.count(),
        heldOut: from.float32(),
        heldOutPrompts: from.count(),
      });
    }
    return { backend: flag === 1 ? 'webgpu' : 'wasm', racers };
  } catch {
    return undefined;
  }
}

const D = DEFAULT_TRAINING;

/** Names differ from every setting of a run: a link may hold both. */
export const RACE_FIELDS = {
  /** a race has a backend of its own */
  on: choice(BACKENDS, D.backend),
  trained: name(D.policy),
  from: name(D.start),
  racers: custom<readonly RacerSettings[]>(
    D.racers,
    racersSchema,
    `1 to ${MAX_RACERS} of OBJECTIVE~LOW~HIGH~RATE with commas between, OBJECTIVE one of ` +
      TRAINING_OBJECTIVES.join(', '),
    readRacers,
    writeRacers,
  ),
  steps: whole(1, 2000, D.steps),
  perStep: whole(1, 64, D.prompts),
  group: whole(2, 32, D.groupSize),
  minibatches: whole(1, 16, D.minibatches),
  heat: real(0.2, 2, D.temperature),
  fewest: whole(1, 9, D.minOperators),
  most: whole(1, 9, D.maxOperators),
  longest: whole(8, 224, D.maxLength),
  schedule: choice(SCHEDULES, D.schedule),
  warmup: whole(0, 200, D.warmupSteps),
  clipNorm: real(0.01, 100, D.gradientClip),
  decay: real(0, 1, D.weightDecay),
  kl: real(0, 1, D.kl),
  evalEvery: whole(1, 2000, D.evaluateEvery),
  evalPrompts: whole(0, 2000, D.evaluatePrompts),
  raceSeed: whole(0, 2 ** 32 - 1, D.seed),
  /** what whoever made the link found */
  raced: custom<RaceFound | null>(
    null,
    foundSchema,
    'what a finished race writes, or none',
    readFound,
    writeFound,
  ),
} as const satisfies Record<string, Field<never> | Field<unknown>>;

export type RaceView = {
  [K in keyof typeof RACE_FIELDS]: (typeof RACE_FIELDS)[K] extends Field<infer T> ? T : never;
};

export function viewOf(settings: TrainingSettings): Omit<RaceView, 'raced'> {
  return {
    on: settings.backend,
    trained: settings.policy,
    from: settings.start,
    racers: settings.racers,
    steps: settings.steps,
    perStep: settings.prompts,
    group: settings.groupSize,
    minibatches: settings.minibatches,
    heat: settings.temperature,
    fewest: settings.minOperators,
    most: settings.maxOperators,
    longest: settings.maxLength,
    schedule: settings.schedule,
    warmup: settings.warmupSteps,
    clipNorm: settings.gradientClip,
    decay: settings.weightDecay,
    kl: settings.kl,
    evalEvery: settings.evaluateEvery,
    evalPrompts: settings.evaluatePrompts,
    raceSeed: settings.seed,
  };
}

/** The settings, or a sentence that says why they are none. */
export function trainingOf(view: RaceView): TrainingSettings | string {
  try {
    return parseTraining({
      backend: view.on,
      policy: view.trained,
      start: view.from,
      racers: [...view.racers],
      steps: view.steps,
      prompts: view.perStep,
      groupSize: view.group,
      minibatches: view.minibatches,
      temperature: view.heat,
      minOperators: view.fewest,
      maxOperators: view.most,
      maxLength: view.longest,
      schedule: view.schedule,
      warmupSteps: view.warmup,
      gradientClip: view.clipNorm,
      weightDecay: view.decay,
      kl: view.kl,
      evaluateEvery: view.evalEvery,
      evaluatePrompts: view.evalPrompts,
      seed: view.raceSeed,
    });
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}

export interface RaceDifference {
  name: keyof RaceView;
  before: string;
  after: string;
}

/** Settings in which two races differ, as a link would write them. */
export function raceDifferences(a: TrainingSettings, b: TrainingSettings): RaceDifference[] {
  const [before, after] = [viewOf(a), viewOf(b)];
  return (Object.keys(before) as (keyof typeof before)[]).flatMap((name) => {
    const { write } = RACE_FIELDS[name] as Field<unknown>;
    const [x, y] = [write(before[name]), write(after[name])];
    return x === y ? [] : [{ name, before: x, after: y }];
  });
}
