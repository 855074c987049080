/**
 * End-to-end tests against the built site (`npx vite build` first), in two browsers and on both backends:
 * `wasm` is Chromium with WebGPU switched off, and runs everything; the other projects run the specs whose
 * tags name them. What only needs some software WebGPU runs in Firefox on lavapipe, which is the quicker one;
 * a machine without that Firefox runs it in Chromium instead, so that no behaviour goes unchecked.
 */
import { defineConfig } from '@playwright/test';
import type { Backend } from './e2e/lab';
import { CHROMIUM_FLAGS, systemChromium } from './scripts/chromium';
import { firefoxLaunch } from './scripts/firefox';

const executablePath = systemChromium();
const chromium = executablePath === undefined ? {} : { executablePath };
const port = Number(process.env['E2E_PORT'] ?? 4173);

/** Compiling the policy's shaders alone takes a software adapter most of a minute. */
const SOFTWARE = { timeout: 900_000, expect: { timeout: 400_000 } };

const chromiumOn = (backend: Backend) => ({
  backend,
  launchOptions: {
    ...chromium,
    args: CHROMIUM_FLAGS.filter(
      (flag) => backend === 'webgpu' || flag !== '--enable-unsafe-webgpu',
    ),
  },
});

/** undefined where there is no such Firefox */
function firefoxOn(backend: Backend) {
  const launchOptions = firefoxLaunch(backend === 'webgpu');
  if (launchOptions === undefined) return undefined;
  return { backend, browserName: 'firefox' as const, launchOptions };
}

const firefox = { wasm: firefoxOn('wasm'), webgpu: firefoxOn('webgpu') };

export default defineConfig<{ backend: Backend }>({
  testDir: 'e2e',
  // Software GPUs and two cores take their time; a hanging page still fails.
  timeout: 600_000,
  expect: { timeout: 240_000 },
  forbidOnly: true,
  // WebAssembly and the main thread of a page keep one core busy; a software GPU takes them all.
  workers: 2,
  use: {
    baseURL: `http://localhost:${port}/`,
    browserName: 'chromium',
    // A trace records every page all along, which takes a core's time: ask for one (`--trace on`) when a
    // picture of the end does not tell.
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'wasm', grepInvert: /@elsewhere/, use: chromiumOn('wasm') },
    {
      name: 'webgpu',
      grep: /@webgpu/,
      workers: 1,
      ...SOFTWARE,
      use: firefox.webgpu ?? chromiumOn('webgpu'),
    },
    ...(firefox.webgpu === undefined
      ? []
      : [
          {
            name: 'webgpu-chromium',
            grep: /@smoke/,
            workers: 1,
            ...SOFTWARE,
            use: chromiumOn('webgpu'),
          },
        ]),
    ...(firefox.wasm === undefined
      ? []
      : [{ name: 'wasm-firefox', grep: /@firefox/, use: firefox.wasm }]),
  ],
  webServer: {
    command: `npx vite preview --port ${port} --strictPort`,
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
  },
});
