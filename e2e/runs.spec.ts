import { readFile } from 'node:fs/promises';
import {
  expect,
  figure,
  finished,
  goTo,
  phase,
  read,
  sequences,
  startSmall,
  tableBehind,
  test,
} from './lab';

const runs = { name: 'Runs', exact: true } as const;

test('a run that a reload cut off is offered again, one whose page was closed too, and it comes out whole', async ({
  page,
  context,
  backend,
}) => {
  // Long answers: the run must not be over before Pause is pressed.
  const long = { prompts: 72, groupSize: 8, mostOperators: 9 };
  await startSmall(page, backend, long);
  await expect(sequences(page)).toHaveText(/^[1-9]\d* of 576 responses$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveText('Paused');
  const held = Number.parseInt(await sequences(page).innerText(), 10);
  await expect(page.getByTestId('keeping')).toHaveText('kept');

  await page.reload();
  const offer = page.getByTestId('cut-off');
  await expect(offer).toContainText(`after ${held} responses of 576`);
  await offer.getByRole('button', { name: 'Resume it' }).click();
  await expect(phase(page)).toHaveText(/Sampling|Scoring/);
  await page.close();

  const next = await context.newPage();
  await startSmall(next, backend, long);
  const again = next.getByTestId('cut-off');
  await expect(again).toContainText(/after [1-9]\d* responses of 576/);
  await again.getByRole('button', { name: 'Resume it' }).click();
  await finished(next, 576);

  // Every response once, none of them twice, in one kept run.
  await next.getByRole('button', runs).click();
  await expect(next.getByTestId('kept')).toHaveCount(1);
  const coming = next.waitForEvent('download');
  await next.getByRole('button', { name: 'Responses, CSV' }).first().click();
  const text = await readFile(await (await coming).path(), 'utf8');
  const [head, ...rows] = text
    .trim()
    .split(/\r\n/)
    .filter((line) => !line.startsWith('#'));
  expect(head).toMatch(/^sequence,group,/);
  expect(rows.map((row) => Number(row.split(',')[0]))).toEqual([...Array(576).keys()]);
});

test('kept runs name their differences, get names that stay, are deleted and brought back, and leave as files', async ({
  page,
}) => {
  for (const seed of [1, 2, 3]) {
    await page.goto('about:blank');
    await page.goto(`./#/variance?v=1&backend=wasm&source=synthetic&prompts=20&seed=${seed}`);
    await finished(page, 160);
    await expect(page.getByTestId('keeping')).toHaveText('kept');
  }
  await page.getByRole('button', runs).click();
  const kept = page.getByTestId('kept');
  await expect(page.getByTestId('differences').first()).toContainText(/seed/i);
  await expect(kept.getByRole('heading')).toHaveText([
    'synthetic, prompts 20, seed 3',
    'synthetic, prompts 20, seed 2',
    'synthetic, prompts 20',
  ]);
  // A slider that is dragged is no run, and stores none.
  await page.keyboard.press('Escape');
  const slider = page.getByLabel('Neighbour correlation, slider');
  for (let k = 0; k < 8; k++) await slider.press('ArrowRight');
  await expect(page.getByTestId('setup-differs')).toContainText('ρ');
  await page.getByTestId('setup-differs').getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('button', runs).click();
  await expect(kept).toHaveCount(3);
  const rename = async (name: string) => {
    await kept.last().getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Name of the run').fill(name);
    await kept.last().getByRole('button', { name: 'Save' }).click();
  };
  const heading = kept.last().getByRole('heading');
  const unnamed = await heading.innerText();
  await rename('  Monday’s <b>seed</b> ');
  await expect(heading).toHaveText('Monday’s <b>seed</b>');
  await expect(kept.last()).toContainText(unnamed);

  await page.reload();
  await finished(page, 160);
  await expect(page.getByTestId('keeping')).toHaveText('kept');
  await page.getByRole('button', runs).click();
  await expect(heading).toHaveText('Monday’s <b>seed</b>');

  // The one in view stays.
  await page.getByRole('button', { name: 'Delete the others' }).click();
  await expect(kept).toHaveCount(1);
  await expect(heading).toHaveText('synthetic, prompts 20, seed 3');
  const undo = page.getByTestId('undo');
  await expect(undo).toContainText('2 runs are deleted');
  await undo.getByRole('button', { name: 'Undo' }).click();
  await expect(kept).toHaveCount(3);
  await expect(heading).toHaveText('Monday’s <b>seed</b>');
  await kept.last().getByRole('button', { name: 'Open', exact: true }).click();
  await finished(page, 160);

  await rename('');
  await expect(heading).toHaveText(unnamed);

  // One alone; the last is in view now.
  await kept.first().getByRole('button', { name: 'Delete', exact: true }).press('Enter');
  await expect(kept).toHaveCount(2);
  // The focus stays in the drawer, though what had it is gone; the way back is there too, and on the keys.
  await expect(page.locator('.inspector:focus-within, .inspector:focus')).toHaveCount(1);
  await expect(page.locator('.inspector').getByTestId('undo')).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(kept).toHaveCount(3);
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Responses, CSV' }).first().click();
  expect((await coming).suggestedFilename()).toMatch(/\.csv$/);
});

test('a kept run laid over the charts is drawn in them, named in their tables, and taken away', async ({
  page,
}) => {
  const few = 'backend=wasm&source=synthetic&prompts=40&maxLength=24';
  for (const rho of [0.6, 0]) {
    await page.goto('about:blank');
    await page.goto(`./#/dependence?v=1&${few}&rho=${rho}`);
    await expect(phase(page)).toHaveText('Finished');
    await expect(page.getByTestId('keeping')).toHaveText('kept');
  }
  await page.getByRole('button', runs).click();
  await page.getByRole('button', { name: 'Overlay' }).last().click();
  await page.getByRole('button', { name: /Close the runs/ }).click();

  const title = 'Autocorrelation of token log-ratios';
  const lags = figure(page, title);
  await expect(lags.getByRole('list', { name: 'Runs laid over' })).toContainText('ρ 0 → 0.6');
  const laid = lags.locator('.overlay-series .plot-mark').first();
  await laid.hover({ force: true });
  await expect(lags.getByRole('status')).toContainText(/0 → 0\.6: lag 1,/);
  const rows = await tableBehind(page, title);
  const first = (run: RegExp) => read(rows.find(([name]) => run.test(name ?? ''))?.[3] ?? '');
  expect(first(/in view/)).toBeLessThan(0.2);
  expect(first(/0 → 0\.6/)).toBeGreaterThan(0.4);

  await page.getByRole('button', { name: /^Take away/ }).click();
  await expect(lags.getByRole('columnheader', { name: 'run' })).toHaveCount(0);
});

/** Two variants of one run, or a table of its quotients: there is nothing to lay over. */
const OF_ONE_RUN = /^What if$|both bands adjusted$|wider than you know them$/;

test('runs are laid over every chart of every page, and stand in every table', async ({ page }) => {
  for (const seed of [1, 2, 3]) {
    await page.goto('about:blank');
    await page.goto(`./#/equivalence?v=1&backend=wasm&source=synthetic&prompts=100&seed=${seed}`);
    await expect(phase(page)).toHaveText('Finished');
    await expect(page.getByTestId('keeping')).toHaveText('kept');
  }
  await page.getByRole('button', runs).click();
  const overlay = page.getByRole('button', { name: 'Overlay' });
  for (const k of [1, 2]) await overlay.nth(k).click();
  await page.getByRole('button', { name: /Close the runs/ }).click();

  for (const id of [
    'equivalence',
    'variance',
    'dependence',
    'weights',
    'length',
    'clipping',
    'gradient',
    'precision',
    'objectives',
  ]) {
    await goTo(page, id);
    const figures = page.getByRole('figure');
    await expect(figures.first()).toBeVisible();
    for (const each of await figures.all()) {
      // Figures draw once they are seen.
      await each.scrollIntoViewIfNeeded();
      const title = await each.getByRole('heading').first().innerText();
      if (OF_ONE_RUN.test(title)) continue;
      await expect(each.getByRole('list', { name: 'Runs laid over' }), title).toContainText(
        'seed 3 → 2',
      );
      await each.getByRole('button', { name: 'Table' }).click();
      // A run stands in a column or in rows of its own.
      for (const run of [/seed 3 → 1/, /seed 3 → 2/]) {
        const cells = each.getByRole('table').locator('th, td').filter({ hasText: run });
        await expect(cells.first(), `${title}, ${run}`).toBeAttached();
      }
    }
  }
});

test('where the browser’s storage is full, the run goes on and says so, and is kept once there is', async ({
  page,
  context,
  baseURL,
}) => {
  // Before the lab opens its store: Chromium remembers for half a minute how much space there was.
  const { origin } = new URL(baseURL ?? '');
  const cdp = await context.newCDPSession(page);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 200_000 });
  await page.goto('./#/variance?v=1&backend=wasm&source=synthetic&prompts=300&maxLength=128');
  await finished(page, 2400);
  const told = page.getByTestId('storage-full');
  await expect(told).toContainText('storage is full');
  await expect(page.getByTestId('keeping')).toContainText('storage full');
  await expect(page.getByTestId('verdict').first()).not.toHaveText(/not measured/);

  await cdp.send('Storage.overrideQuotaForOrigin', { origin });
  // What was remembered has to be forgotten before there is space again.
  await expect(async () => {
    // Kept meanwhile, there is nothing left to press.
    const again = told.getByRole('button', { name: 'Try again' });
    if ((await again.count()) > 0) await again.click({ timeout: 5000 });
    await expect(page.getByTestId('keeping')).toHaveText('kept', { timeout: 20_000 });
  }).toPass({ timeout: 240_000 });
  await expect(told).toHaveCount(0);
});
