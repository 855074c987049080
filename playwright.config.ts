/**
 * End-to-end tests against the built site (`npx vite build` first), in Chromium: once with the policy on
 * WebAssembly and WebGPU switched off, once on WebGPU in software.
 */
import { defineConfig } from '@playwright/test';
import type { Backend } from './e2e/lab';
import { CHROMIUM_FLAGS, systemChromium } from './scripts/chromium';

const executablePath = systemChromium();
const chromium = executablePath === undefined ? {} : { executablePath };
const port = Number(process.env['E2E_PORT'] ?? 4173);

export default defineConfig<{ backend: Backend }>({
  testDir: 'e2e',
  // Software GPUs and two cores take their time; a hanging page still fails.
  timeout: 300_000,
  expect: { timeout: 120_000 },
  workers: 1,
  forbidOnly: true,
  use: {
    baseURL: `http://localhost:${port}/`,
    browserName: 'chromium',
    trace: 'retain-on-failure',
  },
  projects: [
    {
      name: 'wasm',
      use: {
        backend: 'wasm',
        launchOptions: {
          ...chromium,
          args: CHROMIUM_FLAGS.filter((flag) => flag !== '--enable-unsafe-webgpu'),
        },
      },
    },
    {
      name: 'webgpu',
      grep: /first visit|statistics\.spec|data\.spec|reproduce\.spec|commands\.spec|a race: curves/,
      // Compiling the policy's shaders alone takes a software adapter most of a minute.
      timeout: 900_000,
      expect: { timeout: 400_000 },
      use: { backend: 'webgpu', launchOptions: { ...chromium, args: CHROMIUM_FLAGS } },
    },
  ],
  webServer: {
    command: `npx vite preview --port ${port} --strictPort`,
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
  },
});
