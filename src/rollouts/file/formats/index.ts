/** The formats in the order in which they are tried: whoever is told apart by fewer bytes comes first. */
import type { Head } from './format';
import { json } from './json';
import { jsonl } from './jsonl';
import { parquet } from './parquet';
import { run } from './run';
import { refuseOther } from './other';

export const FORMATS = [parquet, run, json, jsonl] as const;
export type FormatId = (typeof FORMATS)[number]['id'];

/** @throws RolloutFileError for what is told and not read, with the way out */
export function formatOf(head: Head): (typeof FORMATS)[number] {
  const found = FORMATS.find((format) => format.recognise(head));
  if (found && found.id !== 'jsonl') return found;
  refuseOther(head);
  return jsonl;
}
