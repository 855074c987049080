/**
 * What the parts of a step cost here, from one small step taken three times: once cold, which compiles;
 * once by a second racer, which traces its own gradient anew; and once more by that one from the same
 * state, warm in everything. Contract: changes nothing that a race depends on. Rewards are made up, right
 * and wrong in turn, so that every response has a gradient whatever the policy can do.
 */
import { DEFAULT_TRAINING, type TrainingSettings } from '../settings/training';
import type { Weights } from '../policy/graph/lift';
import type { Rollouts } from '../rollouts/rollouts';
import { taskOf } from '../rollouts/sample-groups';
import { ROWS, widthsOf } from './microbatches';
import type { StepEstimate } from './predict';
import { Racer, type StepResult, type TrainingContext } from './racer';

/** Enough responses that a rectangle is full and a decoding step has a batch. */
const PROMPTS = 4;
const GROUP = 8;

/** @param settings policy, first objective and temperature count; the sizes are its own */
export async function measureStep(
  context: TrainingContext,
  settings: TrainingSettings,
  start: Weights,
  signal: AbortSignal = new AbortController().signal,
): Promise<StepEstimate> {
  const objective = settings.racers[0];
  const small: TrainingSettings = {
    ...settings,
    prompts: PROMPTS,
    groupSize: GROUP,
    minibatches: 1,
    minOperators: DEFAULT_TRAINING.minOperators,
    maxOperators: DEFAULT_TRAINING.maxOperators,
    maxLength: DEFAULT_TRAINING.maxLength,
    evaluatePrompts: 0,
    kl: 0,
    racers: [objective],
  };
  let judged = 0;
  const verify = () => ({ reward: judged++ % 2, validSteps: 0 });
  const hooks = { signal, onPhase: () => undefined };
  const withRacer = async <T>(work: (racer: Racer) => Promise<T>): Promise<T> => {
    const racer = new Racer({ ...context, verify }, small, objective, start);
    try {
      return await work(racer);
    } finally {
      racer.dispose();
    }
  };

  const cold = await withRacer((racer) => racer.step(hooks));
  const [traced, warm] = await withRacer(async (racer) => {
    const before = await racer.state();
    const first = await racer.step(hooks);
    await racer.restore(before);
    return [first, await racer.step(hooks)];
  });

  const { tokenizer } = context.host.files;
  const widths = widthsOf(placesOf(warm.rollouts, (text) => tokenizer.encode(text).length));
  const compiled = [...new Set(widths)];
  const { seconds, updates } = warm.report;
  const tokens = warm.rollouts.tokenIds.length;
  const extra = (slow: StepResult, fast: StepResult) =>
    Math.max(0, learningOf(slow) - learningOf(fast)) / compiled.length;
  return {
    task: taskOf(context.host).id,
    sampling: seconds.sampling / tokens,
    scoring: seconds.scoring / (2 * tokens),
    gradient: seconds.gradient / (ROWS * widths.reduce((sum, width) => sum + width, 0)),
    update: seconds.update / updates,
    tracing: extra(traced, warm),
    compiling: extra(cold, traced),
    compiled,
  };
}

const learningOf = ({ report: { seconds } }: StepResult) => seconds.gradient + seconds.update;

/** Places of a rectangle that each response takes. */
function placesOf(rollouts: Rollouts, promptTokens: (text: string) => number): number[] {
  const { offsets, group, prompts } = rollouts;
  return Array.from(group, (g, i) => {
    const response = offsets[i + 1] - offsets[i];
    return promptTokens(prompts[g]) + response - 1;
  });
}
