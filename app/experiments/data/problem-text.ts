/** A problem of a file as a sentence: file, line, field, what is wrong. */
import type { Problem } from '../../../src/rollouts/file/problems';

export function problemText({ file, unit, index, field, message }: Problem): string {
  const place = index === null ? '' : `, ${unit} ${index}`;
  const of = field === null ? '' : `, field "${field}"`;
  return `${file}${place}${of}: ${message}`;
}
