/**
 * `npm run calibrate [-- --replications N] [--scenario WORDS ...] [--json FILE] [--markdown FILE]`: do verdicts err as
 * seldom as they say? Prints a table per scenario to stdout, progress and time left to stderr. The JSON is written after
 * every scenario; what it already holds of the same scenario and size is taken over, so that a run that was cut off goes
 * on. Scenarios at the margin take half the replications. Exit status 0 when it ran (what it finds is a result, not an
 * error), 2 when it could not.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { calibrateScenario, type ScenarioReport } from '../src/calibration/calibrate';
import { wilson } from '../src/math/stats/intervals';
import { looksOf, PAGE_NAMES, SCENARIOS, type Scenario } from '../src/calibration/scenarios';
import { calibrationDocument } from './calibration-markdown';

const DEFAULT_REPLICATIONS = 250;
const REFERENCE_RUNS = 20;

const percent = (hits: number, n: number): string => {
  const [low, high] = wilson(hits, n);
  const round = (x: number) => (100 * x).toFixed(1);
  return `${round(hits / n)} % [${round(low)}, ${round(high)}]`;
};

/** Large runs that are looked at, or that stand beside others of their kind, are drawn half as often. */
const replicationsOf = ({ kind, plan }: Scenario, replications: number): number =>
  kind === 'clean' || plan.prompts < 100 ? replications : Math.ceil(replications / 2);

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
  const { scenario, replications: n, claims, pages, ledger, looks, about } = report;
  const of = (hits: number): string => percent(hits, n);
  console.log(`\n${scenario}: ${n} runs, ${looks} look${looks === 1 ? '' : 's'} each`);
  console.log(
    table([
      [
        'claim',
        'truth',
        'fixed-n 95 % covers',
        'ever misses',
        'false fails',
        'false holds',
        'holds',
      ],
      ...claims.map((c) => [
        about.includes(c.id) ? `${c.id} *` : c.id,
        c.truth === null ? 'not known' : c.truth.toPrecision(3),
        c.judged > 0 ? percent(c.covered, c.judged) : '-',
        of(c.missed),
        of(c.falseFails),
        of(c.falseHolds),
        of(c.holds),
      ]),
    ]),
  );
  for (const page of PAGE_NAMES) {
    const own = pages[page];
    if (own === undefined) continue;
    console.log(
      `page ${page}: some false fails in ${of(own.falseFails)}, some false holds in ${of(own.falseHolds)}, ` +
        `some interval ever misses in ${of(own.missed)} of runs`,
    );
  }
  console.log(`ledger (e-BH): ${ledger.given} verdicts given, ${ledger.wrong} of them wrong`);
}

/** What the file holds already; nothing where there is none. */
async function earlier(file: string | undefined): Promise<ScenarioReport[]> {
  if (file === undefined) return [];
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return [];
  }
  const held: unknown = JSON.parse(text);
  if (!Array.isArray(held)) throw new Error(`${file} holds no calibration: name another file.`);
  return held as ScenarioReport[];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      replications: { type: 'string' },
      scenario: { type: 'string', multiple: true },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const unknown = values.scenario?.find(
    (words) => !SCENARIOS.some(({ name }) => name.includes(words)),
  );
  if (unknown !== undefined) {
    const names = SCENARIOS.map(({ name }) => name).join('\n  ');
    console.error(`No scenario has "${unknown}" in its name. There are:\n  ${names}`);
    return 2;
  }
  const replications = Number(values.replications ?? DEFAULT_REPLICATIONS);
  if (!Number.isSafeInteger(replications) || replications < 1) {
    console.error('--replications must be a whole number of at least 1.');
    return 2;
  }
  const chosen = SCENARIOS.filter(
    ({ name }) => values.scenario?.some((words) => name.includes(words)) ?? true,
  );
  const held = await earlier(values.json);
  // work grows with responses, looks and pages
  const cost = chosen.map(
    (own) =>
      looksOf(own).reduce((sum, n) => sum + 60 + n, 0) *
      own.pages.length *
      replicationsOf(own, replications),
  );
  let total = cost.reduce((a, b) => a + b, 0);
  const begun = performance.now();
  let done = 0;
  let shown = 0;
  const reports: ScenarioReport[] = [];
  for (const [k, scenario] of chosen.entries()) {
    const runs = replicationsOf(scenario, replications);
    const same = held.find(
      (own) =>
        own.scenario === scenario.name &&
        own.replications === runs &&
        JSON.stringify(own.plan) === JSON.stringify(scenario.plan),
    );
    if (same !== undefined) {
      total -= cost[k];
      reports.push(same);
      printReport(same);
      continue;
    }
    const report = await calibrateScenario(scenario, runs, {
      reference: REFERENCE_RUNS,
      onReplication() {
        done += cost[k] / runs;
        const now = performance.now();
        if (now - shown < 2000) return;
        shown = now;
        const left = ((now - begun) / 1000 / done) * (total - done);
        process.stderr.write(`\r${scenario.name}, about ${Math.ceil(left)} s left      `);
      },
    });
    process.stderr.write('\n');
    printReport(report);
    reports.push(report);
    if (values.json !== undefined) {
      const others = held.filter(
        (own) => !reports.some(({ scenario: name }) => name === own.scenario),
      );
      await writeFile(values.json, `${JSON.stringify([...reports, ...others], null, 1)}\n`);
    }
  }
  if (values.markdown !== undefined) await writeFile(values.markdown, calibrationDocument(reports));
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
