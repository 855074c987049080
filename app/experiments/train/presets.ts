/** Races to start from, from a first look to the one behind the shipped series, and how long they take. */
import {
  DEFAULT_RACER,
  DEFAULT_TRAINING,
  SHIPPED_RACE,
  type TrainingSettings,
} from '../../../src/link/training';
import type { StepEstimate } from '../../../src/training/calibrate';

export interface Preset {
  id: string;
  name: string;
  /** what it is for; a sentence */
  words: string;
  settings: TrainingSettings;
}

const { gspo, grpo } = DEFAULT_RACER;

export const PRESETS: readonly [Preset, ...Preset[]] = [
  {
    id: 'look',
    name: 'First look',
    words: 'Short sums: how the curves grow and where ratios leave 1.',
    settings: {
      ...DEFAULT_TRAINING,
      steps: 12,
      prompts: 4,
      groupSize: 8,
      minibatches: 2,
      maxOperators: 5,
      maxLength: 80,
      evaluateEvery: 6,
      evaluatePrompts: 48,
      racers: [gspo, grpo],
    },
  },
  {
    id: 'class',
    name: 'Lesson',
    words: 'Long enough to see the clip shares part.',
    settings: { ...DEFAULT_TRAINING },
  },
  {
    id: 'four',
    name: 'Four objectives',
    words: 'GSPO, GRPO, DAPO and CISPO from the same start.',
    settings: {
      ...DEFAULT_TRAINING,
      racers: [gspo, grpo, DEFAULT_RACER.dapo, DEFAULT_RACER.cispo],
    },
  },
  {
    id: 'stale',
    name: 'Stale rollouts',
    words: 'Sixteen updates on the same rollouts: GSPO with its tight band against a wide one.',
    settings: {
      ...DEFAULT_TRAINING,
      minibatches: 16,
      racers: [gspo, { ...gspo, epsilonLow: 0.2, epsilonHigh: 0.2 }],
    },
  },
  {
    id: 'series',
    name: 'Shipped series',
    words: 'The race behind the checkpoints that ship with the lab.',
    settings: SHIPPED_RACE,
  },
];

/** Whether two races differ in nothing but where they run. */
export function sameRace(a: TrainingSettings, b: TrainingSettings): boolean {
  return JSON.stringify({ ...a, backend: '' }) === JSON.stringify({ ...b, backend: '' });
}

/** Mean response tokens of this task at `n` operators, as the shipped policies answer (within 15 %). */
const tokensOf = (n: number) => 1.3 * n * (n + 1);

function expectedTokens({ minOperators, maxOperators, maxLength }: TrainingSettings): number {
  let sum = 0;
  for (let n = minOperators; n <= maxOperators; n++) sum += Math.min(tokensOf(n), maxLength);
  return sum / (maxOperators - minOperators + 1);
}

/** Seconds that a race will take, in proportion to its response tokens. */
export function predictedSeconds(
  { sampling, training, secondsToCompile }: StepEstimate,
  settings: TrainingSettings,
): number {
  const { steps, prompts, groupSize, racers, evaluateEvery, evaluatePrompts } = settings;
  const tokens = expectedTokens(settings);
  const evaluations = Math.ceil(steps / evaluateEvery) * evaluatePrompts;
  const own =
    steps * prompts * groupSize * tokens * training +
    evaluations * tokens * sampling +
    secondsToCompile;
  return racers.length * own;
}
