/**
 * How long a step will take here, from one small step taken twice: the first pays for compiling, the
 * second tells the speed. Contract: changes nothing that a race depends on.
 */
import type { TrainingSettings } from '../link/training';
import type { Weights } from '../policy/graph/lift';
import { Racer, type TrainingContext } from './racer';

export interface StepEstimate {
  secondsPerStep: number;
  secondsToCompile: number;
  secondsPerEvaluation: number;
}

/** Enough responses to fill a microbatch or two. */
const PROMPTS = 2;
const GROUP = 4;

export async function calibrate(
  context: TrainingContext,
  settings: TrainingSettings,
  start: Weights,
  signal: AbortSignal = new AbortController().signal,
): Promise<StepEstimate> {
  const small: TrainingSettings = {
    ...settings,
    prompts: PROMPTS,
    groupSize: GROUP,
    minibatches: 1,
    evaluatePrompts: 0,
    steps: 3,
    racers: settings.racers.slice(0, 1),
  };
  const racer = new Racer(
    context,
    small,
    small.racers[0] as TrainingSettings['racers'][number],
    start,
  );
  try {
    const hooks = { signal, onPhase: () => undefined };
    const seconds: number[] = [];
    let sampling = 0;
    let computed = 0;
    for (let i = 0; i < 2; i++) {
      const { report } = await racer.step(hooks);
      seconds.push(Object.values(report.seconds).reduce((sum, s) => sum + s, 0));
      sampling = report.seconds.sampling;
      computed = report.seconds.scoring + report.seconds.gradient + report.seconds.update;
    }
    const responses = settings.prompts * settings.groupSize;
    const times = responses / (PROMPTS * GROUP);
    // Decoding a larger batch costs less per response; half the saving is a fair middle on two cores.
    const perStep =
      sampling * Math.sqrt(times) * Math.max(1, Math.sqrt(times) / 2) + computed * times;
    return {
      secondsPerStep: perStep,
      secondsToCompile: Math.max(0, (seconds[0] as number) - (seconds[1] as number)),
      secondsPerEvaluation: (sampling * settings.evaluatePrompts) / (PROMPTS * GROUP) / 2,
    };
  } finally {
    racer.dispose();
  }
}
