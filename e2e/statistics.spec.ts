import type { Page } from '@playwright/test';
import {
  expect,
  figure,
  finished as finishedAll,
  goTo,
  openSetup,
  read,
  sharedPage,
  sideways,
  tableBehind,
  test,
  type Backend,
} from './lab';

/**
 * Synthetic rollouts, whose truth is known; no policy takes part. One page, on which runs follow runs: tests
 * that break independence come last.
 */
const shared = sharedPage(openLaw);

async function openLaw(page: Page, backend: Backend): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`./#/variance?v=1&backend=${backend}&source=synthetic`);
  await finished(page);
}

const finished = (page: Page) => finishedAll(page, 4000);

const headline = (page: Page) => page.getByTestId('verdict').first();

const LAW = 'Variance of log s against length';

test('a point tells its exact numbers to the keyboard', async () => {
  const page = shared();
  await goTo(page, 'variance');
  const law = figure(page, LAW);
  await expect(law).toContainText('4,000 responses');
  await law.getByRole('slider').first().focus();
  await page.keyboard.press('End');
  await expect(law.locator('.plot-tooltip').first()).toContainText('measured ÷ predicted');
  await expect(page.locator(':focus')).toHaveAttribute(
    'aria-valuetext',
    /natural lengths.*predicted/,
  );
  await page.keyboard.press('Home');
  await expect(page.locator(':focus')).toHaveAttribute('aria-valuetext', /^1 token, .*prefixes/);
});

/** A number with a power of ten as the page writes it. */
function power(text: string): number {
  const [mantissa = '', exponent] = text.split(' × 10');
  const digits = [...(exponent ?? '⁰')].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c));
  const value = Number(digits.map((digit) => (digit < 0 ? '-' : digit)).join(''));
  return read(mantissa) * 10 ** value;
}

test('the bias of perplexity falls with length and cancels in s', async () => {
  const page = shared();
  await goTo(page, 'length');
  await expect(figure(page, 'Their ratio, s')).toContainText('Slope of log mean s');
  await expect(page.locator('.claims li')).toHaveCount(2);
  const rows = await tableBehind(page, 'The bias from noise');
  const gaps = (of: string) =>
    rows.filter((row) => row[0] === of).map((row) => power(row[7] ?? ''));
  const perplexity = gaps('perplexity, old policy');
  const ratio = gaps('s');
  expect(perplexity.length).toBeGreaterThan(5);
  expect(perplexity.at(-1)).toBeLessThan((perplexity[0] ?? 0) / 5);
  expect(ratio.at(-1)).toBeLessThan((perplexity.at(-1) ?? 0) / 3);
});

test('the unnormalised weight gives up where the law says', async () => {
  const page = shared();
  await goTo(page, 'weights');
  await page.getByRole('button', { name: /^Policies further apart/ }).click();
  await finishedAll(page, 8000);
  const shares = figure(page, 'Effective sample size over n');
  await expect(shares).toContainText(/ = 7\.\d+ tokens/);
  await expect(shares).toContainText('8,000 responses');
  const measured = /measured: ([\d.]+)\./.exec(await shares.innerText())?.[1];
  expect(Number(measured)).toBeGreaterThan(5);
  expect(Number(measured)).toBeLessThan(11);
});

test(
  'the 1/L law holds on independent tokens, fails on correlated ones, and both are shown',
  { tag: '@webgpu' },
  async ({ backend }) => {
    const page = shared();
    // Whatever the tests before have left in view.
    await openLaw(page, backend);
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
  },
);

test('dependence is found as large as it was planted, and the parts add up to the total', async () => {
  const page = shared();
  await goTo(page, 'dependence');
  await expect(figure(page, 'Where the variance comes from')).toContainText(
    'a part of more than 100 % and one below 0 % cancel',
  );
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
  const laws = figure(page, 'The law of the parts over the naive one');
  await expect(laws).toContainText('measured ÷ predicted is');
  const [, naive, ofParts] =
    /predicted is ([\d.]+).* by σ²\/L and ([\d.]+).* by the law of the parts/s.exec(
      await laws.innerText(),
    ) ?? [];
  // AR(1): nearly (1 + rho) / (1 - rho) times the variance of independent tokens
  expect(Number(naive)).toBeGreaterThan(1.8);
  expect(Math.abs(Number(ofParts) - 1)).toBeLessThan(0.1);

  const parts = await tableBehind(page, 'Where the variance comes from');
  const nats = parts.map((row) => power(row[1] ?? ''));
  const total = nats.pop() ?? NaN;
  expect(parts.at(-1)?.[0]).toBe('total');
  const sum = nats.reduce((all, part) => all + part, 0);
  expect(Math.abs(sum / total - 1)).toBeLessThan(1e-3);
});

test('no page scrolls sideways on a phone, with plots or with tables', async () => {
  const page = shared();
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of ['variance', 'dependence', 'weights', 'length', 'reproduce']) {
    await goTo(page, name);
    const shown =
      name === 'reproduce'
        ? page.getByRole('region', { name: 'Reproduction' })
        : page.locator('.plot');
    await expect(shown.first()).toBeVisible();
    for (const button of await page.getByRole('button', { name: 'Table' }).all()) {
      await button.click();
    }
    expect(await sideways(page), name).toBe(0);
  }
});
