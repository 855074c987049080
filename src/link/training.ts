/**
 * The settings of a training race, as a schema: what the page edits, what a link or a checkpoint carries,
 * what the trainer obeys. Contract: nothing reaches the trainer that has not passed `parseTraining`.
 */
import * as v from 'valibot';
import { OBJECTIVE_IDS, OBJECTIVES, type ObjectiveId } from '../math/objectives/registry';
import { BACKENDS, integer, real, seed, SettingsError, shippedName } from './settings';

/** Every objective of the registry can race. */
export const TRAINING_OBJECTIVES = OBJECTIVE_IDS;
export type TrainingObjective = ObjectiveId;

export const racerSchema = v.strictObject({
  objective: v.picklist(TRAINING_OBJECTIVES),
  /** the band is 1 - epsilonLow .. 1 + epsilonHigh; objectives without a band ignore both */
  epsilonLow: real(0, 1),
  epsilonHigh: real(0, 5),
  learningRate: real(0, 0.01),
});

export const SCHEDULES = ['constant', 'cosine'] as const;

export const trainingSchema = v.strictObject({
  backend: v.picklist(BACKENDS),
  policy: shippedName,
  /** checkpoint that every racer starts from */
  start: shippedName,
  seed,
  /** rollouts of `prompts` x `groupSize` responses, each used for `minibatches` updates */
  steps: integer(1, 2000),
  prompts: integer(1, 64),
  groupSize: integer(2, 32),
  minibatches: integer(1, 16),
  temperature: real(0.2, 2),
  minOperators: integer(1, 9),
  maxOperators: integer(1, 9),
  /** response tokens */
  maxLength: integer(8, 224),
  schedule: v.picklist(SCHEDULES),
  warmupSteps: integer(0, 200),
  gradientClip: real(0.01, 100),
  weightDecay: real(0, 1),
  /** beta of the k3 penalty towards the start; 0 = none */
  kl: real(0, 1),
  /** held-out accuracy every so many steps, and over how many prompts; 0 prompts = never */
  evaluateEvery: integer(1, 2000),
  evaluatePrompts: integer(0, 2000),
  racers: v.pipe(v.array(racerSchema), v.minLength(1), v.maxLength(4)),
});

export type RacerSettings = v.InferOutput<typeof racerSchema>;
export type TrainingSettings = v.InferOutput<typeof trainingSchema>;

/** What each objective starts with on this lab's policies, for which the registry's `racing` bands are made. */
export const DEFAULT_RACER = Object.fromEntries(
  OBJECTIVES.map(({ id, racing }): [TrainingObjective, RacerSettings] => [
    id,
    {
      objective: id,
      epsilonLow: racing?.low ?? 0,
      epsilonHigh: racing?.high ?? 0,
      learningRate: 1e-4,
    },
  ]),
) as Record<TrainingObjective, RacerSettings>;

export const DEFAULT_TRAINING: TrainingSettings = {
  backend: 'auto',
  policy: 'arithmetic-dense',
  start: 'step-03000',
  seed: 1,
  steps: 40,
  prompts: 8,
  groupSize: 8,
  minibatches: 4,
  temperature: 1,
  minOperators: 1,
  maxOperators: 9,
  maxLength: 180,
  schedule: 'constant',
  warmupSteps: 0,
  gradientClip: 1,
  weightDecay: 0,
  kl: 0,
  evaluateEvery: 10,
  evaluatePrompts: 64,
  racers: [DEFAULT_RACER.gspo, DEFAULT_RACER.grpo],
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

/** @throws SettingsError naming the field and what it may be */
export function parseTraining(input: unknown): TrainingSettings {
  const parsed = v.safeParse(trainingSchema, input);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue) ?? 'settings';
    throw new SettingsError(`Training setting "${path}": ${issue.message}`);
  }
  const { minOperators, maxOperators, prompts, groupSize, minibatches } = parsed.output;
  if (minOperators > maxOperators) {
    throw new SettingsError('Training setting "minOperators" must not exceed "maxOperators".');
  }
  if (minibatches > prompts * groupSize) {
    throw new SettingsError(
      `Training setting "minibatches": ${minibatches} minibatches cannot be cut from ` +
        `${prompts * groupSize} responses.`,
    );
  }
  return parsed.output;
}
