/**
 * Source `policies`: pi_old answers held-out prompts, both policies score what was said.
 *
 * Sampling may use another temperature; log-probs are always those of the policies themselves
 * (temperature 1). A group is the responses to one prompt; its random counters are
 * prompt index * groupSize + member, whatever the batch size is.
 */
import type { PoliciesSource } from '../link/settings';
import { groupAdvantages } from '../math/objectives/advantages';
import { sampleSequences, type SampledSequence } from '../policy/sample';
import { scoreSequences, type ScoringKernels } from '../policy/score';
import type { PolicyHost } from '../policy/host';
import { heldOutPrompt, verify } from '../tasks/arithmetic';

import type { Rollouts } from './rollouts';
import type { RolloutSource, SourceHooks } from './source';

export interface PoliciesContext {
  /** Asked at every batch: loads on first use, and again after a device was lost. */
  open(hooks: SourceHooks): Promise<{ host: PolicyHost; kernels: ScoringKernels }>;
  sequencesPerBatch: number;
}

export function policiesSource(settings: PoliciesSource, context: PoliciesContext): RolloutSource {
  const { prompts, groupSize } = settings;
  const promptsPerBatch = Math.max(1, Math.round(context.sequencesPerBatch / groupSize));
  return {
    batches: Math.ceil(prompts / promptsPerBatch),
    totalSequences: prompts * groupSize,
    async batch(index, hooks) {
      hooks.onPhase('loading');
      const { host, kernels } = await context.open(hooks);
      const { old, new: next, alpha } = settings;
      const pair = await host.pair(old, next, alpha, hooks.onLoad, hooks.signal);
      const first = index * promptsPerBatch;
      const texts = Array.from({ length: Math.min(promptsPerBatch, prompts - first) }, (_, i) =>
        heldOutPrompt(settings.seed, first + i, settings),
      );
      return rollOut(settings, kernels, host, pair, texts, first, hooks);
    },
  };
}

async function rollOut(
  settings: PoliciesSource,
  kernels: ScoringKernels,
  host: PolicyHost,
  pair: Awaited<ReturnType<PolicyHost['pair']>>,
  texts: string[],
  firstPrompt: number,
  hooks: SourceHooks,
): Promise<Rollouts> {
  const { groupSize } = settings;
  const { tokenizer, endToken, padToken, maxPositions } = host.files;
  const encoded = texts.map((text) => tokenizer.encode(text));
  const n = texts.length * groupSize;
  const promptOf = Array.from({ length: n }, (_, i) => Math.floor(i / groupSize));
  const prompts = promptOf.map((p) => encoded[p] as number[]);

  hooks.onPhase('sampling');
  const longest = Math.max(...prompts.map(({ length }) => length));
  const sampled = await sampleSequences(host.session, pair.old, {
    prompts,
    firstSequence: firstPrompt * groupSize,
    temperature: settings.temperature,
    maxLength: Math.min(settings.maxLength, maxPositions - longest),
    seed: settings.seed,
    endToken,
    padToken,
    signal: hooks.signal,
  });

  hooks.onPhase('scoring');
  const sequences = sampled.map(({ tokens }, i) => ({
    prompt: prompts[i] as number[],
    response: tokens,
  }));
  const score = (weights: typeof pair.old) =>
    scoreSequences(host.session, weights, kernels, sequences, padToken, hooks.signal);
  const old = await score(pair.old);
  const theta = await score(pair.theta);

  const group = Uint32Array.from(promptOf);
  const reward = Float64Array.from(sampled, ({ tokens }, i) => {
    return verify(texts[promptOf[i] as number] as string, tokenizer.decode(tokens)).reward;
  });
  return {
    ...tokenColumns(sampled),
    logpOld: old.logp,
    logpNew: theta.logp,
    entropyOld: old.entropy,
    entropyNew: theta.entropy,
    collisionOld: old.collision,
    collisionNew: theta.collision,
    group,
    reward,
    advantage: groupAdvantages(reward, group, 'trl'),
    finished: Uint8Array.from(sampled, ({ finished }) => (finished ? 1 : 0)),
    prompts: texts,
    vocabulary: tokenizer.vocabulary,
  };
}

function tokenColumns(sampled: readonly SampledSequence[]): Pick<Rollouts, 'offsets' | 'tokenIds'> {
  const offsets = new Uint32Array(sampled.length + 1);
  sampled.forEach(({ tokens }, i) => {
    offsets[i + 1] = (offsets[i] as number) + tokens.length;
  });
  return { offsets, tokenIds: Int32Array.from(sampled.flatMap(({ tokens }) => tokens)) };
}
