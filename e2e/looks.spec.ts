import { expect, finished, NO_POLICY, openSetup, sideways, test } from './lab';

test('nothing scrolls sideways on a phone, with the setup open or the inspector', async ({
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`./#/equivalence?${NO_POLICY}`);
  await finished(page, 32);
  await openSetup(page);
  expect(await sideways(page)).toBe(0);
  await page.getByRole('button', { name: 'see its tokens' }).click();
  await expect(page.getByRole('dialog').getByTestId('readout')).toBeVisible();
  expect(await sideways(page)).toBe(0);
});

test('dark is dark, light is light, and the choice outlives a reload', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`./#/equivalence?${NO_POLICY}`);
  const brightness = () =>
    page.evaluate(() => {
      const [r = 0, g = 0, b = 0] = (
        getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []
      ).map(Number);
      return (r + g + b) / 3;
    });
  expect(await brightness()).toBeGreaterThan(200);
  await page.getByRole('button', { name: 'dark' }).click();
  expect(await brightness()).toBeLessThan(60);
  await page.reload();
  expect(await brightness()).toBeLessThan(60);
  await page.getByRole('button', { name: 'system' }).click();
  expect(await brightness()).toBeGreaterThan(200);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
});
