/**
 * What is trained, and how: one entry per policy. `npm run models:train -- NAME` follows it.
 * Contract: together with the code it fixes every number of the training but the backend's rounding.
 */
import type { PromptRange } from '../../src/tasks/task';
import { MAZE_CHARACTERS } from '../../src/tasks/maze';
import type { PolicyPair } from '../../src/policy/manifest';
import type { Architecture } from './architecture';

export interface Stored {
  /** the default pi_old is read from the graph, which holds it anyhow */
  oldInGraph?: true;
  /** ids that are stored as 16-bit differences, by the id that they are differences to */
  differences?: Record<string, string[]>;
}

export interface Recipe {
  title: string;
  architecture: Architecture;
  seed: number;
  /** as `src/tasks/registry.ts` names it */
  task: string;
  prompts: PromptRange;
  batch: number;
  /** packed tokens per row */
  rowLength: number;
  /** problems of one row don't see each other, as in use; absent: each sees those before it */
  apart?: true;
  steps: number;
  peakLearningRate: number;
  warmupSteps: number;
  weightDecay: number;
  gradientClip: number;
  /** weight of the load-balancing loss (Switch Transformers, eq. 4); experts only */
  balance?: number;
  /** Steps after which weights are kept as safetensors. */
  checkpoints: number[];
  /** how its checkpoints are kept small; absent: each is a file of float32 */
  stored?: Stored;
  /** what the lab opens with */
  defaultPair: { old: string; new: string };
  /** what Reproduce runs */
  reproducePairs: PolicyPair[];
}

/** Index = token id. 0 pads; `;` ends a response. V = 18. */
export const ARITHMETIC_VOCABULARY = ['<pad>', ...'0123456789+-*()=;'] as const;

/** Index = token id. 0 pads; `;` ends a response. V = 59. */
export const MAZE_VOCABULARY = ['<pad>', ...MAZE_CHARACTERS] as const;

/** Where GSPO's training ended. */
const ONE_STEP: PolicyPair = {
  id: 'gspo',
  title: 'GSPO, one step of training apart',
  old: 'gspo-00149',
  new: 'gspo-00150',
};

export const RECIPES: Record<string, Recipe> = {
  'arithmetic-dense': {
    title: 'Step-by-step arithmetic, dense',
    architecture: {
      vocabulary: ARITHMETIC_VOCABULARY,
      hiddenSize: 128,
      layers: 4,
      heads: 4,
      intermediateSize: 256,
      maxPositions: 256,
      ropeTheta: 10_000,
      rmsNormEpsilon: 1e-5,
    },
    seed: 1,
    task: 'arithmetic',
    prompts: { minOperators: 1, maxOperators: 9 },
    batch: 10,
    rowLength: 192,
    steps: 4400,
    peakLearningRate: 4e-3,
    warmupSteps: 60,
    weightDecay: 0.01,
    gradientClip: 1,
    checkpoints: [1000, 3000, 3800, 4200, 4400],
    // A difference to a neighbour is off by less than the rounding of a forward pass.
    stored: {
      oldInGraph: true,
      differences: {
        'step-03000': ['step-01000', 'step-03800'],
        'step-04400': ['step-04200'],
        'gspo-00100': ['gspo-00025', 'gspo-00050', 'gspo-00075', 'gspo-00150'],
        'gspo-00200': ['gspo-00199'],
        'grpo-00100': [
          'grpo-00025',
          'grpo-00050',
          'grpo-00075',
          'grpo-00101',
          'grpo-00150',
          'grpo-00199',
          'grpo-00200',
        ],
      },
    },
    defaultPair: { old: 'gspo-00100', new: 'gspo-00101' },
    reproducePairs: [
      {
        id: 'gspo',
        title: 'GSPO, one step of training apart',
        old: 'gspo-00100',
        new: 'gspo-00101',
      },
      {
        id: 'gspo-run',
        title: 'GSPO, a whole run apart',
        old: 'step-03000',
        new: 'gspo-00200',
      },
      {
        id: 'grpo',
        title: 'GRPO, one step of training apart',
        old: 'grpo-00100',
        new: 'grpo-00101',
      },
      {
        id: 'near',
        title: 'Supervised, the last 200 steps apart',
        old: 'step-04200',
        new: 'step-04400',
      },
      {
        id: 'far',
        title: 'Supervised, a third of the training apart',
        old: 'step-03000',
        new: 'step-04400',
      },
    ],
  },
  'arithmetic-moe': {
    title: 'Step-by-step arithmetic, mixture of experts',
    architecture: {
      vocabulary: ARITHMETIC_VOCABULARY,
      hiddenSize: 128,
      layers: 4,
      heads: 4,
      intermediateSize: 96,
      experts: { count: 8, perToken: 2 },
      maxPositions: 256,
      ropeTheta: 10_000,
      rmsNormEpsilon: 1e-5,
    },
    seed: 1,
    task: 'arithmetic',
    prompts: { minOperators: 1, maxOperators: 9 },
    batch: 10,
    rowLength: 192,
    steps: 3000,
    peakLearningRate: 4e-3,
    warmupSteps: 60,
    weightDecay: 0.01,
    gradientClip: 1,
    balance: 0.01,
    checkpoints: [1000, 1500, 2000, 2400, 2600, 2800, 2900, 3000],
    stored: {
      oldInGraph: true,
      differences: { 'step-02900': ['step-03000', 'gspo-00149', 'gspo-00150', 'grpo-00150'] },
    },
    defaultPair: { old: 'step-02900', new: 'step-03000' },
    reproducePairs: [ONE_STEP],
  },
  'maze-dense': {
    title: 'A maze, one move at a time, dense',
    architecture: {
      vocabulary: MAZE_VOCABULARY,
      hiddenSize: 128,
      layers: 4,
      heads: 4,
      intermediateSize: 256,
      maxPositions: 256,
      ropeTheta: 10_000,
      rmsNormEpsilon: 1e-5,
    },
    seed: 1,
    task: 'maze',
    prompts: { minOperators: 3, maxOperators: 7 },
    batch: 10,
    rowLength: 192,
    apart: true,
    steps: 3000,
    peakLearningRate: 4e-3,
    warmupSteps: 60,
    weightDecay: 0.01,
    gradientClip: 1,
    checkpoints: [500, 1000, 1500, 2000, 2400, 2600, 2800, 2900, 3000],
    stored: {
      oldInGraph: true,
      differences: { 'gspo-00149': ['step-01000', 'step-03000', 'gspo-00150', 'grpo-00150'] },
    },
    defaultPair: { old: 'gspo-00149', new: 'gspo-00150' },
    reproducePairs: [ONE_STEP],
  },
};
