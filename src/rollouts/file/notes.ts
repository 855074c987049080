/**
 * What a person should know of an import that no error told: a sentence for each, the same on the page and
 * in the terminal. Contract: pure; empty where there is nothing to say.
 */
import type { FileRollouts } from './read';

/** so many file names are listed */
const LISTED = 5;

function counted(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
}

/** "a.json, b.json and 3 more" */
export function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
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
  >,
): string[] {
  const notes: string[] = [];
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
