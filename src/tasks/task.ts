/**
 * What a task is: prompts of adjustable difficulty, some of them held out of all training, and a verifier.
 * Contract: pure functions of their arguments and of the random stream handed in, so that the same seed gives
 * the same prompts anywhere; which prompts are held out follows from the prompt's text alone, for good.
 */
import { Random, STREAM, type Stream } from '../math/philox';

export interface Problem {
  prompt: string;
  /** one correct response, with the text of its end token */
  solution: string;
}

/**
 * How hard prompts are, both ends included; drawn evenly in between. What is counted is the task's own: the
 * operators of an expression, the side of a maze.
 */
export interface Difficulty {
  least: number;
  most: number;
}

export interface Verdict {
  /** 0 to 1 */
  reward: number;
  /** share of the response's steps that are valid by themselves; 0 when nothing was written */
  validSteps: number;
}

/** @throws an Error with a sentence where the prompt is none of the task's */
export type Verifier = (prompt: string, response: string) => Verdict;

export interface Task {
  /** as `lab.json` names it */
  readonly id: string;
  /** one problem of the training side or of the held-out side */
  draw(random: Random, difficulty: Difficulty, heldOut: boolean): Problem;
  readonly verify: Verifier;
  /** mean length of a response, as policies of this task answer; for forecasts of time */
  expectedTokens(prompt: string): number;
}

/** FNV-1a over the prompt's characters; decides, for good, which prompts training may never see. */
function hashPrompt(prompt: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < prompt.length; i++) {
    hash = Math.imul(hash ^ prompt.charCodeAt(i), 0x01000193) >>> 0;
  }
  hash ^= hash >>> 15;
  return hash >>> 0;
}

/** One prompt in sixteen is held out of all training data, by its text alone. */
export function isHeldOut(prompt: string): boolean {
  return hashPrompt(prompt) % 16 === 0;
}

/** Run and race settings say how hard their prompts are in these two fields, whatever the task counts. */
export interface PromptRange {
  minOperators: number;
  maxOperators: number;
}

export function difficultyOf({ minOperators, maxOperators }: PromptRange): Difficulty {
  return { least: minOperators, most: maxOperators };
}

/** Held-out prompts `first` .. `first + count - 1` of a seed: functions of seed and index alone. */
export function heldOutPrompts(
  task: Task,
  seed: number,
  range: PromptRange,
  count: number,
  first = 0,
): string[] {
  return drawPrompts(task, seed, STREAM.prompts, difficultyOf(range), true, count, first);
}

/** Prompts for training, never held-out ones; a stream of their own. */
export function trainingPrompts(
  task: Task,
  seed: number,
  range: PromptRange,
  count: number,
  first: number,
): string[] {
  return drawPrompts(task, seed, STREAM.rollouts, difficultyOf(range), false, count, first);
}

function drawPrompts(
  task: Task,
  seed: number,
  stream: Stream,
  difficulty: Difficulty,
  heldOut: boolean,
  count: number,
  first: number,
): string[] {
  return Array.from(
    { length: count },
    (_, i) => task.draw(new Random(seed, stream, first + i), difficulty, heldOut).prompt,
  );
}
