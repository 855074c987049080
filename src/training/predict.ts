/**
 * How long a race will take, from what the parts of a step cost. Contract: pure; parts that are known
 * exactly give the time exactly, but for what the policy decides: how long its answers get and which
 * groups it answers both right and wrong.
 *
 * A gradient is paid for by the place of a rectangle, padding included, not by the token: a minibatch
 * that fills no rectangle costs as much as one that does, so many small minibatches cost more than few
 * large ones.
 */
import type { TrainingSettings } from '../settings/training';
import { ROWS, widthsOf } from './microbatches';
import { countsEveryone, trainedObjective } from './objective';
import { minibatchesOf } from './schedule';
import { findTask } from '../tasks/registry';
import { trainingPrompts, type Task } from '../tasks/task';

/** Seconds. */
export interface StepEstimate {
  /** id of the task that the policy is of */
  task: string;
  /** per response token; held-out evaluation is sampling alone */
  sampling: number;
  /** per response token and pass */
  scoring: number;
  /** per place of a rectangle, forward and backward */
  gradient: number;
  /** per update of the weights */
  update: number;
  /** per width of a rectangle, once per racer */
  tracing: number;
  /** per width that nobody has used since the worker started, once for all racers */
  compiling: number;
  /** widths that are compiled already */
  compiled: number[];
}

/** Steps that are looked at; the others are taken to be like them. */
const STEPS = 12;

/** Share of groups of 8 whose rewards differ: 0.56 in both shipped series, over all of their steps. */
export const INFORMATIVE_SHARE = 0.56;

interface Step {
  tokens: number;
  places: number;
  updates: number;
  widths: number[];
}

/** One step's expected amounts of work. @param share of the groups that move the weights */
function stepOf(task: Task, settings: TrainingSettings, step: number, share: number): Step {
  const { groupSize, maxLength, prompts, seed } = settings;
  const texts = trainingPrompts(task, seed, settings, prompts, step * prompts);
  const tokens = texts.map((text) => Math.min(task.expectedTokens(text), maxLength));
  const n = texts.length * groupSize;
  // Every so many groups, over all steps: no luck in it.
  const before = (group: number) => Math.floor((step * texts.length + group) * share);
  const moves = texts.map((_, group) => before(group + 1) > before(group));
  const groupOf = (i: number) => Math.floor(i / groupSize);
  const result: Step = {
    tokens: groupSize * tokens.reduce((sum, own) => sum + own, 0),
    places: 0,
    updates: 0,
    widths: [],
  };
  for (const members of minibatchesOf(settings, step, n)) {
    const lengths = members
      .map(groupOf)
      .filter((group) => moves[group])
      .map((group) => texts[group].length + tokens[group] - 1);
    if (lengths.length === 0) continue;
    const widths = widthsOf(lengths);
    result.updates++;
    result.places += ROWS * widths.reduce((sum, width) => sum + width, 0);
    result.widths.push(...widths);
  }
  return result;
}

export function predictedSeconds(cost: StepEstimate, settings: TrainingSettings): number {
  const { steps, racers, kl, evaluateEvery, evaluatePrompts, prompts, groupSize } = settings;
  const task = findTask(cost.task);
  const looked = Math.min(steps, STEPS);
  const evaluations = Math.ceil(steps / evaluateEvery) * evaluatePrompts;
  const passes = kl > 0 ? 3 : 2;
  const used = new Set<number>();
  let seconds = 0;
  // All racers start from the same weights.
  let atStart = evaluatePrompts;
  for (const racer of racers) {
    const everyone = kl > 0 || countsEveryone(trainedObjective(racer));
    const share = everyone ? 1 : INFORMATIVE_SHARE;
    const own = Array.from({ length: looked }, (_, step) => stepOf(task, settings, step, share));
    const sum = (amount: (step: Step) => number) => own.reduce((all, one) => all + amount(one), 0);
    const tokens = sum((step) => step.tokens);
    const perStep =
      (tokens * (cost.sampling + passes * cost.scoring) +
        sum((step) => step.places) * cost.gradient +
        sum((step) => step.updates) * cost.update) /
      looked;
    const meanTokens = tokens / (looked * prompts * groupSize);
    const widths = new Set(own.flatMap((step) => step.widths));
    seconds += steps * perStep + (evaluations + atStart) * meanTokens * cost.sampling;
    atStart = 0;
    seconds += widths.size * cost.tracing;
    for (const width of widths) used.add(width);
  }
  for (const width of cost.compiled) used.delete(width);
  return seconds + used.size * cost.compiling;
}
