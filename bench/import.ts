/**
 * A person's file of a million tokens, in the built lab: from the drop to the health report and on to the
 * first charts, against reading and JSON-parsing the same file and nothing else. Contract: the two take
 * turns in one page, on one in-memory file; every import starts from a lab that shows another file.
 */
import type { Page } from '@playwright/test';
import { build, preview } from 'vite';
import { withBrowser } from '../scripts/page';

export interface ImportOptions {
  responses: number;
  tokensPerResponse: number;
  rounds: number;
}

export interface ImportRound {
  /** seconds: read and JSON.parse every line; until the health report; until the charts */
  parse: number;
  report: number;
  charts: number;
}

const SITE = new URL('../.cache/bench-site/', import.meta.url).pathname;

export async function benchImport(
  options: ImportOptions,
): Promise<{ bytes: number; rounds: ImportRound[] }> {
  await build({ logLevel: 'warn', build: { outDir: SITE, emptyOutDir: true } });
  const server = await preview({
    logLevel: 'warn',
    build: { outDir: SITE },
    preview: { port: 0, host: '127.0.0.1' },
  });
  try {
    return await withBrowser(async (page) => {
      // esbuild (tsx) names nested functions by a helper that the page does not have.
      await page.addInitScript('globalThis.__name = (it) => it');
      await page.goto(`${server.resolvedUrls?.local[0]}#/data`);
      const bytes = await page.evaluate(makeFiles, options);
      const rounds: ImportRound[] = [];
      // The first pair warms both up and is thrown away.
      for (let round = 0; round <= options.rounds; round++) {
        const parse = await page.evaluate(parseAlone);
        await importOther(page);
        const { report, charts } = await page.evaluate(importWhole, options.responses);
        if (round > 0) rounds.push({ parse, report, charts });
      }
      return { bytes, rounds };
    });
  } finally {
    await server.close();
  }
}

declare global {
  interface Window {
    benchFile: File;
    otherFile: File;
  }
}

/** In the page. @returns bytes of the large file */
function makeFiles({ responses, tokensPerResponse }: ImportOptions): number {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const digits = (x: number) => Number(x.toFixed(7));
  const line = (i: number, length: number) => {
    const logp_old = Array.from({ length }, () => digits(-3 * random()));
    const logp_new = logp_old.map((x) => digits(Math.min(0, x + 0.02 * (random() - 0.5))));
    return JSON.stringify({
      v: 1,
      step: 1,
      group: `q${Math.floor(i / 8)}`,
      logp_old,
      logp_new,
      reward: i % 2,
    });
  };
  const file = (name: string, count: number, length: number) =>
    new File([Array.from({ length: count }, (_, i) => line(i, length)).join('\n')], name);
  window.benchFile = file('million.jsonl', responses, tokensPerResponse);
  window.otherFile = file('other.jsonl', 16, 4);
  return window.benchFile.size;
}

/** In the page. @returns seconds */
async function parseAlone(): Promise<number> {
  const start = performance.now();
  const text = await window.benchFile.text();
  let fields = 0;
  for (const row of text.split('\n')) fields += Object.keys(JSON.parse(row) as object).length;
  if (fields === 0) throw new Error('nothing was parsed');
  return (performance.now() - start) / 1000;
}

const CHARTS = 'Three forms of s, one distribution';

/** Another file first, so that nothing of the large one is on view when its turn comes. */
async function importOther(page: Page): Promise<void> {
  await page.evaluate(() => {
    location.hash = '#/data';
  });
  await page.getByLabel('Your files').waitFor();
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(window.otherFile);
    document
      .querySelector('[aria-label="Your files"]')
      ?.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));
  });
  await page.getByText('other.jsonl').first().waitFor();
  await page.evaluate(() => {
    location.hash = '#/equivalence';
  });
  await page.getByRole('figure', { name: CHARTS }).getByText('16 responses').first().waitFor();
  await page.evaluate(() => {
    location.hash = '#/data';
  });
  await page.getByLabel('Your files').waitFor();
}

/** In the page: drops the large file, then opens the first charts. @returns seconds since the drop */
async function importWhole(responses: number): Promise<{ report: number; charts: number }> {
  const until = async (seen: () => boolean) => {
    const deadline = performance.now() + 300_000;
    while (!seen()) {
      if (performance.now() > deadline) throw new Error('the import did not come to an end');
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  };
  const data = new DataTransfer();
  data.items.add(window.benchFile);
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  document
    .querySelector('[aria-label="Your files"]')
    ?.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));
  await until(
    () =>
      document.querySelector('[data-testid="health"]') !== null &&
      (document.querySelector('[data-testid="report"]')?.textContent ?? '').includes('million'),
  );
  const report = since();
  location.hash = '#/equivalence';
  const caption = `${responses.toLocaleString('en-US')} responses`;
  await until(() =>
    [...document.querySelectorAll('figure')].some((figure) =>
      (figure.textContent ?? '').includes(caption),
    ),
  );
  return { report, charts: since() };
}
