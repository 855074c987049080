import type { Page } from '@playwright/test';
import { expect, figure, openSetup, phase, read, sequences, tableBehind, test } from './lab';

/** No policy takes part, so that a software GPU too is fast enough for every test here. */
function linkTo(name: string, backend: string): string {
  return `./#/${name}?v=1&backend=${backend}&source=synthetic`;
}

/** Opens a page of the lab on synthetic rollouts, whose truth is known. */
async function synthetic(page: Page, name: string, backend: string): Promise<void> {
  await page.goto(linkTo(name, backend));
  await finished(page);
}

async function finished(page: Page): Promise<void> {
  await expect(phase(page)).toHaveText('Finished');
  await expect(sequences(page)).toHaveText('4,000 of 4,000 responses');
}

const headline = (page: Page) => page.getByTestId('verdict').first();

const LAW = 'Variance of log s against length';

test('the 1/L law holds on independent tokens, fails on correlated ones, and both are shown', async ({
  page,
  backend,
}) => {
  await synthetic(page, 'variance', backend);
  await expect(figure(page, LAW)).toContainText('4,000 responses');
  await expect(headline(page)).toHaveText(/holds$/);

  await page.getByRole('button', { name: /^Correlate neighbours/ }).click();
  await finished(page);
  await expect(headline(page)).toHaveText(/fails$/);
  await expect(figure(page, LAW)).toContainText('4,000 responses');
  const rows = await tableBehind(page, LAW);
  for (const compared of ['natural lengths', 'prefixes']) {
    const ratios = rows.filter((row) => row[2] === compared).map((row) => read(row[8] ?? ''));
    expect(ratios.length, compared).toBeGreaterThan(5);
    // AR(1) with 0.5: three times the variance of independent tokens, in the limit
    expect(ratios.at(-1), compared).toBeGreaterThan(2.2);
    expect(ratios.at(-1), compared).toBeLessThan(3.8);
  }
});

test('a point tells its exact numbers to the keyboard', async ({ page, backend }) => {
  await synthetic(page, 'variance', backend);
  const law = figure(page, LAW);
  await expect(law).toContainText('4,000 responses');
  await law.locator('[data-mark][tabindex="0"]').first().focus();
  await page.keyboard.press('End');
  await expect(law.locator('.plot-tooltip').first()).toContainText('measured ÷ predicted');
  await expect(page.locator(':focus')).toHaveAttribute('aria-label', /natural lengths.*predicted/);
  await page.keyboard.press('Home');
  await expect(page.locator(':focus')).toHaveAttribute('aria-label', /^1 token, .*prefixes/);
});

test('dependence is found as large as it was planted, and the parts add up to the total', async ({
  page,
  backend,
}) => {
  await synthetic(page, 'dependence', backend);
  await expect(headline(page)).toHaveText(/holds$|too few/);
  await openSetup(page);
  await page.getByRole('button', { name: 'Policy pair', exact: true }).click();
  await page.getByRole('button', { name: 'Synthetic', exact: true }).click();
  const slider = page.getByRole('slider', { name: 'Neighbour correlation, slider' });
  await slider.focus();
  for (let press = 0; press < 3; press++) await page.keyboard.press('PageUp');
  const rho = Number(await slider.getAttribute('aria-valuetext'));
  expect(rho).toBeGreaterThan(0.4);
  await page.getByRole('button', { name: 'Start with these' }).click();
  await finished(page);
  await expect(headline(page)).toHaveText(/fails$/);
  await expect(figure(page, 'How much is shared')).toContainText('4,000 responses');
  const lags = await tableBehind(page, 'Autocorrelation of token log-ratios');
  expect(Math.abs(read(lags[0]?.[2] ?? '') - rho)).toBeLessThan(0.02);
  expect(Math.abs(read(lags[1]?.[2] ?? '') - rho ** 2)).toBeLessThan(0.03);
  await expect(figure(page, 'The corrected law over the naive one')).toContainText(
    'the naive law fails and the corrected one holds',
  );

  const parts = await tableBehind(page, 'Where the variance comes from');
  const nats = parts.map((row) => power(row[1] ?? ''));
  const total = nats.pop() ?? NaN;
  expect(parts.at(-1)?.[0]).toBe('total');
  const sum = nats.reduce((all, part) => all + part, 0);
  expect(Math.abs(sum / total - 1)).toBeLessThan(1e-3);
});

/** A number with a power of ten as the page writes it. */
function power(text: string): number {
  const [mantissa = '', exponent] = text.split(' × 10');
  const digits = [...(exponent ?? '⁰')].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c));
  const value = Number(digits.map((digit) => (digit < 0 ? '-' : digit)).join(''));
  return read(mantissa) * 10 ** value;
}

test('the unnormalised weight gives up where the law says', async ({ page, backend }) => {
  await synthetic(page, 'weights', backend);
  await page.getByRole('button', { name: /^Policies further apart/ }).click();
  await finished(page);
  const shares = figure(page, 'Effective sample size over n');
  await expect(shares).toContainText(/ = 7\.\d+ tokens/);
  await expect(shares).toContainText('4,000 responses');
  const measured = /measured: ([\d.]+)\./.exec(await shares.innerText())?.[1];
  expect(Number(measured)).toBeGreaterThan(5);
  expect(Number(measured)).toBeLessThan(11);
});

test('the bias of perplexity falls with length and cancels in s', async ({ page, backend }) => {
  await synthetic(page, 'length', backend);
  await expect(figure(page, 'Their ratio, s')).toContainText('Slope of log mean s');
  await expect(page.locator('.claims li')).toHaveCount(3);
  const rows = await tableBehind(page, 'The bias from noise');
  const gaps = (of: string) =>
    rows.filter((row) => row[0] === of).map((row) => power(row[7] ?? ''));
  const perplexity = gaps('perplexity, old policy');
  const ratio = gaps('s');
  expect(perplexity.length).toBeGreaterThan(5);
  expect(perplexity.at(-1)).toBeLessThan((perplexity[0] ?? 0) / 5);
  expect(ratio.at(-1)).toBeLessThan((perplexity.at(-1) ?? 0) / 3);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test('no page scrolls sideways, with plots or with tables', async ({ page, backend }) => {
    await synthetic(page, 'variance', backend);
    for (const name of ['variance', 'dependence', 'weights', 'length', 'reproduce']) {
      const menu = page.getByRole('navigation', { name: 'Experiments' });
      await menu.locator(`a[href^="#/${name}"]`).click();
      const shown =
        name === 'reproduce'
          ? page.getByRole('region', { name: 'Reproduction' })
          : page.locator('.plot');
      await expect(shown.first()).toBeVisible();
      for (const button of await page.getByRole('button', { name: 'Table' }).all()) {
        await button.click();
      }
      const sideways = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(sideways, name).toBe(0);
    }
  });
});
