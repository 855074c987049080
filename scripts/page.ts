/**
 * A page of this project in headless Chromium, served from the sources: for benches and for training.
 * Contract: console errors are printed, everything that was started is closed again.
 */
import { chromium, type Page } from '@playwright/test';
import { createServer, defaultClientConditions } from 'vite';
import { CHROMIUM_FLAGS, systemChromium } from './chromium';
import { language } from './vite-language';

const ROOT = new URL('..', import.meta.url).pathname;

/** Threads of a page; what they import is not found by crawling the page. */
export const WORKERS = [
  'src/engine/lab/worker.ts',
  'src/engine/sampler/worker.ts',
  'src/engine/trainer/worker.ts',
];

/** @param path of an HTML file below the project's root; `entries` are crawled for dependencies */
export async function withPage<T>(
  path: string,
  entries: string[],
  use: (page: Page, url: string) => Promise<T>,
): Promise<T> {
  const server = await createServer({
    root: ROOT,
    configFile: false,
    plugins: [language()],
    // One cache a page: a shared one is outdated for the next page, whose first modules then fail to load.
    cacheDir: `${ROOT}.cache/vite-pages/${path.replaceAll('/', '-')}`,
    logLevel: 'warn',
    resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
    // The macros are gone once a file is transformed; crawling finds them all the same.
    optimizeDeps: {
      entries,
      exclude: ['onnxruntime-web', '@lingui/core/macro', '@lingui/react/macro'],
    },
    server: {
      port: 0,
      host: '127.0.0.1',
      hmr: false,
      watch: null,
    },
  });
  await server.listen();
  try {
    return await withBrowser((page) => use(page, `${server.resolvedUrls?.local[0]}${path}`));
  } finally {
    await server.close();
  }
}

/** An empty page of headless Chromium. */
export async function withBrowser<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const executablePath = systemChromium();
  const browser = await chromium
    .launch({ args: CHROMIUM_FLAGS, ...(executablePath ? { executablePath } : {}) })
    .catch((cause: unknown) => {
      const where = executablePath === undefined ? '' : ` from ${executablePath}`;
      throw new Error(
        `Chromium could not be started${where}. Install it, or name one in CHROMIUM_PATH.`,
        { cause },
      );
    });
  try {
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') console.error(`page: ${message.text()}`);
    });
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    return await use(page);
  } finally {
    await browser.close();
  }
}
