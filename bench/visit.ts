/**
 * The default visit of an earlier commit and of this one: from the address to the first figure of one's own, and to
 * 512 responses that are sampled and scored under both policies. Contract: both sites are built here and served by
 * the same server; visits take turns, each in a browser of its own (no cache, no storage); the machine is idle but
 * for them, or the ratios are what can be quoted at most.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { build, preview, type PreviewServer } from 'vite';
import { CHROMIUM_FLAGS, systemChromium } from '../scripts/chromium';

const ROOT = new URL('../', import.meta.url).pathname;
const CACHE = `${ROOT}.cache/bench-visit`;

/** The day before sampling was taken on. */
export const BASELINE = '3641125';

/** 64 prompts, 8 responses to each: what the default was then; links of that version mean the same today. */
const LINK = '#/equivalence?v=1&backend=wasm';

export interface Visit {
  /** s from the address to the first figure of the visit's own run */
  first: number;
  /** s to the end of the run */
  whole: number;
  /** ms: the longest task on the page's thread */
  longestTask: number;
}

export interface VisitRound {
  ours: Visit;
  before: Visit;
}

async function siteOf(root: string, name: string): Promise<PreviewServer> {
  const outDir = `${CACHE}/${name}`;
  const config = { root, configFile: `${root}/vite.config.ts`, logLevel: 'error' } as const;
  await build({ ...config, build: { outDir, emptyOutDir: true } });
  return preview({ ...config, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
}

/** The sources of a commit, with today's dependencies. */
function checkout(commit: string): string {
  const folder = `${CACHE}/${commit}`;
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, stdio: 'pipe' });
  if (!existsSync(folder)) git('worktree', 'add', '--detach', folder, commit);
  const modules = `${folder}/node_modules`;
  if (!existsSync(modules)) symlinkSync(`${ROOT}node_modules`, modules);
  return folder;
}

export async function benchVisit(rounds: number, commit = BASELINE): Promise<VisitRound[]> {
  const folder = checkout(commit);
  const before = await siteOf(folder, 'before');
  const ours = await siteOf(ROOT.slice(0, -1), 'ours');
  try {
    const addresses = [ours, before].map((site) => `${site.resolvedUrls?.local[0]}${LINK}`);
    const measured: VisitRound[] = [];
    for (let round = 0; round < rounds; round++) {
      const [a, b] = [await visit(addresses[0] ?? ''), await visit(addresses[1] ?? '')];
      measured.push({ ours: a, before: b });
    }
    return measured;
  } finally {
    await Promise.all([before.close(), ours.close()]);
    execFileSync('git', ['worktree', 'remove', '--force', folder], { cwd: ROOT, stdio: 'pipe' });
  }
}

const TITLE = 'Three forms of s, one distribution';

async function visit(address: string): Promise<Visit> {
  const executablePath = systemChromium();
  const browser = await chromium.launch({
    args: CHROMIUM_FLAGS,
    ...(executablePath ? { executablePath } : {}),
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    await page.addInitScript(() => {
      Object.assign(window, { longestTask: 0 });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) {
          window.longestTask = Math.max(window.longestTask, duration);
        }
      }).observe({ type: 'longtask', buffered: true });
    });
    const began = performance.now();
    const since = () => (performance.now() - began) / 1000;
    await page.goto(address);
    await page.waitForFunction((title) => {
      const figures = [...document.querySelectorAll('figure')];
      const text = figures.find((one) => one.textContent.includes(title))?.textContent ?? '';
      return /[1-9]\d* responses/.test(text) && !/recorded/i.test(text);
    }, TITLE);
    const first = since();
    await page.waitForFunction(
      () => document.querySelector('[data-testid="phase"]')?.textContent === 'Finished',
    );
    const whole = since();
    return { first, whole, longestTask: await page.evaluate(() => window.longestTask) };
  } finally {
    await browser.close();
  }
}

declare global {
  interface Window {
    longestTask: number;
  }
}
