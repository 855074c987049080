/**
 * What another browser shall do as well, on both backends: repeat what Chromium found, and show every page.
 * In Chromium itself this is checked page by page in the other specs.
 */
import { chromium } from '@playwright/test';
import { CHROMIUM_FLAGS, systemChromium } from '../scripts/chromium';
import { expect, finished, goTo, sharedLink, startSmall, test } from './lab';

const ELSEWHERE = { tag: ['@webgpu', '@firefox', '@elsewhere'] };

test(
  'a link made in Chromium comes out the same',
  ELSEWHERE,
  async ({ page, backend, baseURL }) => {
    const executablePath = systemChromium();
    const maker = await chromium.launch({
      args: CHROMIUM_FLAGS.filter((flag) => flag !== '--enable-unsafe-webgpu'),
      ...(executablePath === undefined ? {} : { executablePath }),
    });
    const made = await maker.newPage({ baseURL: baseURL ?? '' });
    await finished(made, await startSmall(made, 'wasm', { prompts: 4 }));
    const link = await sharedLink(made);
    await maker.close();

    await page.goto(link.replace('backend=wasm', `backend=${backend}`));
    await finished(page, 16);
    const words = backend === 'wasm' ? 'WebAssembly' : 'WebGPU';
    await expect(page.getByTestId('backend')).toContainText(`policy on ${words}`);
    await expect(page.getByTestId('comparison')).toContainText('The same as in the link');
    await expect(page.getByTestId('comparison')).toContainText('16 of 16');
  },
);

const WITHOUT_FIGURES = new Set([
  'train',
  'data',
  'mismatch',
  'reproduce',
  'experts',
  'class',
  'device',
  'lessons',
]);

test('every page opens and draws its figures', ELSEWHERE, async ({ page, backend }) => {
  await page.goto(`./#/variance?v=1&backend=${backend}&source=synthetic&prompts=40&maxLength=24`);
  await finished(page, 320);
  const menu = page.getByRole('navigation', { name: 'Experiments', exact: true });
  const links = await menu.getByRole('link').all();
  expect(links.length).toBeGreaterThan(10);
  let drawn = 0;
  for (const link of links) {
    const id = /#\/([\w-]+)/.exec((await link.getAttribute('href')) ?? '')?.[1] ?? '';
    await goTo(page, id);
    // No figures before there was a race, a file, a sampler, a reproduction, or a policy with experts; nor where there
    // are tables and texts.
    if (WITHOUT_FIGURES.has(id)) continue;
    await expect(page.getByRole('figure').first(), id).toBeVisible();
    for (const figure of await page.getByRole('figure').all()) {
      // Figures draw once they are seen.
      await figure.scrollIntoViewIfNeeded();
      await expect(figure.locator('svg, canvas, table, .plot-empty').first(), id).toBeVisible();
      drawn++;
    }
  }
  expect(drawn).toBeGreaterThan(20);
});
