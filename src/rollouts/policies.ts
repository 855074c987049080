/**
 * Source `policies`: pi_old answers held-out prompts, both policies score what was said. A group is the
 * responses to one prompt; its random counters are prompt index * groupSize + member, whatever the batch
 * size is.
 */
import type { PoliciesSource } from '../settings/run';
import { groupAdvantages } from '../math/objectives/advantages';
import type { PolicyHost } from '../policy/host';
import type { ScoringKernels } from '../policy/score';
import { heldOutPrompts } from '../tasks/task';
import type { ResidentWeights } from '../policy/session';
import { GroupStream } from './group-stream';
import { rewardsOf, rolloutsOf, scoreGroups, scoreOwn, taskOf } from './sample-groups';
import type { RolloutSource, SourceHooks } from './rollouts';

export interface PoliciesContext {
  /** Asked at every batch: loads on first use, and again after a device was lost. */
  open(hooks: SourceHooks): Promise<{ host: PolicyHost; kernels: ScoringKernels }>;
  sequencesPerBatch: number;
}

export function policiesSource(settings: PoliciesSource, context: PoliciesContext): RolloutSource {
  const { prompts, groupSize, seed, temperature, maxLength } = settings;
  const promptsPerBatch = Math.max(1, Math.round(context.sequencesPerBatch / groupSize));
  let stream: GroupStream | undefined;

  /** Answers ahead of the batch are kept as long as they are those of the same weights. */
  function streamOf(host: PolicyHost, old: ResidentWeights): GroupStream {
    if (stream?.weights === old) return stream;
    const texts = (first: number, count: number) =>
      heldOutPrompts(taskOf(host), seed, settings, count, first);
    const request = { texts, groups: prompts, groupSize, temperature, maxLength, seed };
    stream = new GroupStream(host, old, request);
    return stream;
  }

  return {
    batches: Math.ceil(prompts / promptsPerBatch),
    totalSequences: prompts * groupSize,
    async batch(index, hooks) {
      const { signal } = hooks;
      hooks.onPhase('loading');
      const { host, kernels } = await context.open(hooks);
      const { old: oldId, new: newId, alpha } = settings;
      const pair = await host.pair(oldId, newId, alpha, hooks.onLoad, signal);
      const first = index * promptsPerBatch;
      const count = Math.min(promptsPerBatch, prompts - first);

      hooks.onPhase('sampling');
      const groups = await streamOf(host, pair.old).take(first, count, signal);
      hooks.onPhase('scoring');
      const old = await scoreOwn(host, pair.old, kernels, groups, signal);
      // The same weights are scored once: ratios of a policy with itself are 1, without rounding.
      const theta =
        pair.theta === pair.old
          ? old
          : await scoreGroups(host, pair.theta, kernels, groups, signal);
      const advantage = groupAdvantages(rewardsOf(groups), groups.group, 'trl');
      return rolloutsOf(host, groups, { old, theta }, advantage);
    },
  };
}
