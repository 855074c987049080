/**
 * What can be wrong with a person's file, as a value and as an error. Contract: every problem names the
 * file, the line (JSONL), item (JSON) or row (Parquet), counted from 1, and the field where there is one.
 */
export type Unit = 'line' | 'item' | 'row';

export interface Problem {
  file: string;
  unit: Unit;
  /** counted from 1; null where the whole file is meant */
  index: number | null;
  /** as written in the file, with the position in an array counted from 0: `logp_new[3]` */
  field: string | null;
  message: string;
}

export function describeProblem(problem: Problem): string {
  const place = problem.index === null ? '' : `, ${problem.unit} ${problem.index}`;
  const field = problem.field === null ? '' : `, field "${problem.field}"`;
  return `${problem.file}${place}${field}: ${problem.message}`;
}

/** so many file names or columns are listed */
const LISTED = 5;

/** "a.json, b.json and 3 more" */
export function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

export class RolloutFileError extends Error {
  override name = 'RolloutFileError';
  constructor(
    readonly problem: Problem,
    options?: ErrorOptions,
  ) {
    super(describeProblem(problem), options);
  }
}

/** A record that cannot be used; the reader adds file and line. */
export class RecordError extends Error {
  override name = 'RecordError';
  constructor(
    readonly field: string | null,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
