/**
 * `npm test`: installs what is missing, browsers included, then runs every check and counts; `--full` runs
 * every GPU test in both browsers and properties over more examples (`npm run test:full`). Lint, format,
 * types and the build count as one check each. Prints the slowest ten tests of each suite and the time of
 * each part, and ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { checkNode, ensureChromium, ensureFirefox, installPackages, ROOT, say } from './setup.mjs';

const REPORTS = `${ROOT}.cache/reports`;
const FULL = process.argv.includes('--full');

let passed = 0;
let failed = 0;
/** @type {{ name: string, seconds: number }[]} */
const parts = [];
/** What a reader of the last lines should know. */
const remarks = [];

/**
 * @param {string[]} command
 * @param {{ env?: Record<string, string>, quiet?: boolean }} [options] quiet: shown when it has ended
 * @returns {Promise<boolean>} whether it ended well
 */
function execute([name, ...args], { env = {}, quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(name, args, {
      cwd: ROOT,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...process.env, ...(FULL ? { CHECK_FULL: '1' } : {}), ...env },
      shell: process.platform === 'win32',
    });
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => console.error(`${name}: ${error.message}`));
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(output));
      resolve(code === 0);
    });
  });
}

/** @template T @param {string} name @param {() => Promise<T>} work @returns {Promise<T>} */
async function part(name, work) {
  const start = performance.now();
  try {
    return await work();
  } finally {
    parts.push({ name, seconds: (performance.now() - start) / 1000 });
  }
}

/** One check by its exit status; runs beside others, so that its output is shown when it has ended. */
async function check(name, ...command) {
  const ok = await part(name, () => execute(command, { quiet: true }));
  console.log(`\n> ${name}: ${ok ? 'passed' : 'FAILED'}`);
  if (ok) passed++;
  else failed++;
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A suite that broke before it could report counts as one failure, never as nothing. */
function count(ok, report, passes, failures) {
  passed += passes ?? 0;
  failed += failures ?? 0;
  if (!report || (!ok && !failures)) failed++;
}

/** @param {{ title: string, ms: number }[]} tests */
function slowest(name, tests) {
  const worst = [...tests].sort((a, b) => b.ms - a.ms).slice(0, 10);
  const lines = worst.map(({ title, ms }) => `  ${(ms / 1000).toFixed(1).padStart(6)} s  ${title}`);
  console.log(`\n> Slowest of: ${name}\n${lines.join('\n')}`);
}

async function vitest(name, project, env = {}) {
  say(name);
  const file = `${REPORTS}/${name.replaceAll(/\W+/g, '-')}.json`;
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ok = await part(name, () =>
    execute(['npx', 'vitest', 'run', '--project', project, ...reporters], { env }),
  );
  const report = readReport(file);
  count(ok, report, report?.numPassedTests, report?.numFailedTests);
  const tests = (report?.testResults ?? []).flatMap(({ name: path, assertionResults }) =>
    assertionResults.map(({ fullName, duration }) => ({
      title: `${path.replace(ROOT, '')}: ${fullName}`,
      ms: duration ?? 0,
    })),
  );
  slowest(name, tests);
}

async function playwright(name) {
  say(name);
  const file = `${REPORTS}/e2e.json`;
  const ok = await part(name, () =>
    execute(['npx', 'playwright', 'test', '--reporter=list,json'], {
      env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
    }),
  );
  const report = readReport(file);
  const { expected, unexpected, flaky } = report?.stats ?? {};
  count(ok, report, expected, (unexpected ?? 0) + (flaky ?? 0));
  const specsOf = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specsOf)];
  const tests = (report?.suites ?? []).flatMap(specsOf).flatMap(({ title, tests }) =>
    tests.map(({ projectName, results }) => ({
      title: `[${projectName}] ${title}`,
      ms: results.reduce((sum, { duration }) => sum + duration, 0),
    })),
  );
  slowest(name, tests);
}

async function main() {
  checkNode();
  installPackages();
  await ensureChromium();
  const without = ensureFirefox();
  if (without !== undefined) {
    remarks.push(
      `Not run: the checks in a second browser (${without}). What needs WebGPU ran in Chromium instead.`,
    );
  }
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  // One core each: tests in Node, and beside them what reads the sources.
  const sources = async () => {
    await check(
      'Lint and the borders between folders',
      'npx',
      'eslint',
      '.',
      '--max-warnings',
      '0',
    );
    await check('Format', 'npx', 'prettier', '--check', '--log-level', 'warn', '.');
    await check('Types', 'npx', 'tsc', '-b');
    await check('Build', 'npx', 'vite', 'build', '--logLevel', 'warn');
  };
  await Promise.all([vitest('Unit tests (Node)', 'node'), sources()]);
  for (const seed of FULL ? ['2', '3'] : []) {
    await vitest(`Unit tests (Node), properties with seed ${seed}`, 'node', { FC_SEED: seed });
  }
  await vitest('GPU tests (WebGPU, on a software adapter where there is no GPU)', 'gpu');
  await playwright('End to end against the built site');
}

const start = performance.now();
try {
  await main();
} catch (error) {
  console.error(`npm test failed: ${error.message}`);
  failed++;
}
const minutes = ((performance.now() - start) / 60_000).toFixed(1);
console.log(`\n> Time: ${minutes} min on Node ${process.versions.node}`);
for (const { name, seconds } of parts) {
  console.log(`  ${seconds.toFixed(0).padStart(6)} s  ${name}`);
}
for (const remark of remarks) console.log(`\n> ${remark}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
