/**
 * `npm run calibrate [-- --replications N] [--scenario NAME ...]`: do the lab's 95 % intervals hold the
 * truth 95 % of the time?
 * Prints a table per scenario to stdout, progress and time left to stderr. Exit status 0 when it ran
 * (coverage is a result, not an error), 2 when it could not.
 */
import { parseArgs } from 'node:util';
import {
  calibrateAll,
  isCalibrated,
  SCENARIO_NAMES,
  type ScenarioReport,
} from '../src/calibration/calibrate';
import { summarise, type CalibrationSummary } from '../src/calibration/summary';
import { message } from '../src/message';

const DEFAULT_REPLICATIONS = 400;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const digits = (x: number): string => (x === 0 ? '0' : x.toPrecision(4));

function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, c) =>
    Math.max(...rows.map((row) => (row[c] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

function printReport({ scenario, coverage, verdicts }: ScenarioReport): void {
  console.log(`\n${scenario}`);
  const head = [
    'estimator',
    'truth',
    'mean',
    '+-',
    'coverage',
    '95 % of it',
    'too high',
    'too low',
    'n',
    '93-97 %',
  ];
  const rows = coverage.map((c) => [
    c.estimator,
    digits(c.truth),
    digits(c.meanEstimate),
    digits(c.meanError),
    percent(c.coverage),
    c.coverageInterval.map((x) => (100 * x).toFixed(1)).join('-'),
    percent(c.above),
    percent(c.below),
    String(c.replications),
    isCalibrated(c),
  ]);
  console.log(table([head, ...rows]));
  const names = verdicts.names();
  if (names.length === 0) return;
  console.log('');
  console.log(
    table([
      ['verdict', 'holds', 'fails', 'too few'],
      ...names.map((name) => [
        name,
        ...['holds', 'fails', 'too few'].map((verdict) => percent(verdicts.share(name, verdict))),
      ]),
    ]),
  );
}

function printSummary(summary: CalibrationSummary): void {
  const { estimators, inBand, meanCoverage, missesByChance, misses } = summary;
  console.log(
    `\nIn all: ${inBand} of ${estimators} coverages lie between 93 and 97 %; their mean is ` +
      `${percent(meanCoverage)}. Were each exactly 95 %, ${missesByChance.toFixed(1)} of ` +
      `${estimators} would lie outside by chance, with so many replications.`,
  );
  for (const { scenario, estimator, coverage, by, beyondChance } of misses) {
    const side = by < 0 ? 'below' : 'above';
    console.log(
      `  ${scenario}: ${estimator}: ${percent(coverage)}, ${(100 * Math.abs(by)).toFixed(1)} points ` +
        `${side} the band, ${beyondChance ? 'more than chance explains' : 'within chance'}`,
    );
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { replications: { type: 'string' }, scenario: { type: 'string', multiple: true } },
  });
  const names = values.scenario ?? SCENARIO_NAMES;
  const unknown = names.find((name) => !SCENARIO_NAMES.includes(name));
  if (unknown !== undefined) {
    console.error(`There is no scenario "${unknown}". There are: ${SCENARIO_NAMES.join('; ')}.`);
    return 2;
  }
  const replications = Number(values.replications ?? DEFAULT_REPLICATIONS);
  if (!Number.isSafeInteger(replications) || replications < 2) {
    console.error('--replications must be a whole number of at least 2.');
    return 2;
  }
  const begun = performance.now();
  let shown = 0;
  console.log(
    `${replications} replications per scenario, 150 prompts with 4 responses each; intervals at 95 %.`,
  );
  const onProgress = (done: number, total: number, what: string): void => {
    const now = performance.now();
    if (now - shown < 2000 && done < total) return;
    shown = now;
    const left = ((now - begun) / 1000 / done) * (total - done);
    process.stderr.write(`\r${done} of ${total}  ${what}, about ${Math.ceil(left)} s left      `);
  };
  const reports: ScenarioReport[] = [];
  for await (const report of calibrateAll(replications, names, onProgress)) {
    process.stderr.write('\n');
    printReport(report);
    reports.push(report);
  }
  printSummary(summarise(reports));
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(message(error));
  process.exitCode = 2;
}
