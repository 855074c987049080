/**
 * What files say beyond the numbers in `Rollouts`: which column was read as what, what was left out and why,
 * how each response's place is found again. Contract: plain data beside the `Rollouts` of an import, for the
 * health rules and for the notes; runs of the lab have none. Names are as written in the files.
 */
import type { ImpossibleColumn } from './impossible';
import type { TrainerId } from './trainer-names';
import { fieldOf, topicOf, type ColumnTopic, type FieldName, type NameCounts } from './fields';

export interface ReadColumn {
  meaning: FieldName;
  /** as the file calls it */
  name: string;
  responses: number;
}

export interface UnreadColumn {
  name: string;
  about: ColumnTopic;
  responses: number;
  /**
   * `known`: another thing than the lab needs (a reference policy's log-probs, a prompt's mask), and `why`
   * says which. `unknown`: nobody here knows the name; `why` says what to rename it to.
   */
  kind: 'known' | 'unknown';
  /** part of a sentence */
  why: string;
}

/** A response that lacks a column because of what stood there. */
export interface LostColumn {
  name: string;
  meaning: FieldName;
  responses: number;
}

export interface ImportFacts {
  /**
   * `update`: logpOld and logpNew are two policies of the trainer, as the loss takes them. `mismatch`: the
   * files hold one of the trainer's and the sampler's: logpOld is the SAMPLER, logpNew the trainer, there is
   * no logpSampler, and a ratio is trainer over sampler. `mixed`: some responses this way, some that.
   */
  compares: 'update' | 'mismatch' | 'mixed';
  /** who wrote the files, where their columns' names tell */
  trainer: TrainerId | null;
  /** in the order in which they were first seen; a column of masks may be read beside another */
  read: ReadColumn[];
  unread: UnreadColumn[];
  lost: LostColumn[];
  /** [n] tokens of each response that masks left out */
  masked: Uint32Array;
  /** columns with values that no log-prob has, of the responses that were left out for them */
  impossible: ImpossibleColumn[];
  /** responses left out because a sample mask says that the trainer did not train on them */
  untrained: number;
  /** lines or items that looked like a batch, and the responses that came of them */
  batches: { records: number; responses: number };
  /** [n] 1 = the file says how the response ended, or how long one may be; else `finished` is only assumed */
  endKnown: Uint8Array;
  /** responses that equal an earlier one of their group and step in every number and token that was read */
  duplicates: {
    responses: number;
    /** the first such pair, as indices of responses; null where there is none */
    first: readonly [number, number] | null;
    /** tokens of the longest of them: short answers are rightly sampled twice */
    longest: number;
  };
  /** responses whose per-token advantages are not all the same; `advantage` is then their mean */
  unevenAdvantages: number;
  /** how `group` was found where no column names it; responses each */
  groupsFrom: { prompt: number; promptTokens: number };
  /** groups of which the text of the prompt is known, and how many different texts those are */
  prompts: { groups: number; texts: number };
  /** names of the files that were read, which `file` counts from 0 */
  files: string[];
  /** [n] each: index into `files`, and the line, item or row in it, counted from 1 */
  file: Uint32Array;
  place: Float64Array;
}

/** Fields that change no number and need no word. */
const SILENT: ReadonlySet<FieldName> = new Set(['v', 'meta', 'response']);

/** What became of each column of an import. */
/** @param mask the column that was asked for as the mask; null = by names */
export function columnsOf(
  { counts }: NameCounts,
  mask: string | null = null,
): Pick<ImportFacts, 'read' | 'unread'> {
  const read: ReadColumn[] = [];
  const unread: UnreadColumn[] = [];
  for (const [name, responses] of counts) {
    const meaning = name === mask ? 'mask' : fieldOf(name);
    if (mask !== null && name !== mask && (meaning === 'mask' || meaning === 'tool_mask')) {
      const why = `"${mask}" was asked for as the mask`;
      unread.push({ name, responses, about: 'masks', kind: 'known', why });
      continue;
    }
    if (meaning !== undefined) {
      if (!SILENT.has(meaning)) read.push({ meaning, name, responses });
      continue;
    }
    const topic = topicOf(name);
    if (topic) unread.push({ name, responses, ...topic });
  }
  return { read, unread };
}

/** Of a run that the lab wrote itself: nothing was left out, renamed or assumed. */
export function factsOfRun(name: string, n: number): ImportFacts {
  return {
    compares: 'update',
    trainer: null,
    read: [],
    unread: [],
    lost: [],
    impossible: [],
    masked: new Uint32Array(n),
    untrained: 0,
    batches: { records: 0, responses: 0 },
    endKnown: new Uint8Array(n).fill(1),
    duplicates: { responses: 0, first: null, longest: 0 },
    unevenAdvantages: 0,
    groupsFrom: { prompt: 0, promptTokens: 0 },
    prompts: { groups: 0, texts: 0 },
    files: [name],
    file: new Uint32Array(n),
    place: Float64Array.from({ length: n }, (_, i) => i + 1),
  };
}
