/** A figure as a file: alone, without the page, it is still the figure, and says where it comes from. */
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, figure, finished, phase, sequences, test, openSetup, tableBehind } from './lab';

const TITLE = 'Three forms of s, one distribution';
const LINK = '#/equivalence?v=3&source=synthetic&backend=wasm&prompts=40&seed=3&bins=24';

async function save(page: Page, title: string, kind: 'SVG' | 'PNG' | 'CSV'): Promise<Buffer> {
  const shown = figure(page, title);
  await shown.scrollIntoViewIfNeeded();
  await shown.getByText('Save', { exact: true }).click();
  const coming = page.waitForEvent('download');
  await shown.getByRole('button', { name: kind, exact: true }).click();
  const file = await coming;
  expect(file.suggestedFilename()).toMatch(
    new RegExp(`^gspo-lab-.*-seed-3\\.${kind.toLowerCase()}$`),
  );
  return readFile(await file.path());
}

test('the picture stands alone as SVG and as PNG, the numbers as CSV, each with its stamp', async ({
  page,
}) => {
  await page.goto(`./${LINK}`);
  await finished(page, 320);

  const svg = (await save(page, TITLE, 'SVG')).toString('utf8');
  expect(svg).toContain(`<title>${TITLE}</title>`);
  expect(svg).toContain(LINK.replaceAll('&', '&amp;'));
  expect(svg).toContain('"seed":3');
  for (const name of ['Geometric mean', 'Perplexity ratio', 'Cross-entropy change']) {
    expect(svg).toContain(name);
  }
  // Nothing is left to a style sheet, and nothing is loaded.
  expect(svg).not.toMatch(/var\(|currentcolor|class=|<style|<script|href="(?!data:)/i);
  const drawn = await page.evaluate(coloursOf, svg);
  expect(drawn.width).toBeGreaterThan(300);
  // The three forms, #0072b2, #d55e00 and #009e73, each fill many pixels.
  expect(drawn.inks.every((pixels) => pixels > 200)).toBe(true);

  const png = await save(page, TITLE, 'PNG');
  expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
  expect(png.readUInt32BE(16)).toBe(2 * drawn.width);

  const csv = (await save(page, TITLE, 'CSV')).toString('utf8').split('\r\n');
  expect(csv).toContain('# seed: 3');
  const rows = csv.filter((line) => line !== '' && !line.startsWith('#')).slice(1);
  const geometric = rows.map((line) => Number(line.split(',')[2]));
  expect(geometric.reduce((sum, n) => sum + n, 0)).toBe(320);

  const cloud = (await save(page, 'One form against another', 'SVG')).toString('utf8');
  expect(cloud.match(/<path/g)?.length).toBeGreaterThanOrEqual(320);
});

test('thousands of points are a canvas on the page, and an image in the file', async ({ page }) => {
  await page.goto(`./${LINK.replace('prompts=40', 'prompts=160')}`);
  await finished(page, 1280);
  const cloud = (await save(page, 'One form against another', 'SVG')).toString('utf8');
  expect(cloud).toContain('href="data:image/png;base64,');
});

test('a file of many rows has them all, though the table on the page has the first 500 and says so', async ({
  page,
}) => {
  await page.goto(
    './#/equivalence?v=2&source=synthetic&backend=wasm&prompts=80&seed=3&maxLength=24',
  );
  await finished(page, 640);
  const title = 'One form against another';
  const csv = (await save(page, title, 'CSV')).toString('utf8');
  const lines = csv.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines).toHaveLength(1 + 640);
  expect(await tableBehind(page, title)).toHaveLength(500);
  await expect(figure(page, title)).toContainText('500 of 640 rows');
});

/** In the page: draws the picture without it, and counts pixels of the forms' colours. */
async function coloursOf(svg: string) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const inks = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
  ].map((ink) => {
    let pixels = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (ink.every((level, k) => Math.abs(data[i + k] - level) < 12)) pixels++;
    }
    return pixels;
  });
  return { width: canvas.width, inks };
}

test('a whole run as JSON, dropped on another browser, is the same run', async ({
  page,
  browser,
}) => {
  await page.goto(`./${LINK}`);
  await finished(page, 320);
  await page.getByRole('button', { name: 'Runs', exact: true }).click();
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Whole run, JSON' }).first().click();
  const path = await (await coming).path();
  await page.getByRole('button', { name: /Close the runs/ }).click();
  const here = (await save(page, TITLE, 'CSV')).toString('utf8');

  const elsewhere = await browser.newContext({ acceptDownloads: true });
  const other = await elsewhere.newPage();
  await other.goto('./#/data?v=1&backend=wasm&source=synthetic&prompts=2');
  await other
    .locator('input[type=file]')
    .first()
    .setInputFiles({
      name: 'gspo.run.json',
      mimeType: 'application/json',
      buffer: await readFile(path),
    });
  await expect(phase(other)).toHaveText('Finished');
  await expect(sequences(other)).toHaveText('320 of 320 responses, from gspo.run.json');
  await other
    .getByRole('navigation', { name: 'Experiments', exact: true })
    .getByRole('link', { name: 'Equivalence' })
    .click();
  await other.getByRole('button', { name: '24 bins' }).click();
  await expect(figure(other, TITLE).locator('[data-bin]')).toHaveCount(3 * 24);
  const there = (await save(other, TITLE, 'CSV')).toString('utf8');
  const numbers = (csv: string) => csv.split('\r\n').filter((line) => !line.startsWith('#'));
  expect(numbers(there)).toEqual(numbers(here));
  expect(there).toContain('# seed: 3');
  // The file brings its settings back.
  await openSetup(other);
  await expect(other.getByLabel('Prompts', { exact: true })).toHaveValue('40');
  await expect(other.getByLabel('Seed', { exact: true })).toHaveValue('3');
  await expect(other.getByTestId('setup-differs')).toHaveCount(0);
  await elsewhere.close();
});

test('a file of numbers is the same in every language: points, and English headings', async ({
  page,
}) => {
  const rowsIn = async (lang: 'en' | 'pl') => {
    await page.goto('about:blank');
    await page.goto(
      `./#/variance?v=3&backend=wasm&source=synthetic&prompts=40&maxLength=24&lang=${lang}`,
    );
    await expect(page.locator('html')).toHaveAttribute('lang', lang);
    await expect(page.getByTestId('phase')).toHaveText(lang === 'en' ? 'Finished' : 'Zakończono');
    const figure = page.getByRole('figure', { name: 'Variance of log s against length' });
    await figure.locator('.figure-save summary').click();
    const coming = page.waitForEvent('download');
    await figure.getByRole('button', { name: 'CSV', exact: true }).click();
    const text = await readFile(await (await coming).path(), 'utf8');
    return text.split('\r\n').filter((line) => !line.startsWith('#'));
  };
  const english = await rowsIn('en');
  expect(english.length).toBeGreaterThan(5);
  expect(english.join('\n')).toMatch(/\d\.\d/);
  expect(await rowsIn('pl')).toEqual(english);
});
