/**
 * What `npm start` and `npm test` do first: check Node, install packages, find the browsers.
 * Contract: plain Node without dependencies, says what it does, throws with a sentence.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
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
  const oldest = { 20: 19, 22: 13 }[major] ?? (major < 24 ? Infinity : 0);
  if (minor < oldest) {
    const versions = 'Node 20 from 20.19 on, 22 from 22.13 on, or 24 and newer';
    throw new Error(`GSPO Lab needs ${versions}; this is ${process.versions.node}.`);
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
/** Not `firefox`: on Ubuntu that is a snap, which can't be driven with a profile of ours. */
const SYSTEM_FIREFOX = ['/usr/bin/firefox-esr'];
const VULKAN_DRIVERS = '/usr/share/vulkan/icd.d';

const there = (paths) => paths.some((path) => existsSync(path));
const mayUseApt = () => existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;

/** @returns whether it worked; says why where it did not */
function aptInstall(...packages) {
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
  say(`Installing ${packages.join(' and ')} (apt-get install) ...`);
  try {
    run('apt-get', ['update', '-qq'], options);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
    return true;
  } catch (error) {
    console.log(`  ${error.message}`);
    return false;
  }
}

/**
 * A Chromium for the tests: the system's, else Playwright's own, else installed here: from the
 * distribution where we may, else by Playwright.
 */
export async function ensureChromium() {
  if (process.env.CHROMIUM_PATH || there(SYSTEM_BROWSERS)) return;
  const { chromium } = await import('@playwright/test');
  if (existsSync(chromium.executablePath())) return;
  if (mayUseApt() && aptInstall('chromium') && there(SYSTEM_BROWSERS)) return;
  say("Installing Playwright's Chromium (npx playwright install chromium) ...");
  run('npx', ['playwright', 'install', ...(mayUseApt() ? ['--with-deps'] : []), 'chromium']);
}

/**
 * The second browser: the distribution's Firefox on lavapipe, installed where we may.
 * @returns why there is none, or undefined
 */
export function ensureFirefox() {
  const firefox = () => Boolean(process.env.FIREFOX_PATH) || there(SYSTEM_FIREFOX);
  const driver = () =>
    existsSync(VULKAN_DRIVERS) && readdirSync(VULKAN_DRIVERS).some((name) => /^lvp_icd/.test(name));
  const missing = () => [
    ...(firefox() ? [] : ['firefox-esr']),
    ...(driver() ? [] : ['mesa-vulkan-drivers']),
  ];
  if (missing().length > 0 && mayUseApt()) aptInstall(...missing());
  return missing().length === 0 ? undefined : `${missing().join(' and ')} not installed`;
}

export { say };
