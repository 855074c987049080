/**
 * `npm run calibrate:health -- [--sets N] [--write]`: false alarms of the health report's rules on N healthy sets
 * (200), and how often each rule finds the fault planted in healthy data (20 seeds). With --write the figures go to
 * the file that docs/findings.md is made from.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { calibrationText, falseAlarms, power } from '../src/rollouts/health/calibration';

const { values } = parseArgs({
  options: { sets: { type: 'string' }, seeds: { type: 'string' }, write: { type: 'boolean' } },
});
const sets = Number(values.sets ?? 200);
const seeds = Number(values.seeds ?? 20);
if (!Number.isSafeInteger(sets) || sets < 1 || !Number.isSafeInteger(seeds) || seeds < 1) {
  console.error('--sets and --seeds must be whole numbers from 1.');
  process.exit(1);
}
const text = calibrationText(sets, falseAlarms(sets), seeds, power(seeds));
console.log(text);
if (values.write === true) {
  writeFileSync(new URL('../src/rollouts/health/calibration.md', import.meta.url), `${text}\n`);
}
