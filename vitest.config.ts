/**
 * Two test projects. `node`: everything that needs no GPU. `gpu`: `*.gpu.test.ts` in real, headless
 * browsers with WebGPU; those tests fail where there is no adapter, they never skip.
 * Contract: a room adds a test by naming the file; nothing is listed here by hand.
 */
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { CHROMIUM_FLAGS, systemChromium } from './scripts/chromium.ts';
import { language } from './scripts/vite-language.ts';
import { firefoxLaunch } from './scripts/firefox.ts';

const FULL = process.env['CHECK_FULL'] !== undefined;

const GPU_TESTS = ['{src,bench}/**/*.gpu.test.ts'];

/**
 * What is worth a second browser's time: our own WGSL, of which Chromium has another implementation, and the build
 * of onnxruntime that only it can run.
 */
const CHROMIUM_TESTS = [
  'src/gpu/**/*.gpu.test.ts',
  'src/policy/backends.gpu.test.ts',
  'src/policy/runtime.gpu.test.ts',
];

const executablePath = systemChromium();
const inChromium = playwright({
  launchOptions: {
    args: CHROMIUM_FLAGS,
    ...(executablePath === undefined ? {} : { executablePath }),
  },
});

const firefox = firefoxLaunch(true);

/** Everything in the quicker of two software GPUs, Firefox's, and what is ours in Chromium's too. */
const instances =
  firefox === undefined
    ? [{ browser: 'chromium' as const, include: GPU_TESTS }]
    : [
        {
          browser: 'firefox' as const,
          include: GPU_TESTS,
          provider: playwright({ launchOptions: firefox }),
        },
        { browser: 'chromium' as const, include: FULL ? GPU_TESTS : CHROMIUM_TESTS },
      ];

export default defineConfig({
  test: {
    projects: [
      {
        cacheDir: '.cache/vite-node',
        plugins: [language()],
        test: {
          name: 'node',
          environment: 'node',
          setupFiles: ['./scripts/property-seed.ts'],
          // Node tests share two cores with lint, types and the build.
          testTimeout: 180_000,
          maxWorkers: 2,
          include: ['{src,app,bench,scripts,models/build}/**/*.test.{ts,tsx}'],
          exclude: ['**/*.gpu.test.ts'],
        },
      },
      {
        cacheDir: '.cache/vite-gpu',
        optimizeDeps: { exclude: ['onnxruntime-web'] },
        test: {
          name: 'gpu',
          include: GPU_TESTS,
          env: { CHECK_FULL: FULL ? '1' : '' },
          // Software adapters take seconds where a GPU takes milliseconds.
          testTimeout: 180_000,
          hookTimeout: 60_000,
          // One page at a time: two would share the one adapter.
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: inChromium,
            instances,
          },
        },
      },
    ],
  },
});
