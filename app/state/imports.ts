/**
 * A person's own files on their way into the lab. Contract: the present run stays in view until the files
 * are read; what cannot be read leaves it as it was and is explained; a later import makes an earlier one
 * void.
 */
import type {
  ImportOptions,
  ImportOutcome,
  ImportReport,
  ImportSource,
  RunId,
  RunProgress,
} from '../../src/engine/lab/protocol';
import { message } from '../../src/message';

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
  'message' | 'problem' | 'judged'
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

/** The example file that the lab ships: synthetic, and stamped as such in every line. */
const EXAMPLE = 'example/rollouts.jsonl';

/** @throws Error with a sentence for a person */
export async function fetchExample(): Promise<Blob> {
  try {
    const response = await fetch(new URL(EXAMPLE, document.baseURI));
    if (!response.ok) throw new Error(`the site answered ${response.status}`);
    return await response.blob();
  } catch (error) {
    const why = message(error);
    throw new Error(`The example could not be fetched: ${why}. Try again when you are online.`, {
      cause: error,
    });
  }
}
