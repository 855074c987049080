/**
 * What `npm start` and `npm test` do first: check Node, install packages, find a browser.
 * Contract: plain Node without dependencies, says what it does, throws with a sentence.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const say = (text) => console.log(`\n> ${text}`);

/** Runs a command in the project's root, its output shown; throws when it fails. */
export function run(command, args, { env = {} } = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`"${command} ${args.join(' ')}" ended with status ${status}.`);
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`GSPO Lab needs Node 20.19 or newer; this is ${process.versions.node}.`);
  }
}

/** `npm ci` unless node_modules is there and newer than the lock file. */
export function installPackages() {
  const installed = `${ROOT}node_modules/.package-lock.json`;
  const lock = `${ROOT}package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say('Installing packages (npm ci) ...');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

const SYSTEM_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/**
 * A Chromium for the tests: the system's, else Playwright's own, else installed here: from the
 * distribution where we may, else by Playwright.
 */
export async function ensureBrowser() {
  if (process.env.CHROMIUM_PATH) return;
  if (SYSTEM_BROWSERS.some((path) => existsSync(path))) return;
  const { chromium } = await import('@playwright/test');
  if (existsSync(chromium.executablePath())) return;
  const mayUseApt = existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
  if (mayUseApt) {
    say('Installing Chromium (apt-get install chromium) ...');
    try {
      run('apt-get', ['update', '-qq'], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
        env: { DEBIAN_FRONTEND: 'noninteractive' },
      });
      if (SYSTEM_BROWSERS.some((path) => existsSync(path))) return;
    } catch (error) {
      console.log(`  ${error.message} Trying Playwright's own browser.`);
    }
  }
  say("Installing Playwright's Chromium (npx playwright install chromium) ...");
  run('npx', ['playwright', 'install', ...(mayUseApt ? ['--with-deps'] : []), 'chromium']);
}

export { say };
