/**
 * How often the rules speak on healthy data, and whether they do on their fault. Contract: seeded; one set after
 * the other, so that the memory is that of one. `npm run calibrate:health -- --sets N` prints what the docs state.
 */
import { healthyRecipe, plant } from './planted';
import { healthReport, type RuleId } from './report';

/** Findings that are true of some healthy data and ask for nothing. */
export const FACTS: readonly RuleId[] = [
  'on-policy',
  'on-policy-noise',
  'clipping-never',
  'clipping-always',
  'no-signal',
];

export interface FalseAlarm {
  seed: number;
  id: RuleId;
  statistic: number | null;
}

export function falseAlarms(
  sets: number,
  first = 1,
): { alarms: FalseAlarm[]; facts: FalseAlarm[] } {
  const alarms: FalseAlarm[] = [];
  const facts: FalseAlarm[] = [];
  for (let seed = first; seed < first + sets; seed++) {
    for (const { id, statistic } of healthReport(plant(healthyRecipe(seed), seed)).findings) {
      (FACTS.includes(id) ? facts : alarms).push({ seed, id, statistic });
    }
  }
  return { alarms, facts };
}
