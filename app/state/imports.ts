/**
 * A person's own files on their way into the lab. Contract: the present run stays in view until the files
 * are read; what cannot be read leaves it as it was and is explained; a later import makes an earlier one
 * void.
 */
import type {
  ImportSource,
  ImportOptions,
  ImportOutcome,
  ImportReport,
  RunId,
  RunProgress,
} from '../../src/engine/lab/protocol';

/** Files that are being read, or could not be. */
export interface Reading {
  run: RunId;
  files: ImportSource[];
  options: ImportOptions;
  progress: RunProgress;
  failure: Unreadable | null;
}

export type Unreadable = Pick<
  Extract<ImportOutcome, { status: 'unreadable' }>,
  'message' | 'problem'
>;

/** Where a run came from files: which, how they were read, and what was found. */
export interface Imported {
  files: ImportSource[];
  options: ImportOptions;
  report: ImportReport;
}

export const DEFAULT_IMPORT: ImportOptions = { onBad: 'stop', rule: 'trl', recompute: false };

/** "rollouts.jsonl", "12 files" */
export function sourceName({ report }: Imported): string {
  const [first] = report.files;
  return report.files.length === 1 && first !== undefined
    ? first.name
    : `${report.files.length} files`;
}
