import { expect, finished, phase, sequences, startSmall, test } from './lab';

const runs = { name: 'Runs', exact: true } as const;

test('a run that a reload cut off is offered again and goes on to its end', async ({
  page,
  backend,
}) => {
  await startSmall(page, backend, { prompts: 32, groupSize: 8 });
  await expect(sequences(page)).toHaveText(/^[1-9]\d* of 256 responses$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveText('Paused');
  const held = Number.parseInt(await sequences(page).innerText(), 10);
  await expect(page.getByTestId('keeping')).toHaveText('kept');

  await page.reload();
  const offer = page.getByTestId('cut-off');
  await expect(offer).toContainText(`after ${held} responses of 256`);
  await offer.getByRole('button', { name: 'Resume it' }).click();
  await finished(page, 256);
});

test('kept runs name their differences, can be deleted and brought back, and leave as files', async ({
  page,
  backend,
}) => {
  await finished(page, await startSmall(page, backend));
  await finished(page, await startSmall(page, backend, { prompts: 6 }));
  await page.getByRole('button', runs).click();
  const kept = page.getByTestId('kept');
  await expect(kept).toHaveCount(2);
  await expect(page.getByTestId('differences')).toContainText(/prompts/i);

  await kept.last().getByRole('button', { name: 'Delete' }).click();
  await expect(kept).toHaveCount(1);
  await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
  await expect(kept).toHaveCount(2);

  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Responses, CSV' }).first().click();
  const file = await coming;
  expect(file.suggestedFilename()).toMatch(/\.csv$/);
});
