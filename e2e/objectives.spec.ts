/** The objectives page, and the practice pages on one small file: figures, tables, a phone. */
import { OBJECTIVE_IDS } from '../src/math/objectives/registry';
import {
  expect,
  figure,
  goTo,
  NO_POLICY,
  phase,
  read,
  sequences,
  sharedPage,
  sideways,
  tableBehind,
  test,
} from './lab';

const shared = sharedPage(async (page) => {
  await page.goto(`./#/data?${NO_POLICY}`);
  await expect(phase(page)).toHaveText('Finished');
  await page.getByRole('button', { name: 'Load the example' }).click();
  await expect(sequences(page)).toHaveText(/from example/);
});

test('TRL and verl count the same example differently, and the page says which is which', async () => {
  const page = shared();
  await goTo(page, 'objectives');
  await expect(page.getByTestId('example-trl')).toHaveText('0.667');
  await expect(page.getByTestId('example-verl')).toHaveText('0.500');
});

test('every objective has its loss in the libraries that have it, and a band of one’s own moves it', async () => {
  const page = shared();
  await goTo(page, 'objectives');
  const gspo = page.getByTestId('objective-gspo');
  await expect(gspo).toContainText('sequence weight s, ε 3e-4 / 4e-4');
  const rows = await tableBehind(page, 'Clip share on these rollouts');
  expect(rows).toHaveLength(OBJECTIVE_IDS.length);
  const row = rows.find(([title]) => title === 'GSPO') ?? [];
  expect(read(row[3] ?? '')).toBeCloseTo(read(row[4] ?? ''), 6);

  await page.getByLabel('ε low').fill('0.5');
  await page.getByLabel('ε high').fill('0.5');
  await expect(gspo).toContainText('ε 0.5 / 0.5');
  await expect(gspo).toContainText('region_mean0 %');
  await page.getByLabel('ε low').fill('wide');
  await expect(page.getByText('Needs a number from 0 to 100')).toBeVisible();
  await page.getByLabel('ε low').fill('3e-4');
  await page.getByLabel('ε high').fill('4e-4');
});

test('what if: verl’s bypass_mode is offered where it goes, and each side says what it clips', async () => {
  const page = shared();
  await goTo(page, 'objectives');
  const compared = page.getByTestId('what-if');
  const bypass = page.getByLabel(/bypass_mode/);
  await expect(bypass).toHaveCount(0);
  await page.getByLabel('As is').selectOption('clip_cov.verl');
  await page.getByLabel('As if').selectOption('grpo.verl');
  await expect(compared).toContainText('of tokens with covariance 1 to 5');
  await expect(compared).toContainText('dual clip at 3');
  await bypass.check();
  await expect(compared).toContainText('+bypass');
  await page.getByLabel('As if').selectOption('gspo.tinker');
  await expect(bypass).toHaveCount(0);
  await expect(compared).toContainText('gspo.tinker');
  await page.getByLabel('As is').selectOption('grpo.trl');
  await page.getByLabel('As if').selectOption('gspo.trl');
});

test('a mismatch correction reaches losses, clip shares and gradients', async () => {
  const page = shared();
  await goTo(page, 'objectives');
  const gspo = page.getByTestId('objective-gspo');
  await expect(gspo).toContainText('loss');
  await expect(gspo).not.toContainText('uncorrected');
  const effect = page.getByTestId('correction-effect');
  for (const id of ['objectives', 'clipping', 'gradient'] as const) {
    await goTo(page, id);
    await page.getByLabel('Mismatch correction').selectOption('token-mask');
    await expect(effect).toContainText('0.00 % of the tokens dropped');
    // Rounding to bfloat16 is off by 1 %: a band so narrow drops most of what is not sure.
    await page.getByTestId('correction').getByRole('textbox').last().fill('1.0001');
    await expect(effect).toContainText(/[1-9]\d\.\d\d % of the tokens dropped/);
    if (id === 'objectives') await expect(gspo).toContainText('loss, uncorrected');
    await page.getByLabel('Mismatch correction').selectOption('sequence-mask');
    await expect(page.getByTestId('correction-settings')).toHaveText(/^TRL: sequence_mask/);
    await page.getByLabel('Mismatch correction').selectOption('token-mask');
  }
});

test('a sampler that truncates fails the mean weight, and pages without one say so', async ({
  page,
}) => {
  await page.goto('./#/mismatch?v=1&source=synthetic&prompts=20&maxLength=12');
  await expect(phase(page)).toHaveText('Finished', { timeout: 120_000 });
  await expect(page.getByTestId('no-sampler')).toContainText('logp_sampler');
  await page.getByRole('button', { name: 'Top-p, renormalised' }).click();
  await expect(sequences(page)).toHaveText(/from sampler-top-p/);
  const claim = page.locator('.claims > li').filter({ hasText: 'average 1' });
  await expect(claim.getByTestId('verdict')).toContainText('fails');
  const rows = await tableBehind(page, 'Corrections');
  expect(rows).toHaveLength(9);
});

test('the clip map reads out exact shares by keyboard', async () => {
  const page = shared();
  await goTo(page, 'clipping');
  const map = figure(page, 'Map over both edges').getByRole('slider');
  await map.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(map).toHaveAttribute('aria-valuetext', /epsilon low .*, epsilon high .*: .* %/);
});

test('no practice page scrolls sideways on a phone', async () => {
  const page = shared();
  // The read-out that the keyboard opened goes with its page.
  await goTo(page, 'objectives');
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [id, title] of [
    ['clipping', 'Map over both edges'],
    ['gradient', 'What becomes of the gradient'],
    ['precision', 'Wrong side of the band'],
    ['objectives', 'Clip share on these rollouts'],
    ['mismatch', 'Trainer minus sampler'],
  ] as const) {
    await goTo(page, id);
    await expect(figure(page, title)).toBeVisible();
    // Charts follow a new width a moment later.
    await expect.poll(async () => [id, await sideways(page)]).toEqual([id, 0]);
  }
  await goTo(page, 'data');
  await expect(page.getByTestId('health')).toBeVisible();
  await expect.poll(() => sideways(page)).toBe(0);
});
