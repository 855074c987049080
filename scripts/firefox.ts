/**
 * Finds the second browser that tests run in: the distribution's Firefox on lavapipe (Mesa's software Vulkan),
 * another implementation of WebGPU and WGSL than Chromium's. Contract: never downloads; undefined where one
 * of the two is missing.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LaunchOptions } from '@playwright/test';

const SYSTEM_PATHS = ['/usr/bin/firefox-esr'];
const VULKAN_DRIVERS = '/usr/share/vulkan/icd.d';

export function systemFirefox(): string | undefined {
  return process.env['FIREFOX_PATH'] ?? SYSTEM_PATHS.find((path) => existsSync(path));
}

function lavapipe(): string | undefined {
  const files = existsSync(VULKAN_DRIVERS) ? readdirSync(VULKAN_DRIVERS) : [];
  const file = files.find((name) => /^lvp_icd.*\.json$/.test(name));
  return file === undefined ? undefined : join(VULKAN_DRIVERS, file);
}

/** Where no session has one, as on a server. */
function runtimeFolder(): string {
  const folder = fileURLToPath(new URL('../.cache/firefox', import.meta.url));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** @param webgpu whether pages find an adapter */
export function firefoxLaunch(webgpu: boolean): LaunchOptions | undefined {
  const firefox = systemFirefox();
  const driver = lavapipe();
  if (firefox === undefined || driver === undefined) return undefined;
  const { XDG_RUNTIME_DIR = runtimeFolder() } = process.env;
  return {
    // Playwright's name for a Firefox that is driven over WebDriver BiDi, not by a build of its own.
    channel: 'moz-firefox',
    executablePath: fileURLToPath(new URL('firefox-bidi.mjs', import.meta.url)),
    env: {
      ...(process.env as Record<string, string>),
      FIREFOX_PATH: firefox,
      VK_DRIVER_FILES: driver,
      XDG_RUNTIME_DIR,
    },
    firefoxUserPrefs: {
      'dom.webgpu.enabled': webgpu,
      'dom.webgpu.workers.enabled': webgpu,
      'gfx.webgpu.ignore-blocklist': true,
      'dom.webgpu.allow-software-adapters': true,
      'dom.webgpu.wgpu-backend': 'vulkan',
      // No traffic of the browser's own.
      'app.normandy.enabled': false,
      'services.settings.server': 'data:,',
    },
  };
}
