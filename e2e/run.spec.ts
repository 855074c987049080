import {
  expect,
  figure,
  finished,
  HISTOGRAMS,
  openSetup,
  phase,
  sequences,
  startByPanel,
  startSmall,
  tableBehind,
  test,
} from './lab';

test('a first visit runs by itself, live, and a small run comes to its end and verdict', async ({
  page,
  backend,
}) => {
  await page.goto('./');
  await expect(sequences(page)).toHaveText(/\d+ of 512 responses/, { timeout: 120_000 });

  const responses = await startByPanel(page, backend);
  await finished(page, responses);
  const words = backend === 'wasm' ? 'WebAssembly' : 'WebGPU';
  await expect(page.getByTestId('backend')).toContainText(`policy on ${words}`);
  await expect(figure(page, HISTOGRAMS)).toContainText(`${responses} responses`);
  await expect(figure(page, HISTOGRAMS)).not.toContainText('recorded');
  await expect(page.getByTestId('verdict').first()).toHaveText(/holds$/);
});

test('the counts of all three histograms add up to the number of responses', async ({
  page,
  backend,
}) => {
  const responses = await startSmall(page, backend);
  await finished(page, responses);
  await expect(figure(page, HISTOGRAMS)).toContainText(`${responses} responses`);
  const rows = await tableBehind(page, HISTOGRAMS);
  for (const column of [2, 3, 4]) {
    const total = rows.reduce((sum, row) => sum + Number(row[column]), 0);
    expect(total).toBe(responses);
  }
});

test('pause holds the run, step does one batch, stop ends it and keeps what there is', async ({
  page,
  backend,
}) => {
  await startSmall(page, backend, { prompts: 64, groupSize: 8 });
  await expect(sequences(page)).toHaveText(/^[1-9]\d* of 512 responses$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveText('Paused');
  const held = await sequences(page).innerText();

  await page.getByRole('button', { name: 'Step' }).click();
  await expect(sequences(page)).not.toHaveText(held);
  await expect(phase(page)).toHaveText('Paused');
  const stepped = Number.parseInt(await sequences(page).innerText(), 10);
  const batch = stepped - Number.parseInt(held, 10);
  expect([32, 64]).toContain(batch);

  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(phase(page)).toHaveText('Stopped');
  await expect(figure(page, HISTOGRAMS)).toContainText(`${stepped} responses`);
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(phase(page)).toHaveText('Ready');
});

test('a link that asks for what cannot be is opened with the defaults, and says so', async ({
  page,
}) => {
  await page.goto('./#/equivalence?v=1&backend=wasm&prompts=0&colour=blue');
  const banner = page.getByTestId('banner');
  await expect(banner).toContainText('prompts = "0". It may be a whole number from 1 to 4096');
  await expect(banner).toContainText('"colour" that this page does not know');
  await openSetup(page);
  await expect(page.getByLabel('Prompts', { exact: true })).toHaveValue('64');
});

test('a value that cannot be is explained at its field, and nothing starts', async ({ page }) => {
  await page.goto('./');
  await openSetup(page);
  const prompts = page.getByLabel('Prompts', { exact: true });
  await prompts.fill('0');
  await expect(prompts).toHaveAccessibleDescription(/Needs a whole number from 1 to 4096/);
  await expect(page.getByRole('button', { name: 'Start with these' })).toHaveCount(0);
  await prompts.fill('64');
  await expect(page.getByRole('alert')).toHaveCount(0);
});
