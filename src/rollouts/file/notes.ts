/**
 * What a person should know of an import that no error told: a sentence for each, the same on the page and
 * in the terminal. Contract: pure; empty where there is nothing to say.
 */
import type { ImportFacts, UnreadColumn } from './facts';
import type { FieldName } from './fields';
import { listed } from './problems';
import type { FileRollouts } from './read';

function counted(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
}

const quoted = (columns: readonly { name: string }[]) =>
  listed(columns.map(({ name }) => `"${name}"`));

/** Columns that are not read for one reason, in one sentence. */
function unreadNotes(unread: readonly UnreadColumn[]): string[] {
  const reasons = new Map<string, UnreadColumn[]>();
  for (const column of unread) {
    const key = `${column.about} ${column.why}`;
    reasons.set(key, [...(reasons.get(key) ?? []), column]);
  }
  return [...reasons.values()].map((columns) => {
    const { about, kind, why } = columns[0];
    const one = columns.length === 1;
    return kind === 'known'
      ? `Not read: ${quoted(columns)} (${why}).`
      : `${quoted(columns)} ${one ? 'is' : 'are'} not read, though the name${one ? '' : 's'} ${one ? 'speaks' : 'speak'} of ${about}: ${why}.`;
  });
}

/** Masks change every number, so which were read is said; so are columns that stand in for others. */
function readNotes({ read, compares }: ImportFacts): string[] {
  const of = (...fields: FieldName[]) => read.filter(({ meaning }) => fields.includes(meaning));
  const notes: string[] = [];
  if (compares !== 'update') {
    const trainer = quoted(of('logp_old', 'logp_new'));
    const sampler = quoted(of('logp_sampler'));
    notes.push(
      `${compares === 'mixed' ? 'Some responses have' : 'The files have'} one policy of the trainer (${trainer}) and the sampler’s (${sampler}): sampler and trainer are compared, and a ratio is trainer over sampler, not of an update. For the update, write the log-probs after it as "logp_new" too (docs/export).`,
    );
  }
  return notes;
}

export function importNotes(
  read: Pick<
    FileRollouts,
    | 'leftOut'
    | 'stepsFromNames'
    | 'groupsAcrossFiles'
    | 'computedAdvantages'
    | 'incompleteGroups'
    | 'skippedOfUnknownGroup'
    | 'maskedTokens'
    | 'withoutSampler'
    | 'facts'
  >,
): string[] {
  const { facts } = read;
  const notes = [...readNotes(facts), ...unreadNotes(facts.unread)];
  if (facts.batches.records > 0) {
    const { records, responses } = facts.batches;
    notes.push(
      records === 1
        ? `1 line looks like a batch (an array per response): each of its ${counted(responses, 'response')} is read.`
        : `${counted(records, 'line')} look like batches (an array per response): ${counted(responses, 'response')} are read of them.`,
    );
  }
  const masks = facts.read.filter(({ meaning }) => meaning === 'mask' || meaning === 'tool_mask');
  if (read.maskedTokens > 0) {
    notes.push(
      `${counted(read.maskedTokens, 'token')} left out by ${quoted(masks)}: they enter no ratio and no length.`,
    );
  }
  if (facts.untrained > 0) {
    const by = facts.read.filter(
      ({ meaning }) => meaning === 'sample_mask' || meaning === 'remove_sample',
    );
    notes.push(
      `${counted(facts.untrained, 'response')} left out by ${quoted(by)}: the trainer does not train on them.`,
    );
  }
  if (read.withoutSampler > 0) {
    notes.push(
      `${counted(read.withoutSampler, 'response')} without the sampler’s log-probs, which others have: sampler and trainer are compared on the others.`,
    );
  }
  for (const { name, responses } of facts.lost) {
    notes.push(
      `"${name}" has gaps (null, NaN, another length or impossible values) in ${counted(responses, 'response')}: these do without it.`,
    );
  }
  if (facts.unevenAdvantages > 0) {
    notes.push(
      `${counted(facts.unevenAdvantages, 'response')} with advantages that differ by token: where one advantage per response is needed, their mean is taken.`,
    );
  }
  if (facts.groupsFrom.prompt > 0) {
    notes.push(
      `${counted(facts.groupsFrom.prompt, 'response')} without a group: grouped by the text of the prompt.`,
    );
  }
  if (facts.groupsFrom.promptTokens > 0) {
    notes.push(
      `${counted(facts.groupsFrom.promptTokens, 'response')} without a group: grouped by the prompt’s tokens.`,
    );
  }
  if (read.leftOut.length > 0) {
    notes.push(
      `${counted(read.leftOut.length, 'file')} of the folder left out, without log-probs in the first record: ${listed(read.leftOut)}.`,
    );
  }
  if (read.stepsFromNames > 0) {
    notes.push(
      `The training step of ${counted(read.stepsFromNames, 'response')} comes from the file name: files of different steps share no groups.`,
    );
  }
  if (read.groupsAcrossFiles > 0) {
    notes.push(
      `${counted(read.groupsAcrossFiles, 'group')} with responses in more than one file and no step: each is read as one group. ` +
        'If the files are different training steps, write "step" into the records or the file names (step12.jsonl).',
    );
  }
  if (read.computedAdvantages > 0 && read.incompleteGroups > 0) {
    notes.push(
      `Advantages of ${counted(read.incompleteGroups, 'group')} are computed without the responses left out, and so differ from the trainer’s.`,
    );
  }
  if (read.computedAdvantages > 0 && read.skippedOfUnknownGroup > 0) {
    notes.push(
      `The group of ${counted(read.skippedOfUnknownGroup, 'response')} left out cannot be told; advantages computed in it lack them.`,
    );
  }
  return notes;
}
