import { expect, figure, finished, HISTOGRAMS, read, startSmall, test } from './lab';

test('a bar leads to its responses, a response to its tokens, and the tokens to s', async ({
  page,
  backend,
}) => {
  const responses = await startSmall(page, backend);
  await finished(page, responses);
  await expect(figure(page, HISTOGRAMS)).toContainText(`${responses} responses`);

  // The fullest bar, by keyboard alone.
  const bars = figure(page, HISTOGRAMS).locator('[role="button"][data-bin]');
  const counts = await bars.evaluateAll((all) =>
    all.map((bar) => Number(bar.getAttribute('data-count'))),
  );
  const fullest = counts.indexOf(Math.max(...counts));
  await bars.nth(fullest).focus();
  await page.keyboard.press('Enter');
  const list = page.getByTestId('sequence-list').getByRole('button');
  await expect(list.first()).toBeVisible();
  // The list is counted in float64, the bar by the kernels; a response may sit on the bin's edge.
  expect(Math.abs((await list.count()) - (counts[fullest] ?? 0))).toBeLessThanOrEqual(1);

  await list.first().click();
  const drawer = page.getByRole('dialog');
  const fact = async (name: string) =>
    read(await drawer.locator('.facts > div', { hasText: name }).first().locator('dd').innerText());
  const logWeight = await fact('log s');
  const length = await fact('tokens L');
  await expect(drawer.locator('[data-token]')).toHaveCount(length);

  await drawer.locator('[data-token="0"]').focus();
  await page.keyboard.press('End');
  const readout = drawer.getByTestId('readout');
  await expect(readout).toContainText(`t = ${length} of ${length}`);
  const last = read(
    await readout.locator('div', { hasText: 'mean of d' }).locator('dd').innerText(),
  );
  expect(Math.abs(last - logWeight)).toBeLessThan(1e-6);

  await page.keyboard.press('Escape');
  await expect(drawer).toHaveCount(0);
});
