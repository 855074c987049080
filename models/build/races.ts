/**
 * Reinforcement learning that the lab ships: one entry per race. `npm run models:train -- NAME` runs it in
 * Node with the lab's own trainer. Contract: settings and code fix every number but the backend's rounding.
 */
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../../src/link/training';

export interface RaceRecipe {
  settings: TrainingSettings;
  /** prefix of each racer's checkpoints */
  series: string[];
  /** steps after which weights are kept: some one step apart, as a trainer has them, some further */
  checkpoints: number[];
}

const LEARNING_RATE = 1e-4;

export const RACES: Record<string, RaceRecipe> = {
  'arithmetic-dense-rl': {
    settings: {
      ...DEFAULT_TRAINING,
      backend: 'wasm',
      start: 'step-03000',
      steps: 200,
      prompts: 16,
      groupSize: 8,
      minibatches: 4,
      warmupSteps: 3,
      evaluateEvery: 20,
      evaluatePrompts: 200,
      racers: [
        { ...DEFAULT_RACER.gspo, learningRate: LEARNING_RATE },
        { ...DEFAULT_RACER.grpo, learningRate: LEARNING_RATE },
      ],
    },
    series: ['gspo', 'grpo'],
    checkpoints: [25, 50, 75, 100, 101, 150, 199, 200],
  },
};
