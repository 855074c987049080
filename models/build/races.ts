/**
 * Reinforcement learning that the lab ships: one entry per race. `npm run models:train -- NAME` runs it in
 * Node with the lab's own trainer. Contract: settings and code fix every number but the backend's rounding.
 */
import { SHIPPED_RACE, type TrainingSettings } from '../../src/settings/training';

export interface RaceRecipe {
  settings: TrainingSettings;
  /** prefix of each racer's checkpoints */
  series: string[];
  /** steps after which weights are kept: some one step apart, as a trainer has them, some further */
  checkpoints: number[];
}

export const RACES: Record<string, RaceRecipe> = {
  'arithmetic-dense-rl': {
    settings: { ...SHIPPED_RACE, backend: 'wasm' },
    series: ['gspo', 'grpo'],
    checkpoints: [25, 50, 75, 100, 101, 150, 199, 200],
  },
  'arithmetic-moe-rl': {
    settings: {
      ...SHIPPED_RACE,
      policy: 'arithmetic-moe',
      backend: 'wasm',
      steps: 150,
      prompts: 8,
      evaluateEvery: 25,
    },
    series: ['gspo', 'grpo'],
    checkpoints: [50, 100, 149, 150],
  },
  'maze-dense-rl': {
    settings: {
      ...SHIPPED_RACE,
      policy: 'maze-dense',
      // Supervised training goes on to nine in ten; here there is room left.
      start: 'step-01000',
      backend: 'wasm',
      steps: 150,
      prompts: 8,
      minOperators: 3,
      maxOperators: 7,
      evaluateEvery: 25,
    },
    series: ['gspo', 'grpo'],
    checkpoints: [50, 100, 149, 150],
  },
};
