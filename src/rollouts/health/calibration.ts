/**
 * How often the rules speak on healthy data, and whether they do on their fault. Contract: seeded; one set after
 * the other, so that the memory is that of one. `npm run calibrate:health -- --sets N` prints what the docs state.
 */
import { findingsOf, PLANTED } from './faults';
import { inPercent } from './finding';
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

export interface Power {
  id: RuleId;
  what: string;
  /** seeds at which the rule found it, and at which something else was said as well */
  found: number;
  besides: number;
}

export function power(seeds: number): Power[] {
  return PLANTED.map((planted) => {
    let found = 0;
    let besides = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const result = findingsOf(planted, seed);
      if (result.found) found++;
      if (result.others.length > 0) besides++;
    }
    return { id: planted.id, what: planted.what, found, besides };
  });
}

export function calibrationText(
  sets: number,
  { alarms, facts }: ReturnType<typeof falseAlarms>,
  seeds: number,
  powers: readonly Power[],
): string {
  const listed = (of: readonly FalseAlarm[]) =>
    [...new Set(of.map(({ id }) => id))]
      .map((id) => `\`${id}\` ${of.filter((one) => one.id === id).length}`)
      .join(', ') || 'none';
  const rows = powers.map(
    ({ id, what, found, besides }) =>
      `| \`${id}\` | ${what} | ${inPercent(found / seeds)} | ${inPercent(besides / seeds)} |`,
  );
  return `${sets} synthetic healthy sets (real softmaxes; lengths, group sizes, digits, sharpness, with and without sampler,
entropy and steps, on and off policy; \`npm run calibrate:health\`) raised ${alarms.length} false alarms: ${listed(alarms)}.
Findings that are true of healthy data and ask for nothing (${FACTS.map((id) => `\`${id}\``).join(', ')}): ${listed(facts)}.

Faults planted in healthy data of about 4,000 tokens, ${seeds} seeds each:

| rule | fault | found | and something else said |
| --- | --- | --- | --- |
${rows.join('\n')}`;
}
