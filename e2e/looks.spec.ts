import { expect, finished, openSetup, startSmall, test } from './lab';

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test('nothing scrolls sideways, with the setup open or the inspector', async ({
    page,
    backend,
  }) => {
    const responses = await startSmall(page, backend, { prompts: 6 });
    await finished(page, responses);
    await openSetup(page);
    const sideways = () =>
      page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
    expect(await sideways()).toBe(0);
    await page.getByRole('button', { name: 'see its tokens' }).click();
    await expect(page.getByRole('dialog').getByTestId('readout')).toBeVisible();
    expect(await sideways()).toBe(0);
  });
});

test('dark is dark, light is light, and the choice outlives a reload', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('./');
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
