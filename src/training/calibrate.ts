/**
 * How long training will take here, from one small step taken twice: the first pays for compiling, the
 * second tells the speed. Contract: changes nothing that a race depends on.
 */
import { DEFAULT_TRAINING, type TrainingSettings } from '../link/training';
import type { Weights } from '../policy/graph/lift';
import { Racer, type TrainingContext } from './racer';

export interface StepEstimate {
  /** per response token, sampling alone */
  sampling: number;
  /** per response token: sampling, scoring, gradient and update */
  training: number;
  /** once per racer: compiling the gradient for every width of a microbatch */
  secondsToCompile: number;
}

/** Enough responses that a microbatch is full and a decoding step has a batch. */
const PROMPTS = 4;
const GROUP = 8;

/** @param settings policy, objective and temperature count; the sizes are its own */
export async function calibrate(
  context: TrainingContext,
  settings: TrainingSettings,
  start: Weights,
  signal: AbortSignal = new AbortController().signal,
): Promise<StepEstimate> {
  const [objective] = settings.racers;
  const small: TrainingSettings = {
    ...settings,
    prompts: PROMPTS,
    groupSize: GROUP,
    minibatches: 1,
    minOperators: DEFAULT_TRAINING.minOperators,
    maxOperators: DEFAULT_TRAINING.maxOperators,
    maxLength: DEFAULT_TRAINING.maxLength,
    evaluatePrompts: 0,
    steps: 2,
    racers: [objective as TrainingSettings['racers'][number]],
  };
  const racer = new Racer(context, small, small.racers[0] as (typeof small.racers)[number], start);
  try {
    const hooks = { signal, onPhase: () => undefined };
    const first = (await racer.step(hooks)).report;
    const { seconds, meanLength } = (await racer.step(hooks)).report;
    const tokens = PROMPTS * GROUP * meanLength;
    const computed = seconds.scoring + seconds.gradient + seconds.update;
    const before = first.seconds.gradient + first.seconds.update;
    return {
      sampling: seconds.sampling / tokens,
      training: (seconds.sampling + computed) / tokens,
      secondsToCompile: Math.max(0, before - seconds.gradient - seconds.update),
    };
  } finally {
    racer.dispose();
  }
}
