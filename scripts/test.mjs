/**
 * `npm test`: installs what is missing, browser included, then runs every check and counts.
 * Lint, format, types and the build count as one check each. Ends with `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { checkNode, ensureBrowser, installPackages, ROOT, say } from './setup.mjs';

const REPORTS = `${ROOT}.cache/reports`;
let passed = 0;
let failed = 0;

function execute(command, args, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
  });
  return status === 0;
}

function check(name, command, args) {
  say(name);
  if (execute(command, args)) passed++;
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

function vitest(name, project) {
  say(name);
  const file = `${REPORTS}/${project}.json`;
  const ok = execute('npx', [
    ...['vitest', 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
  ]);
  const report = readReport(file);
  count(ok, report, report?.numPassedTests, report?.numFailedTests);
}

function playwright(name) {
  say(name);
  const file = `${REPORTS}/e2e.json`;
  const ok = execute('npx', ['playwright', 'test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: file,
  });
  const report = readReport(file);
  const { expected, unexpected, flaky } = report?.stats ?? {};
  count(ok, report, expected, (unexpected ?? 0) + (flaky ?? 0));
}

try {
  checkNode();
  installPackages();
  await ensureBrowser();
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  check('Lint and the borders between rooms', 'npx', ['eslint', '.', '--max-warnings', '0']);
  check('Format', 'npx', ['prettier', '--check', '--log-level', 'warn', '.']);
  check('Types', 'npx', ['tsc', '-p', '.']);
  vitest('Unit tests (Node)', 'node');
  vitest('Tests in a real browser on WebGPU (software adapter where there is no GPU)', 'gpu');
  check('Build', 'npx', ['vite', 'build', '--logLevel', 'warn']);
  playwright('End to end against the built site');
} catch (error) {
  console.error(`npm test failed: ${error.message}`);
  failed++;
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
