import type { Page } from '@playwright/test';
import {
  asStranger,
  barCounts,
  expect,
  figure,
  finished,
  goTo,
  HISTOGRAMS,
  NO_POLICY,
  openBar,
  openSetup,
  phase,
  read,
  sequences,
  sharedLink,
  startByPanel,
  startSmall,
  tableBehind,
  test,
} from './lab';

test(
  'a first visit runs by itself, live, and a small run comes to its end, verdict and tokens',
  { tag: ['@webgpu', '@smoke', '@firefox'] },
  async ({ page, backend }) => {
    await page.goto('./');
    // Behind the start page, so that the first question has numbers of its own when it is opened.
    const behind = page.getByTestId('start-run');
    await expect(behind).toHaveText(/: [\d,]+ of 4,096 responses/, { timeout: 120_000 });
    await page.getByRole('link', { name: 'Watch the first question answered' }).click();
    await expect(sequences(page)).toHaveText(/\d+ of 4,096 responses/);

    // A software GPU takes about a second for a token of all responses of a batch.
    const few = backend === 'webgpu' ? { prompts: 4, groupSize: 2 } : {};
    const responses = await startByPanel(page, backend, few);
    await finished(page, responses);
    const words = backend === 'wasm' ? 'WebAssembly' : 'WebGPU';
    await expect(page.getByTestId('backend')).toContainText(`policy on ${words}`);
    await expect(figure(page, HISTOGRAMS)).toContainText(`${responses} responses`);
    await expect(figure(page, HISTOGRAMS)).not.toContainText('recorded');
    await expect(page.getByTestId('verdict').first()).toHaveText(/holds$/);

    await test.step('a bar leads to its responses, a response to its tokens, and the tokens to s', () =>
      fromBarToWeight(page));

    // The counts of all three histograms add up to the number of responses.
    const rows = await tableBehind(page, HISTOGRAMS);
    for (const column of [2, 3, 4]) {
      const total = rows.reduce((sum, row) => sum + Number(row[column]), 0);
      expect(total).toBe(responses);
    }
  },
);

async function fromBarToWeight(page: Page): Promise<void> {
  // The fullest bar, by keyboard alone.
  const counts = await barCounts(page);
  const fullest = counts.indexOf(Math.max(...counts));
  await openBar(page, fullest);
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
}

test('a run rests once the claims in view are decided, goes on where others are open, and its link goes as far', async ({
  page,
  browser,
}) => {
  // Equivalence is decided long before Variance is; 300 s are never spent.
  await page.goto('./#/equivalence?v=3&backend=wasm&prompts=2048&groupSize=2&budget=300');
  await expect(phase(page)).toHaveText('Decided');
  await expect(page.getByTestId('decided')).toHaveText('All 4 claims of this page are decided.');
  const rested = await sequences(page).innerText();
  const n = read(rested.split(' ')[0] ?? '');
  expect(n).toBeGreaterThanOrEqual(256);
  expect(n).toBeLessThan(4096);
  await expect(figure(page, HISTOGRAMS)).toContainText(`${n} responses`);
  const link = await sharedLink(page);

  await goTo(page, 'variance');
  await expect(page.getByTestId('decided')).toContainText(/^\d of 4 claims of this page decided/);
  await expect(sequences(page)).not.toHaveText(rested);
  // A person's own pause stands, and so does the wish to go on.
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveText('Paused');
  await goTo(page, 'equivalence');
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(phase(page)).toHaveText('Decided');
  const more = await sequences(page).innerText();
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(sequences(page)).not.toHaveText(more);
  await expect(phase(page)).toHaveText(/Sampling|Scoring/);
  await page.getByRole('button', { name: 'Stop' }).click();

  await asStranger(browser, async (second) => {
    await second.goto(link);
    await expect(phase(second)).toHaveText('As far as the link', { timeout: 60_000 });
    await expect(sequences(second)).toHaveText(rested);
    await expect(second.getByTestId('comparison')).toContainText('The same as in the link');
  });
});

test('pause holds the run, step does one batch, stop ends it and keeps what there is', async ({
  page,
  backend,
}) => {
  await startSmall(page, backend, { prompts: 256, groupSize: 8, mostOperators: 9 });
  await expect(sequences(page)).toHaveText(/^[1-9]\d* of 2,048 responses$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveText('Paused');
  const held = await sequences(page).innerText();

  await page.getByRole('button', { name: 'Step' }).click();
  await expect(sequences(page)).not.toHaveText(held);
  await expect(phase(page)).toHaveText('Paused');
  const stepped = Number.parseInt(await sequences(page).innerText(), 10);
  const batch = stepped - Number.parseInt(held, 10);
  // On WebAssembly the first batch comes in three parts.
  expect([8, 16, 32, 64]).toContain(batch);

  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(phase(page)).toHaveText('Stopped');
  await expect(figure(page, HISTOGRAMS)).toContainText(`${stepped} responses`);
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(phase(page)).toHaveText('Ready');
});

test('a link or a value that cannot be is explained, and nothing of it starts', async ({
  page,
}) => {
  const few = NO_POLICY.replace('prompts=4', 'prompts=0');
  await page.goto(`./#/equivalence?${few}&colour=blue`);
  const banner = page.getByTestId('banner');
  await expect(banner).toContainText('prompts = "0". It may be a whole number from 1 to');
  await expect(banner).toContainText('"colour" that this page does not know');
  await expect(sequences(page)).toHaveText('4,000 of 4,000 responses');

  await openSetup(page);
  const prompts = page.getByLabel('Prompts', { exact: true });
  await expect(prompts).toHaveValue('500');
  await prompts.fill('0');
  await expect(prompts).toHaveAccessibleDescription(/Needs a whole number from 1 to/);
  await expect(page.getByRole('button', { name: 'Start with these' })).toHaveCount(0);
  await prompts.fill('500');
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a part of the site that fails to load takes nothing along: header, run and data stay, and it comes back', async ({
  browser,
  backend,
}) => {
  // A page of its own: what fails to load is an error on the console, and is meant to be.
  const page = await (await browser.newContext()).newPage();
  await page.goto(`./#/variance?v=1&backend=${backend}&source=synthetic&prompts=20&maxLength=16`);
  await finished(page, 160);
  await page.route('**/assets/*.js', (route) => route.abort());
  await goTo(page, 'dependence');
  const failed = page.getByTestId('page-failed');
  await expect(failed).toContainText('Run, data and settings are all still there.');
  await expect(phase(page)).toHaveText('Finished');
  await goTo(page, 'variance');
  await expect(figure(page, 'Variance of log s against length')).toContainText('160 responses');
  await goTo(page, 'dependence');
  await page.unroute('**/assets/*.js');
  await failed.getByRole('button', { name: 'Try again' }).click();
  await expect(figure(page, 'How much is shared')).toContainText('160 responses');
  await page.context().close();
});
