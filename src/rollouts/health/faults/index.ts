/** A fault for each rule, planted in healthy data, with what its finding must say. */
import { healthReport, type Finding } from '../report';
import { COLUMN_FAULTS } from './columns';
import { HEALTHY, sound, type Planted } from './fault';
import { FILLER_FAULTS } from './fillers';
import { GROUP_FAULTS } from './groups';
import { PAIR_FAULTS } from './pairs';
import { RATIO_FAULTS } from './ratios';

export const PLANTED: readonly Planted[] = [
  ...FILLER_FAULTS,
  ...COLUMN_FAULTS,
  ...PAIR_FAULTS,
  ...GROUP_FAULTS,
  ...RATIO_FAULTS,
];

/** What the report says of a planted fault: its finding, and findings that have no business there. */
export function findingsOf({ id, fault, recipe, beside = [] }: Planted, seed: number) {
  const { findings } = healthReport(fault(sound({ ...HEALTHY, ...recipe }, seed), seed));
  return {
    found: findings.find((one) => one.id === id) ?? null,
    others: findings.filter((one) => one.id !== id && !beside.includes(one.id)),
  } satisfies { found: Finding | null; others: Finding[] };
}
