/**
 * Source `models`: a model of someone else's answers prompts, and a second one of the same tokenizer scores what was said;
 * from there on as `policies.ts`. Contract: two tokenizers that differ are refused with the first difference; what a
 * prompt was cut to is what its text shows.
 */
import { groupAdvantages } from '../math/objectives/advantages';
import type { ForeignModel } from '../policy/foreign/model';
import { tokenizersDiffer, type ChatMessage } from '../policy/foreign/tokenizer';
import { plannedPrompts, type ModelsSource } from '../settings/run';
import { readPrompts, type Prompt } from '../settings/prompts';
import { findTask } from '../tasks/registry';
import { heldOutPrompts, type Verifier } from '../tasks/task';
import { lastNumberVerdict, noVerdict, patternVerifier } from '../tasks/verifier';
import { GroupStream } from './group-stream';
import { batchesOf } from './policies';
import type { RolloutSource, SourceHooks } from './rollouts';
import {
  rewardsOf,
  rolloutsOf,
  scoreGroups,
  scoreOwn,
  type Speaker,
  withKept,
} from './sample-groups';

export interface ModelsContext {
  /** Asked at every batch; the same model twice where both are the same. */
  open(hooks: SourceHooks): Promise<{ old: ForeignModel; theta: ForeignModel }>;
  sequencesPerBatch: number;
}

/** A graph with its weights in it is fed none. */
const NO_WEIGHTS = { feeds: {}, dispose: () => undefined };

/** What the settings ask, by text; texts are what the model is shown, cut where they are too long. */
interface Asked {
  texts: readonly string[];
  ids: ReadonlyMap<string, number[]>;
  verify: Verifier;
}

function promptsOf(settings: ModelsSource): Prompt[] {
  const { task, texts, seed } = settings;
  const count = plannedPrompts(settings);
  if (task === 'texts') return (readPrompts(texts) ?? []).slice(0, count);
  return heldOutPrompts(findTask(task), seed, settings, count).map((text) => ({
    text,
    answer: null,
  }));
}

/** @throws Error with a sentence where the prompts do not fit the model, or the verifier cannot judge them */
async function askedOf(
  settings: ModelsSource,
  { tokenizer }: ForeignModel,
  maxPositions: number,
): Promise<Asked> {
  const { chat, system, promptBudget, maxLength } = settings;
  if (chat) await tokenizer.prepareChat();
  const most = Math.max(
    1,
    Math.min(promptBudget, maxPositions - Math.min(maxLength, maxPositions - 1)),
  );
  const ids = new Map<string, number[]>();
  const answers = new Map<string, Prompt>();
  const texts = promptsOf(settings).map((prompt, i) => {
    const messages: ChatMessage[] = [
      ...(system === '' ? [] : [{ role: 'system', content: system } as const]),
      { role: 'user', content: prompt.text },
    ];
    const all = chat ? tokenizer.chat(messages) : tokenizer.encode(prompt.text);
    if (all.length === 0) {
      throw new Error(
        `Prompt ${i + 1} has no token: this model’s tokenizer begins no text by itself.`,
      );
    }
    const cut = all.length > most;
    const shown = cut ? `…${tokenizer.decode(all.slice(-most))}` : prompt.text;
    // Two prompts may be cut to the same end.
    const key = ids.has(shown) ? `${shown} (${i + 1})` : shown;
    ids.set(key, cut ? all.slice(-most) : all);
    answers.set(key, prompt);
    return key;
  });
  return { texts, ids, verify: verifierOf(settings, answers) };
}

function verifierOf(
  { verifier, pattern, task }: ModelsSource,
  prompts: ReadonlyMap<string, Prompt>,
): Verifier {
  switch (verifier) {
    case 'none': {
      if (task === 'texts') return noVerdict;
      // The tasks of the lab verify themselves.
      const { verify } = findTask(task);
      return (key, response) => verify(prompts.get(key)?.text ?? key, response);
    }
    case 'regexp': {
      const verify = patternVerifier(pattern);
      return (_, response) => verify(response);
    }
    case 'last-number': {
      const without = [...prompts.values()].findIndex(({ answer }) => answer === null);
      if (without >= 0) {
        throw new Error(
          `Prompt ${without + 1} has no answer to compare the last number with. Write prompts as JSON lines with "prompt" and "answer".`,
        );
      }
      return (key, response) => lastNumberVerdict(prompts.get(key)?.answer ?? null, response);
    }
  }
}

function speakerOf(
  { tokenizer, ends, padToken, session }: ForeignModel,
  ids: ReadonlyMap<string, number[]>,
  maxPositions: number,
): Speaker {
  const [endToken, ...alsoEnds] = ends;
  return {
    session,
    files: {
      maxPositions,
      endToken,
      alsoEnds,
      padToken,
      tokenizer: {
        encode: (text) => ids.get(text) ?? tokenizer.encode(text),
        decode: (tokens) => tokenizer.decode(tokens),
        textsOf: (tokens) => tokenizer.textsOf(tokens),
      },
    },
  };
}

export function modelsSource(settings: ModelsSource, context: ModelsContext): RolloutSource {
  const { groupSize, seed, temperature, topP, maxLength } = settings;
  const prompts = plannedPrompts(settings);
  const { batches, totalSequences, rangeOf } = batchesOf({ prompts, groupSize }, context);
  let opened: { of: ForeignModel; speaker: Speaker; stream: GroupStream } | undefined;

  async function streamOf(old: ForeignModel, theta: ForeignModel) {
    if (opened?.of === old) return opened;
    const different = old === theta ? null : tokenizersDiffer(old.tokenizer, theta.tokenizer);
    if (different !== null) throw new Error(different);
    const maxPositions = Math.min(old.maxPositions, theta.maxPositions);
    const { texts, ids, verify } = await askedOf(settings, old, maxPositions);
    const speaker = speakerOf(old, ids, maxPositions);
    const request = {
      texts: (first: number, count: number) => texts.slice(first, first + count),
      groupSize,
      temperature,
      topP,
      maxLength,
      seed,
      verify,
    };
    opened = { of: old, speaker, stream: new GroupStream(speaker, NO_WEIGHTS, request) };
    return opened;
  }

  return {
    batches,
    totalSequences,
    async batch(index, hooks) {
      const { signal } = hooks;
      hooks.onPhase('loading');
      const { old, theta } = await context.open(hooks);
      const { speaker, stream } = await streamOf(old, theta);
      hooks.onPhase('sampling');
      const groups = await stream.take(rangeOf(index), signal);
      hooks.onPhase('scoring');
      const oldScores = await scoreOwn(speaker, NO_WEIGHTS, old.kernels, groups, signal);
      const newScores =
        old === theta
          ? oldScores
          : await scoreGroups(
              speakerOf(theta, new Map(), theta.maxPositions),
              NO_WEIGHTS,
              theta.kernels,
              groups,
              signal,
            );
      const advantage = groupAdvantages(rewardsOf(groups), groups.group, 'trl');
      const rollouts = rolloutsOf(speaker, groups, { old: oldScores, theta: newScores }, advantage);
      return withKept(rollouts, groups, oldScores) ?? rollouts;
    },
  };
}
