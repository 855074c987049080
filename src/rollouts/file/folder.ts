/**
 * What of a folder is read, in which order, and which training step a file name tells. Contract: the same
 * on the page and in Node; names are paths with "/" that begin with the folder's own name; pure.
 */
const READABLE = /\.(jsonl|ndjson|json|parquet)(\.(gz|zst|zstd))?$|\.zip$/i;

/** Whether a walk leaves the file or folder alone; a folder that was picked itself may be called so. */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}

/** step12, global_step_12, checkpoint-12 (trainers' folders), completions_00012 (TRL's tables) */
const STEP = /(?:step|checkpoint|completions)[-_ =]?(\d+)/gi;
/** verl's dumps: 12.jsonl */
const BARE_NUMBER = /(?:^|\/)(\d+)\.[^/]*$/;

/** The training step that a file's name or its folders' names tell, the innermost; null where none does. */
export function stepInName(name: string): number | null {
  const digits = [...name.matchAll(STEP)].at(-1)?.[1] ?? BARE_NUMBER.exec(name)?.[1];
  const step = Number(digits);
  return digits !== undefined && Number.isSafeInteger(step) ? step : null;
}

const natural = new Intl.Collator('en', { numeric: true });

function byStepThenName(a: { name: string }, b: { name: string }): number {
  const [stepA, stepB] = [a, b].map(({ name }) => stepInName(name) ?? Infinity) as [number, number];
  if (stepA !== stepB) return stepA < stepB ? -1 : 1;
  return natural.compare(a.name, b.name);
}

/** Of all files below folders those that the lab can read, none hidden; by step, then by name. */
export function folderFiles<T extends { name: string }>(files: readonly T[]): T[] {
  return files
    .filter(({ name }) => READABLE.test(name) && !name.split('/').slice(1).some(isHidden))
    .sort(byStepThenName);
}
