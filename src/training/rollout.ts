/**
 * On-policy rollouts for one training step: prompts that were never held out, a group of responses to
 * each, judged and scored by the policy that sampled them.
 *
 * Contract: a function of (settings, step, weights). Prompts and random counters depend on the settings
 * and the step alone, so racers that share both see the same prompts and the same random numbers.
 */
import type { TrainingSettings } from '../settings/training';
import { groupAdvantages, type AdvantageRule } from '../math/objectives/advantages';
import type { PolicyHost } from '../policy/host';
import { routesOf, type ScoredTokens, type ScoringKernels } from '../policy/score';
import type { ResidentWeights } from '../policy/session';
import {
  offsetsOf,
  rewardsOf,
  sampleGroups,
  scoreGroups,
  scoreOwn,
  taskOf,
  type SampledGroups,
} from '../rollouts/sample-groups';
import { trainingPrompts, type Verifier } from '../tasks/task';

export interface TrainingRollout extends Omit<SampledGroups, 'scored'> {
  /** [n] */
  reward: Float64Array;
  advantage: Float64Array;
  /** [n + 1] */
  offsets: Uint32Array;
  /** under the policy that sampled */
  old: ScoredTokens;
}

export interface RolloutContext {
  host: PolicyHost;
  kernels: ScoringKernels;
  signal: AbortSignal;
  onPhase(phase: 'sampling' | 'scoring'): void;
  /** left out: the task's own */
  verify?: Verifier | undefined;
}

export async function rollOutStep(
  settings: TrainingSettings,
  step: number,
  weights: ResidentWeights,
  rule: AdvantageRule,
  context: RolloutContext,
): Promise<TrainingRollout> {
  const { host, kernels, signal, verify } = context;
  const { groupSize, prompts, seed, temperature, maxLength } = settings;
  context.onPhase('sampling');
  const groups = await sampleGroups(host, weights, {
    texts: trainingPrompts(taskOf(host), seed, settings, prompts, step * prompts),
    groupSize,
    firstSequence: step * prompts * groupSize,
    temperature,
    maxLength,
    seed,
    signal,
    verify,
  });
  context.onPhase('scoring');
  const reward = rewardsOf(groups);
  return {
    ...groups,
    reward,
    advantage: groupAdvantages(reward, groups.group, rule),
    offsets: offsetsOf(groups),
    old: await scoreOwn(host, weights, kernels, groups, signal),
  };
}

/** Log-probs, entropies and collision probabilities of the rollout's tokens under other weights. */
export function scoreUnder(
  weights: ResidentWeights,
  groups: Pick<SampledGroups, 'prompts' | 'responses'>,
  { host, kernels, signal }: RolloutContext,
): Promise<ScoredTokens> {
  return scoreGroups(host, weights, kernels, groups, signal);
}

/** [responses] the experts of every token, the prompt's too, as `math/routing.ts` reads them; null without experts. */
export function routesUnder(
  weights: ResidentWeights,
  { prompts, responses }: Pick<SampledGroups, 'prompts' | 'responses'>,
  { host, signal }: RolloutContext,
): Promise<Float32Array<ArrayBuffer>[] | null> {
  const sequences = responses.map(({ tokens }, i) => ({ prompt: prompts[i], response: tokens }));
  return routesOf(host.session, weights, sequences, host.files.padToken, signal);
}
