import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import type { Ledger } from '../src/engine/headless/reproduce';
import { expect, finished, goTo, NO_POLICY, test, type Backend } from './lab';

const NAMES: Record<Backend, string> = { wasm: 'WebAssembly', webgpu: 'WebGPU' };

const status = (page: Page) => page.getByTestId('reproduce-status');

async function start(page: Page, backend: Backend): Promise<void> {
  await page.goto(`./#/reproduce?${NO_POLICY}`);
  await page.getByRole('button', { name: NAMES[backend], exact: true }).click();
  // One pair: what CI can afford.
  await page.getByLabel('Policy pairs').selectOption({ index: 1 });
  await page.getByRole('button', { name: 'Reproduce', exact: true }).click();
  await expect(status(page)).toHaveText('running');
}

test('reproduce is cancelled at once, keeps what it has, and says what it cannot take', async ({
  page,
  backend,
}) => {
  await start(page, backend);
  await expect(
    page.getByRole('status').filter({ hasText: /: (loading|sampling|scoring), / }),
  ).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(status(page)).toHaveText('cancelled, incomplete', { timeout: 2000 });

  await page.getByRole('textbox', { name: 'Seed' }).fill('-1');
  await expect(page.getByRole('alert')).toContainText('whole number');
  await expect(page.getByRole('button', { name: 'Reproduce again' })).toBeDisabled();
});

async function printed(page: Page, ledger: Ledger): Promise<void> {
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByText('Verdicts: a claim holds when')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Reproduce again' })).toBeHidden();
  await expect(page.getByRole('banner')).toBeHidden();
  const paper = page.locator('main');
  for (const fact of [`GSPO Lab ${ledger.app}`, ledger.adapter, ledger.policies[0]?.sha256 ?? '']) {
    await expect(paper).toContainText(fact);
  }
  await page.emulateMedia({ media: 'screen' });
}

/** What a press saves as a file. */
async function savedBy(page: Page, browser: string, press: () => Promise<void>): Promise<string> {
  if (browser !== 'firefox') {
    const download = page.waitForEvent('download');
    await press();
    return readFile(await (await download).path(), 'utf8');
  }
  // Playwright is told of no download by a Firefox that is driven over BiDi, and sees no variable of the page's:
  // what would be saved is left in the page.
  await page.addScriptTag({
    content: `const addressOf = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      blob.text().then((text) => {
        const saved = Object.assign(document.createElement('script'), { type: 'text/plain', id: 'saved' });
        saved.textContent = text;
        document.body.append(saved);
      });
      return addressOf.call(URL, blob);
    };`,
  });
  await press();
  return (await page.locator('#saved').textContent()) ?? '';
}

test(
  'reproduce fills the ledger: claims, verdicts by rule, where it ran, on paper and as JSON',
  { tag: '@webgpu' },
  async ({ page, backend, browserName }) => {
    await start(page, backend);
    await expect(page.getByRole('status').filter({ hasText: /about .* left/ })).toBeVisible();
    // the lab itself stays free meanwhile
    await goTo(page, 'weights');
    await expect(page.getByRole('heading', { level: 1 })).toContainText('tails of the weights');
    await goTo(page, 'reproduce');
    await expect(status(page)).toHaveText(/^complete in /);

    const text = await savedBy(page, browserName, () =>
      page.getByRole('button', { name: 'JSON' }).click(),
    );
    const ledger = JSON.parse(text) as Ledger;
    expect(ledger.backend).toBe(backend);
    expect(ledger.policies.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
    const [pair, ...others] = ledger.pairs;
    if (pair === undefined) throw new Error('no pair was reproduced');
    expect(others).toEqual([]);
    expect(ledger.claims.length).toBeGreaterThan(10);
    // one table per source of the claims
    const table = page.locator(`[data-pair="${pair.id}"]`);
    await expect(table.first()).toContainText(`${pair.old} → ${pair.new}`);
    await expect(page.locator('[data-source="liu"]')).toContainText('Liu (2025)');
    await expect(table.locator('tbody tr')).toHaveCount(ledger.claims.length);
    // The words of the others are longer on the page than in the file.
    await expect(table.getByTestId('verdict')).toHaveCount(ledger.claims.length);
    for (const verdict of ['holds', 'fails']) {
      await expect(table.getByTestId('verdict').filter({ hasText: verdict })).toHaveCount(
        ledger.claims.filter((claim) => claim.verdict === verdict).length,
      );
    }
    const line = table.locator('tr').filter({ hasText: 'variance.prefix-slope' });
    await line.getByText('rule', { exact: true }).click();
    await expect(line).toContainText('Holds when the whole interval lies inside the margin');
    await expect(line.getByRole('link', { name: 'variance.prefix-slope' })).toHaveAttribute(
      'href',
      '#/variance',
    );

    // Firefox over BiDi shows a page as on screen only.
    if (browserName !== 'firefox') await printed(page, ledger);

    // kept across a reload, listed among the runs, opened, deleted and brought back
    await page.reload();
    await expect(page.getByTestId('recorded-note')).toBeVisible();
    await page.getByRole('button', { name: 'Runs', exact: true }).click();
    const kept = page.getByTestId('kept-ledger');
    await expect(kept).toHaveCount(1);
    await expect(kept).toContainText(`${ledger.claims.length} claims`);
    await kept.getByRole('button', { name: 'Delete' }).click();
    await expect(kept).toHaveCount(0);
    await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
    await kept.getByRole('button', { name: 'Open' }).click();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('recorded-note')).toHaveCount(0);
    await expect(table.getByTestId('verdict')).toHaveCount(ledger.claims.length);

    // the lab, asked for the same pair, finds the same number
    const known = ledger.claims.find(
      ({ experiment, interval }) => experiment === 'variance' && interval !== null,
    );
    if (known === undefined) throw new Error('no variance was measured');
    const cell = table
      .locator('tr')
      .filter({ has: page.getByRole('link', { name: known.id, exact: true }) })
      .locator('[data-name="measured"]');
    // The number alone, but for its last digit: a page of claims and a ledger share out their level differently, so
    // that intervals differ, and with them how many digits it takes to tell their ends.
    const measured = (await cell.innerText()).trim().split(/\s/)[0]?.slice(0, -1) ?? '';
    await table.getByRole('button', { name: 'Run this pair in the lab' }).first().click();
    await finished(page, ledger.prompts * ledger.groupSize);
    await expect(page.locator('.claims li').filter({ hasText: measured })).not.toHaveCount(0);
  },
);
