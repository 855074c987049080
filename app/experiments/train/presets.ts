/** Races to start from, from a first look to the one behind the shipped series. */
import {
  DEFAULT_RACER,
  DEFAULT_TRAINING,
  FIRST_LOOK,
  SHIPPED_RACE,
  type TrainingSettings,
} from '../../../src/settings/training';

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
    settings: FIRST_LOOK,
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
    id: 'published',
    name: 'Published bands',
    words: 'The bands of GSPO’s paper: GSPO 3e-4/4e-4, GRPO 0.2/0.27.',
    settings: {
      ...DEFAULT_TRAINING,
      racers: [
        { ...gspo, epsilonLow: 3e-4, epsilonHigh: 4e-4 },
        { ...grpo, epsilonLow: 0.2, epsilonHigh: 0.27 },
      ],
    },
  },
  {
    id: 'experts',
    name: 'Experts',
    words: 'A mixture of experts: GSPO, GRPO, and GRPO with the experts of π_old replayed.',
    settings: {
      ...DEFAULT_TRAINING,
      policy: 'arithmetic-moe',
      prompts: 4,
      maxOperators: 5,
      maxLength: 80,
      racers: [gspo, grpo, { ...grpo, routing: 'replayed' }],
    },
  },
  {
    id: 'series',
    name: 'Shipped series',
    words:
      'The race behind the checkpoints that ship with the lab; GSPO clips at ten times the published band.',
    settings: SHIPPED_RACE,
  },
];
