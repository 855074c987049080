/**
 * On-policy rollouts for one training step: prompts that were never held out, a group of responses to
 * each, judged and scored by the policy that sampled them.
 *
 * Contract: a function of (settings, step, weights). Prompts and random counters depend on the settings
 * and the step alone, so racers that share both see the same prompts and the same random numbers.
 */
import type { TrainingSettings } from '../link/training';
import { groupAdvantages, type AdvantageRule } from '../math/objectives/advantages';
import type { TokenStats } from '../math/kernels';
import type { PolicyHost } from '../policy/host';
import { sampleSequences, type SampledSequence } from '../policy/sample';
import { scoreSequences, type ScoringKernels } from '../policy/score';
import type { ResidentWeights } from '../policy/session';
import type { Rollouts } from '../rollouts/rollouts';
import { verify } from '../tasks/arithmetic';
import { trainingPrompts } from './schedule';

export interface TrainingRollout {
  /** [n] token ids */
  prompts: number[][];
  responses: SampledSequence[];
  /** one text per group */
  texts: string[];
  /** [n] */
  group: Uint32Array;
  reward: Float64Array;
  advantage: Float64Array;
  /** share of valid steps, mean over responses */
  validSteps: number;
  /** [n + 1] */
  offsets: Uint32Array;
  /** under the policy that sampled */
  old: TokenStats;
}

/** @returns reward, and the share of valid steps, of a response to a prompt */
export type Verifier = (
  prompt: string,
  response: string,
) => Pick<ReturnType<typeof verify>, 'reward' | 'validSteps'>;

export interface RolloutContext {
  host: PolicyHost;
  kernels: ScoringKernels;
  signal: AbortSignal;
  onPhase(phase: 'sampling' | 'scoring'): void;
  verify?: Verifier;
}

export async function rollOutStep(
  settings: TrainingSettings,
  step: number,
  weights: ResidentWeights,
  rule: AdvantageRule,
  context: RolloutContext,
): Promise<TrainingRollout> {
  const { host, signal } = context;
  const { tokenizer, endToken, padToken, maxPositions } = host.files;
  const { groupSize } = settings;
  const texts = trainingPrompts(settings, step);
  const encoded = texts.map((text) => tokenizer.encode(text));
  const n = texts.length * groupSize;
  const group = Uint32Array.from({ length: n }, (_, i) => Math.floor(i / groupSize));
  const prompts = Array.from(group, (g) => encoded[g] as number[]);

  context.onPhase('sampling');
  const longest = Math.max(...encoded.map(({ length }) => length));
  const responses = await sampleSequences(host.session, weights, {
    prompts,
    firstSequence: step * n,
    temperature: settings.temperature,
    maxLength: Math.min(settings.maxLength, maxPositions - longest),
    seed: settings.seed,
    endToken,
    padToken,
    signal,
  });
  const verdicts = responses.map(({ tokens }, i) =>
    (context.verify ?? verify)(texts[group[i] as number] as string, tokenizer.decode(tokens)),
  );
  const reward = Float64Array.from(verdicts, (verdict) => verdict.reward);
  const offsets = new Uint32Array(n + 1);
  responses.forEach(({ tokens }, i) => {
    offsets[i + 1] = (offsets[i] as number) + tokens.length;
  });
  context.onPhase('scoring');
  return {
    prompts,
    responses,
    texts,
    group,
    reward,
    advantage: groupAdvantages(reward, group, rule),
    validSteps: verdicts.reduce((sum, { validSteps }) => sum + validSteps, 0) / n,
    offsets,
    old: await scoreUnder(weights, { prompts, responses }, context),
  };
}

/** Log-probs, entropies and collision probabilities of the rollout's tokens under other weights. */
export function scoreUnder(
  weights: ResidentWeights,
  { prompts, responses }: Pick<TrainingRollout, 'prompts' | 'responses'>,
  { host, kernels, signal }: RolloutContext,
): Promise<TokenStats> {
  const sequences = responses.map(({ tokens }, i) => ({
    prompt: prompts[i] as number[],
    response: tokens,
  }));
  return scoreSequences(host.session, weights, kernels, sequences, host.files.padToken, signal);
}

/** What every experiment of the lab reads: pi_old sampled, pi_theta is the policy after the step. */
export function asRollouts(
  rollout: TrainingRollout,
  theta: TokenStats,
  vocabulary: readonly string[],
): Rollouts {
  const { responses, old } = rollout;
  return {
    offsets: rollout.offsets,
    tokenIds: Int32Array.from(responses.flatMap(({ tokens }) => tokens)),
    logpOld: old.logp,
    logpNew: theta.logp,
    entropyOld: old.entropy,
    entropyNew: theta.entropy,
    collisionOld: old.collision,
    collisionNew: theta.collision,
    group: rollout.group,
    reward: rollout.reward,
    advantage: rollout.advantage,
    finished: Uint8Array.from(responses, ({ finished }) => (finished ? 1 : 0)),
    prompts: rollout.texts,
    vocabulary,
  };
}
