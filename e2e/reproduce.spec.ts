import { readFile } from 'node:fs/promises';
import { expect, test } from './lab';

test.setTimeout(900_000);

test('reproduce fills the ledger claim by claim, outlives a look at another page, and can be cancelled', async ({
  page,
  backend,
}) => {
  await page.goto('./#/reproduce');
  const status = page.getByTestId('reproduce-status');
  await expect(status).toHaveText('not started');
  const seed = page.getByRole('region', { name: 'Reproduction' }).getByLabel('Seed');
  const backendName = backend === 'wasm' ? 'WebAssembly' : 'WebGPU';
  await page.getByRole('button', { name: backendName, exact: true }).click();
  await seed.fill('seven');
  await expect(page.getByRole('button', { name: 'Reproduce', exact: true })).toBeDisabled();
  await seed.fill('7');
  await page.getByRole('button', { name: 'Reproduce', exact: true }).click();
  await expect(status).toHaveText('running');
  await expect(page.getByRole('region', { name: 'Reproduction' })).toContainText(
    /[1-9]\d* of \d+; about .* left/,
  );

  await page.getByRole('link', { name: 'Variance' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('variance');
  await page.getByRole('link', { name: 'Reproduce' }).click();
  await expect(status).toHaveText('running');

  const near = page.getByRole('region', { name: /^Near pair/ });
  const lines = near.locator('tbody tr');
  await expect(lines.filter({ hasText: 'length.ratio' })).toBeVisible({ timeout: 600_000 });
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(status).toHaveText('cancelled, incomplete');

  const claims = await lines.count();
  expect(claims).toBeGreaterThan(15);
  for (const id of [
    'equivalence.geometric',
    'variance.slope',
    'dependence.icc',
    'weights.pareto',
  ]) {
    await expect(near.getByRole('link', { name: id })).toHaveAttribute(
      'href',
      `#/${id.split('.')[0]}`,
    );
  }
  const counts = (await page.getByTestId('counts-near').innerText()).match(/\d+/g) ?? [];
  expect(counts.reduce((sum, n) => sum + Number(n), 0)).toBe(claims);

  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const download = await waiting;
  expect(download.suggestedFilename()).toBe('gspo-lab-ledger-seed-7.csv');
  const csv = await readFile(await download.path(), 'utf8');
  expect(csv.match(/^near,/gm)).toHaveLength(claims);
  // what is not complete is not offered as a ledger
  await expect(page.getByRole('button', { name: 'JSON' })).toBeDisabled();
});

test('on paper there is the report and nothing to press', async ({ page }) => {
  await page.goto('./#/reproduce');
  await expect(page.getByTestId('reproduce-status')).toBeVisible();
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('button')).toHaveCount(0);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Provenance' })).toBeVisible();
});
