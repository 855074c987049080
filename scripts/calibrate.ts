/**
 * `npm run calibrate [-- --replications N] [--scenario NAME ...] [--json FILE]`: do verdicts err as seldom as they say?
 * Prints a table per scenario to stdout, progress and time left to stderr. Exit status 0 when it ran (what it finds
 * is a result, not an error), 2 when it could not.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  calibrateScenario,
  looksOf,
  PAGE_NAMES,
  SCENARIOS,
  wilson,
  type ScenarioReport,
} from '../src/calibration/calibrate';

const DEFAULT_REPLICATIONS = 200;

const percent = (hits: number, n: number): string => {
  const [low, high] = wilson(hits, n);
  const round = (x: number) => (100 * x).toFixed(1);
  return `${round(hits / n)} % [${round(low)}, ${round(high)}]`;
};

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

function printReport(report: ScenarioReport): void {
  const { scenario, replications: n, claims, pages, ledger, looks } = report;
  const of = (hits: number): string => percent(hits, n);
  console.log(`\n${scenario}: ${n} runs, ${looks} look${looks === 1 ? '' : 's'} each`);
  console.log(
    table([
      [
        'claim',
        'fixed-n 95 % covers',
        'page interval ever misses',
        'false fails',
        'false holds',
        'holds',
        'fails',
        'departs',
      ],
      ...claims.map((c) => [
        c.id,
        of(c.covered),
        of(c.missed),
        of(c.falseFails),
        of(c.falseHolds),
        of(c.holds),
        of(c.fails),
        of(c.departs),
      ]),
    ]),
  );
  for (const page of PAGE_NAMES) {
    const { falseFails, falseHolds } = pages[page];
    console.log(
      `page ${page}: some false fails in ${of(falseFails)}, some false holds in ${of(falseHolds)} of runs`,
    );
  }
  console.log(`ledger (e-BH): ${ledger.given} verdicts given, ${ledger.wrong} of them wrong`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      replications: { type: 'string' },
      scenario: { type: 'string', multiple: true },
      json: { type: 'string' },
    },
  });
  const known = SCENARIOS.map(({ name }) => name);
  const unknown = values.scenario?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`There is no scenario "${unknown}". There are: ${known.join('; ')}.`);
    return 2;
  }
  const replications = Number(values.replications ?? DEFAULT_REPLICATIONS);
  if (!Number.isSafeInteger(replications) || replications < 1) {
    console.error('--replications must be a whole number of at least 1.');
    return 2;
  }
  const chosen = SCENARIOS.filter(({ name }) => values.scenario?.includes(name) ?? true);
  // work grows with responses and looks
  const cost = chosen.map((own) => looksOf(own).reduce((sum, n) => sum + n, 0));
  const total = cost.reduce((a, b) => a + b, 0) * replications;
  const begun = performance.now();
  let done = 0;
  let shown = 0;
  const reports: ScenarioReport[] = [];
  for (const [k, scenario] of chosen.entries()) {
    const report = await calibrateScenario(scenario, replications, () => {
      done += cost[k];
      const now = performance.now();
      if (now - shown < 2000) return;
      shown = now;
      const left = ((now - begun) / 1000 / done) * (total - done);
      process.stderr.write(`\r${scenario.name}, about ${Math.ceil(left)} s left      `);
    });
    process.stderr.write('\n');
    printReport(report);
    reports.push(report);
  }
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify(reports, null, 2)}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
