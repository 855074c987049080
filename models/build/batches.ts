/**
 * Training batches for the supervised start of a policy: problems packed end to end into rows.
 * Contract: a batch is a function of (recipe, step) alone, so that a resumed run sees the same data.
 */
import { Random, STREAM } from '../../src/math/philox';
import { findTask } from '../../src/tasks/registry';
import { difficultyOf } from '../../src/tasks/task';
import type { Recipe } from './recipes';

export interface Batch {
  /** [batch, rowLength] */
  inputIds: Int32Array<ArrayBuffer>;
  /** [batch, rowLength]: the token that follows */
  targets: Int32Array<ArrayBuffer>;
  /** [batch, rowLength]: 1 where the target belongs to a response, else 0 */
  mask: Float32Array<ArrayBuffer>;
  /** [batch, rowLength]: place in the row or, where `recipe.apart`, in its problem */
  positions: Int32Array<ArrayBuffer>;
  /** [batch, rowLength]: which of the row's problems a token belongs to */
  problems: Int32Array<ArrayBuffer>;
}

export function trainingBatch(recipe: Recipe, step: number): Batch {
  const { batch, rowLength, architecture } = recipe;
  const task = findTask(recipe.task);
  const idOf = new Map(architecture.vocabulary.map((character, id) => [character, id]));
  const random = new Random(recipe.seed, STREAM.training, step);
  const size = batch * rowLength;
  const result: Batch = {
    inputIds: new Int32Array(size),
    targets: new Int32Array(size),
    mask: new Float32Array(size),
    positions: new Int32Array(size),
    problems: new Int32Array(size),
  };
  for (let row = 0; row < batch; row++) {
    const tokens: number[] = [];
    const inResponse: number[] = [];
    const starts: number[] = [];
    while (tokens.length < rowLength + 1) {
      starts.push(tokens.length);
      const { prompt, solution } = task.draw(random, difficultyOf(recipe.prompts), false);
      for (const character of prompt + solution) tokens.push(idOf.get(character) as number);
      for (let i = 0; i < prompt.length; i++) inResponse.push(0);
      for (let i = 0; i < solution.length; i++) inResponse.push(1);
    }
    let problem = 0;
    for (let i = 0; i < rowLength; i++) {
      const at = row * rowLength + i;
      if (i === starts[problem + 1]) problem++;
      result.problems[at] = problem;
      result.positions[at] = recipe.apart ? i - starts[problem] : i;
      result.inputIds[at] = tokens[i];
      result.targets[at] = tokens[i + 1];
      result.mask[at] = inResponse[i + 1];
    }
  }
  return result;
}

/** Name of what the graph adds to attention scores. */
export const MASK_BIAS = 'mask.bias.output';

/** What is added to attention scores: 0 where a token may look, else far below anything. [B, 1, T, T] */
export function apartBias(
  { problems }: Pick<Batch, 'problems'>,
  { batch, rowLength }: Pick<Recipe, 'batch' | 'rowLength'>,
): Float32Array<ArrayBuffer> {
  const bias = new Float32Array(batch * rowLength * rowLength).fill(-1e9);
  for (let row = 0; row < batch; row++) {
    for (let i = 0; i < rowLength; i++) {
      const at = row * rowLength + i;
      for (let j = 0; j <= i; j++) {
        if (problems[row * rowLength + j] === problems[at]) bias[at * rowLength + j] = 0;
      }
    }
  }
  return bias;
}
