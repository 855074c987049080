/**
 * Finds the browser that tests, benches and training run in.
 * Contract: the system's Chromium where there is one, else Playwright's own; never downloads.
 */
import { existsSync } from 'node:fs';

/** Software WebGPU included; no traffic of the browser's own. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // A software adapter may take longer over one shader than the watchdog allows, and would be ended.
  '--disable-gpu-watchdog',
];

const SYSTEM_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** undefined means: let Playwright use its own. */
export function systemChromium(): string | undefined {
  return process.env['CHROMIUM_PATH'] ?? SYSTEM_PATHS.find((path) => existsSync(path));
}
