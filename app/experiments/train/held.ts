/** Which rollouts cannot be opened any more. Contract: pure. */
import type { StepReport } from '../../../src/training/report';

/**
 * The last of a race's first steps whose rollouts are not held: taken before the race was resumed, by a
 * trainer that is gone. 0: none is missing.
 * @param held steps that can be opened, ascending
 */
export function goneUpTo(reports: readonly StepReport[], held: readonly number[]): number {
  const first = held[0] ?? Infinity;
  return reports.findLast(({ step }) => step < first)?.step ?? 0;
}
