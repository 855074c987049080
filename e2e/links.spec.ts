import { expect, finished, startSmall, test } from './lab';
import type { Page } from '@playwright/test';

/** The link of the run in view, fingerprint and all, as the share dialog offers it. */
async function sharedLink(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Share' }).click();
  await expect(page.getByTestId('fingerprint-words')).toContainText('came out the same');
  const link = await page.getByLabel('Link', { exact: true }).inputValue();
  await page.keyboard.press('Escape');
  return link;
}

test('a second browser repeats a shared run and says so; a link that was tampered with is caught', async ({
  page,
  backend,
  browser,
}) => {
  await finished(page, await startSmall(page, backend));
  const link = await sharedLink(page);
  expect(link).toContain('fp=');

  const elsewhere = await browser.newContext();
  const second = await elsewhere.newPage();
  await second.goto(link);
  const comparison = second.getByTestId('comparison');
  await expect(comparison).toContainText('The same as in the link');
  await expect(comparison).toContainText('32 of 32');

  // Other prompts under the same fingerprint.
  await second.goto('about:blank');
  await second.goto(link.replace('prompts=8', 'prompts=8&seed=2'));
  await expect(comparison).toContainText('Not the same as in the link');
  await elsewhere.close();
});

test('back and forward move between pages, and an edited address is followed', async ({ page }) => {
  await page.goto('./#/variance?v=1&source=synthetic&prompts=60&rho=0.5');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/length|variance|1\/L/i);
  await page.getByRole('link', { name: 'Dependence' }).click();
  await expect(page).toHaveURL(/#\/dependence\?.*rho=0\.5/);
  await page.goBack();
  await expect(page).toHaveURL(/#\/variance/);
  await page.goForward();
  await expect(page).toHaveURL(/#\/dependence/);

  const heading = await page.getByRole('heading', { level: 1 }).innerText();
  await page.evaluate(() => {
    location.hash = '#/weights?v=1&source=synthetic&prompts=60&rho=0.25';
  });
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText(heading);
  await expect(page.getByRole('textbox', { name: /Neighbour correlation/ })).toHaveValue('0.25');
});

test('embedded, there is the experiment, a link back, and no more', async ({ page }) => {
  await page.setViewportSize({ width: 640, height: 480 });
  await page.goto('./#/variance?v=1&source=synthetic&prompts=60&embed=1&hide=setup,run');
  await expect(page.getByRole('figure').first()).toBeVisible();
  await expect(page.getByRole('navigation')).toHaveCount(0);
  await expect(page.locator('details.setup-column')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
  const back = page.getByRole('link', { name: /lab/i }).last();
  await expect(back).toHaveAttribute('href', /^(?!.*embed=).*#\/variance/);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(640);
});
