/**
 * The figures of a page as SVG files, as its own Save menu writes them: the run is opened in the lab in
 * headless Chromium, so the pictures are of the very numbers that were found, not of a second run.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { withPage, WORKERS } from './page';

export interface FiguresOf {
  /** a whole run as JSON */
  run: string;
  /** `#/PAGE?...` with the run's settings and the choices on the page */
  hash: string;
  /** what stands before the hash in the link that was given */
  address: string;
}

/** ms; a large run is read and measured in this time */
const PATIENCE = 600_000;
const OPEN_NOTHING = '#/data?v=2&backend=wasm&source=synthetic&prompts=1&groupSize=1';

/** @returns names of the files written into the folder */
export async function saveFigures(figures: FiguresOf, folder: string): Promise<string[]> {
  const temporary = await mkdtemp(join(tmpdir(), 'gspo-lab-'));
  const file = join(temporary, 'experiment.run.json');
  try {
    await writeFile(file, figures.run);
    return await withPage('index.html', ['app/main.tsx', ...WORKERS], async (page, url) => {
      page.setDefaultTimeout(PATIENCE);
      await page.goto(`${url}${OPEN_NOTHING}`);
      // A run that starts by itself would take the place of the file.
      await page.getByTestId('phase').filter({ hasText: 'Finished' }).waitFor();
      await page.locator('input[type=file]').first().setInputFiles(file);
      await page.getByTestId('sequences').filter({ hasText: 'experiment.run.json' }).waitFor();
      await page.evaluate((hash) => {
        location.hash = hash;
      }, figures.hash);
      return saveAll(page, folder, (svg) => svg.replaceAll(url, figures.address));
    });
  } finally {
    await rm(temporary, { recursive: true });
  }
}

async function saveAll(
  page: Page,
  folder: string,
  finish: (svg: string) => string,
): Promise<string[]> {
  await page.locator('figure .plot-chart').first().waitFor();
  await page.locator('.recorded-tag').waitFor({ state: 'detached' });
  const names: string[] = [];
  for (const figure of await page.locator('figure.figure').all()) {
    // What nobody sees is not drawn.
    await figure.scrollIntoViewIfNeeded();
    await figure.locator('.figure-body').waitFor();
    await page.waitForTimeout(500);
    await figure.getByText('Save', { exact: true }).click();
    const coming = page.waitForEvent('download');
    await figure.getByRole('button', { name: 'SVG', exact: true }).click();
    const download = await coming;
    const name = download.suggestedFilename();
    const svg = await readFile(await download.path(), 'utf8');
    await writeFile(join(folder, name), finish(svg));
    names.push(name);
  }
  return names;
}
