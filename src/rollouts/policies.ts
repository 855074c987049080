/**
 * Source `policies`: pi_old answers held-out prompts, both policies score what was said. Where the sampler computes in
 * other arithmetic than the trainer, it is pi_old in that arithmetic that answers, and its own log-probs come too. Where top-p
 * cuts tokens off, they are those of what is left, and what was kept is a table beside them. A group is the
 * responses to one prompt; its random counters are prompt index * groupSize + member, whatever the batch
 * size is.
 */
import type { PoliciesSource } from '../settings/run';
import { groupAdvantages } from '../math/objectives/advantages';
import type { PolicyHost } from '../policy/host';
import type { ScoringKernels } from '../policy/score';
import { heldOutPrompts } from '../tasks/task';
import type { ResidentWeights } from '../policy/session';
import { GroupStream, type GroupRange } from './group-stream';
import {
  rewardsOf,
  rolloutsOf,
  scoreGroups,
  scoreOwn,
  scoreReplay,
  taskOf,
  withKept,
} from './sample-groups';
import type { RolloutSource, SourceHooks } from './rollouts';

export interface PoliciesContext {
  /** Asked at every batch: loads on first use, and again after a device was lost. */
  open(hooks: SourceHooks): Promise<{ host: PolicyHost; kernels: ScoringKernels }>;
  cut: BatchCut;
}

/** Batches that are begun before the one that is wanted has ended: as many as keep the decoder's rows full. */
export const BATCHES_AHEAD = 3;

export interface PoliciesRolloutSource extends RolloutSource {
  /** Batches that will be asked for: begun early, where that costs nothing. */
  announce(indices: readonly number[]): void;
}

/** How a run is cut into batches. */
export interface BatchCut {
  sequencesPerBatch: number;
  /** the first batch comes in parts of a quarter, a quarter and a half: something is seen sooner */
  smallFirst?: boolean;
}

export interface Batches {
  batches: number;
  totalSequences: number;
  /** the prompts of a batch */
  rangeOf(index: number): GroupRange;
}

/** The same whoever makes them: a batch is never more than one prompt over or under its size. */
export function batchesOf(
  { prompts, groupSize }: Pick<PoliciesSource, 'prompts' | 'groupSize'>,
  { sequencesPerBatch, smallFirst = false }: BatchCut,
): Batches {
  const size = Math.max(1, Math.round(sequencesPerBatch / groupSize));
  const quarter = Math.max(1, Math.floor(size / 4));
  const starts = [0, quarter, 2 * quarter].filter((at) => at === 0 || (smallFirst && at < size));
  for (let at = size; at < prompts; at += size) starts.push(at);
  const begins = starts.filter((at) => at < prompts);
  return {
    batches: begins.length,
    totalSequences: prompts * groupSize,
    rangeOf: (index) => {
      const first = begins[index];
      return { first, count: (begins[index + 1] ?? prompts) - first };
    },
  };
}

export function policiesSource(
  settings: PoliciesSource,
  context: PoliciesContext,
): PoliciesRolloutSource {
  const { groupSize, seed, temperature, topP, maxLength } = settings;
  const { batches, totalSequences, rangeOf } = batchesOf(settings, context.cut);
  let stream: GroupStream | undefined;
  let announced: readonly number[] = [];

  /** Answers ahead of the batch are kept as long as they are those of the same weights. */
  function streamOf(host: PolicyHost, sampler: ResidentWeights): GroupStream {
    if (stream?.weights === sampler) return stream;
    const texts = (first: number, count: number) =>
      heldOutPrompts(taskOf(host), seed, settings, count, first);
    const request = { texts, groupSize, temperature, topP, maxLength, seed };
    stream = new GroupStream(host, sampler, request);
    return stream;
  }

  return {
    batches,
    totalSequences,
    announce(indices) {
      announced = [...indices];
      stream?.announce(announced.map(rangeOf));
    },
    async batch(index, hooks) {
      const { signal } = hooks;
      hooks.onPhase('loading');
      const { host, kernels } = await context.open(hooks);
      const { old: oldId, new: newId, alpha, sampler } = settings;
      const pair = await host.pair(oldId, newId, alpha, hooks.onLoad, signal, sampler);

      hooks.onPhase('sampling');
      const groupStream = streamOf(host, pair.sampler);
      groupStream.announce(announced.map(rangeOf));
      const groups = await groupStream.take(rangeOf(index), signal);
      hooks.onPhase('scoring');
      const drawn = await scoreOwn(host, pair.sampler, kernels, groups, signal);
      const sameEngine = pair.sampler === pair.old;
      const old = sameEngine ? drawn : await scoreGroups(host, pair.old, kernels, groups, signal);
      // The same weights are scored once: ratios of a policy with itself are 1, without rounding.
      const theta =
        pair.theta === pair.old
          ? old
          : await scoreGroups(host, pair.theta, kernels, groups, signal);
      const advantage = groupAdvantages(rewardsOf(groups), groups.group, 'trl');
      const replayed =
        pair.theta === pair.old ? null : await scoreReplay(host, pair, kernels, groups, signal);
      const rollouts = rolloutsOf(host, groups, { old, theta, replayed }, advantage);
      const told = withKept(rollouts, groups, drawn);
      return told ?? (sameEngine ? rollouts : { ...rollouts, logpSampler: drawn.logp });
    },
  };
}

/** The same where one thread makes all batches, one after the other. */
export function inTurn(source: PoliciesRolloutSource): RolloutSource {
  const { batches, totalSequences } = source;
  return {
    batches,
    totalSequences,
    batch(index, hooks) {
      const left = Math.max(0, Math.min(BATCHES_AHEAD, batches - index - 1));
      source.announce(Array.from({ length: left }, (_, i) => index + 1 + i));
      return source.batch(index, hooks);
    },
  };
}
