/**
 * The settings of a training race: what the page edits, what a link or a checkpoint carries,
 * what the trainer obeys. Contract: nothing reaches the trainer that has not passed `parseTraining`.
 */
import * as v from 'valibot';
import { objective, RESPONSE_IDS, type ResponseId } from '../math/objectives/registry';
import { backend, seed } from './run';
import {
  absent,
  checkOrder,
  choice,
  defaultsOf,
  differencesOf,
  list,
  name,
  parseSettings,
  real,
  SettingsError,
  whole,
} from './setting';

/** Every objective of the registry can race, but for those that choose tokens over the whole batch. */
export const TRAINING_OBJECTIVES = RESPONSE_IDS;
export type TrainingObjective = ResponseId;

/** Whose experts a token goes to while its ratio is taken. */
export const ROUTINGS = ['own', 'replayed'] as const;

export const racerSchema = v.strictObject({
  objective: choice(TRAINING_OBJECTIVES, 'gspo', { label: 'Objective' }),
  /** the band is 1 - epsilonLow .. 1 + epsilonHigh; objectives without a band ignore both */
  epsilonLow: real(0, 1, 3e-3, { label: 'ε low' }),
  epsilonHigh: real(0, 5, 4e-3, { label: 'ε high' }),
  learningRate: real(0, 0.01, 1e-4, { label: 'Learning rate' }),
  /** GSPO's paper, section 5.3: the ratio of a token is taken on the experts that pi_old sent it to */
  routing: absent(
    choice(ROUTINGS, 'own', {
      label: 'Experts',
      hint: 'of a policy with experts: each policy’s own, or those of π_old replayed',
      names: { own: 'its own', replayed: 'replayed' },
    }),
    'own',
  ),
});

export type RacerSettings = v.InferOutput<typeof racerSchema>;

/** What each objective starts with on this lab's policies, for which the registry's `racing` bands are made. */
export const DEFAULT_RACER = Object.fromEntries(
  TRAINING_OBJECTIVES.map((id): [TrainingObjective, RacerSettings] => {
    const { racing } = objective(id);
    return [
      id,
      {
        objective: id,
        epsilonLow: racing?.low ?? 0,
        epsilonHigh: racing?.high ?? 0,
        learningRate: 1e-4,
        routing: 'own',
      },
    ];
  }),
) as Record<TrainingObjective, RacerSettings>;

export const MAX_RACERS = 4;

/** In the order in which forms show them. */
export const trainingSchema = v.strictObject({
  policy: name('policy', 'arithmetic-dense', {
    label: 'Policy',
    hint: 'that every racer trains',
    heading: 'Start',
  }),
  start: name('checkpoint', 'step-03000', {
    label: 'Checkpoint',
    hint: 'that every racer starts from',
  }),
  backend: backend(),
  /** rollouts of `prompts` x `groupSize` responses, each used for `minibatches` updates */
  steps: whole(1, 2000, 40, {
    label: 'Steps',
    hint: 'of every racer',
    heading: 'Rollouts of a step',
  }),
  prompts: whole(1, 64, 8, { label: 'Prompts', hint: 'fresh ones in every step' }),
  groupSize: whole(2, 32, 8, { label: 'Group size', symbol: 'G', hint: 'responses per prompt' }),
  temperature: real(0.2, 2, 1, { label: 'Temperature', hint: 'of the sampler' }),
  minOperators: whole(1, 9, 1, { label: 'Fewest operators', hint: 'in a prompt' }),
  maxOperators: whole(1, 9, 9, {
    label: 'Most operators',
    hint: 'more operators, longer responses',
    atLeast: 'minOperators',
  }),
  maxLength: whole(8, 224, 180, { label: 'Longest response', unit: 'tokens', hint: 'tokens' }),
  seed: seed({ hint: 'the same for every racer' }),
  minibatches: whole(1, 16, 4, {
    label: 'Minibatches',
    hint: 'updates on the same rollouts: staleness',
    heading: 'Updates',
  }),
  warmupSteps: whole(0, 200, 0, { label: 'Warm-up', hint: 'steps of rising learning rate' }),
  gradientClip: real(0.01, 100, 1, {
    label: 'Gradient clip',
    hint: 'largest norm of an update’s gradient',
  }),
  weightDecay: real(0, 1, 0, { label: 'Weight decay', hint: 'AdamW, on matrices' }),
  /** beta of the k3 penalty towards the start */
  kl: real(0, 1, 0, { label: 'KL penalty', hint: 'k3 towards the start; 0 is none' }),
  schedule: choice(['constant', 'cosine'], 'constant', {
    label: 'Schedule',
    hint: 'of the learning rate, after the warm-up',
  }),
  evaluateEvery: whole(1, 2000, 10, {
    label: 'Every',
    alone: 'Held-out accuracy every',
    unit: 'steps',
    hint: 'steps',
    heading: 'Held-out accuracy',
  }),
  evaluatePrompts: whole(0, 2000, 64, {
    label: 'Prompts',
    alone: 'Held-out prompts',
    hint: '0 never evaluates',
  }),
  racers: list(racerSchema, [1, MAX_RACERS], [DEFAULT_RACER.gspo, DEFAULT_RACER.grpo], {
    label: 'Racers',
  }),
});

export type TrainingSettings = v.InferOutput<typeof trainingSchema>;
export const DEFAULT_TRAINING: TrainingSettings = defaultsOf(trainingSchema);

/** What a person who has chosen nothing finds: seconds to minutes, with curves that already part. */
export const FIRST_LOOK: TrainingSettings = {
  ...DEFAULT_TRAINING,
  steps: 12,
  prompts: 4,
  groupSize: 8,
  minibatches: 2,
  maxOperators: 5,
  maxLength: 80,
  evaluateEvery: 6,
  evaluatePrompts: 48,
};

/** The race behind the `gspo` and `grpo` checkpoints that ship with `arithmetic-dense`. */
export const SHIPPED_RACE: TrainingSettings = {
  ...DEFAULT_TRAINING,
  steps: 200,
  prompts: 16,
  warmupSteps: 3,
  evaluateEvery: 20,
  evaluatePrompts: 200,
};

/** @throws SettingsError naming the setting and what it may be */
export function parseTraining(input: unknown): TrainingSettings {
  const settings = parseSettings(trainingSchema, input, 'Training setting');
  checkOrder(trainingSchema, settings, 'Training setting');
  const { prompts, groupSize, minibatches } = settings;
  if (minibatches > prompts * groupSize) {
    throw new SettingsError(
      `Training setting "minibatches": ${minibatches} minibatches cannot be cut from ` +
        `${prompts * groupSize} responses.`,
    );
  }
  return settings;
}

/** The settings of a race among a page's choices, or a sentence that says why they are none. */
export function trainingOf(
  choices: TrainingSettings & { found?: unknown },
): TrainingSettings | string {
  const settings = { ...choices };
  delete settings.found;
  try {
    return parseTraining(settings);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}

/** Whether two races differ in nothing but where they run. */
export function sameRace(a: TrainingSettings, b: TrainingSettings): boolean {
  return differencesOf(trainingSchema, a, b).every(({ setting }) => setting.key === 'backend');
}
