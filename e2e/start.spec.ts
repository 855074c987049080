import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { PAGE_IDS, PAGES } from '../src/experiments/manifest';
import {
  editAddress,
  expect,
  finished,
  goTo,
  NO_POLICY,
  sharedPage,
  sideways,
  tableBehind,
  test,
} from './lab';

/** Waits for a person's word, so no number on the page is live. */
const UNASKED = 'v=2&backend=wasm&prompts=4096';

/** Pages that measure the run in view, with a figure of each. */
const MEASURING = {
  equivalence: 'Three forms of s, one distribution',
  entropy: 'Entropy change of a token',
  variance: 'Variance of log s against length',
  dependence: 'How much is shared',
  weights: 'Effective sample size over n',
  length: 'Perplexity against length',
  clipping: 'Map over both edges',
  gradient: 'Gradient of each response',
  precision: 'Error of log s',
  objectives: 'Clip share on these rollouts',
  mismatch: 'Trainer minus sampler',
  numerics: 'Outside GSPO’s band',
} as const;

/** The response that the start page averages over. */
const RESPONSE = JSON.parse(readFileSync('app/recorded/response.json', 'utf8')) as {
  result: { tokens: { logRatio: number }[] };
};

const tags = (page: Page) => page.locator('.measurement .figure-head .recorded-tag');

test('the start page: a picture that can be stopped and drawn, five questions with answers, a way to every page', async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(`./#/start?${NO_POLICY}`);
  await expect(page).toHaveTitle('Start · GSPO Lab');
  // Less motion: complete at once, and drawn by hand.
  const readout = page.getByTestId('averaging');
  const { tokens } = RESPONSE.result;
  const words = (shown: number) => {
    const d = tokens.slice(0, shown).reduce((sum, { logRatio }) => sum + logRatio / shown, 0);
    const signed = `${d < 0 ? '−' : '+'}${Math.abs(d).toFixed(5)}`;
    return `${shown} of ${tokens.length} tokens: mean of d = ${signed} nats, s = ${Math.exp(d).toFixed(5)}`;
  };
  await expect(readout).toHaveText(words(tokens.length));
  const slider = page.getByLabel('Tokens so far');
  await expect(slider).toBeVisible();
  await slider.focus();
  await page.keyboard.press('Home');
  await expect(readout).toHaveText(words(1));

  const questions = page.locator('.start-question');
  await expect(questions).toHaveCount(5);
  for (const question of await questions.all()) {
    await expect(question.locator('.start-answer')).toContainText('recorded');
    expect(await question.locator('.start-answer li').count()).toBeGreaterThan(2);
  }
  // Figures of docs/ledger.json.
  await expect(page.locator('[data-group="identity"]')).toContainText('off by 5.6 × 10⁻¹⁶ at most');
  const menu = page.getByRole('navigation', { name: 'Experiments' });
  const ids = (links: HTMLAnchorElement[]) =>
    links.map((link) => /#\/([a-z]+)/.exec(link.href)?.[1]).sort();
  const asked = PAGE_IDS.filter((id) => PAGES[id].group !== null).sort();
  expect(await page.locator('.start-pages a').evaluateAll(ids)).toEqual(asked);
  expect(await menu.locator('a').evaluateAll(ids)).toEqual(asked);
  await expect(page.getByTestId('start-run')).toContainText('32 of 32 responses');
  await page.locator('.start-pages a[href^="#/variance"]').click();
  await expect(page).toHaveTitle('Variance · GSPO Lab');
  await expect(page.getByRole('figure', { name: MEASURING.variance })).toContainText(
    '32 responses',
  );
});

test('on a phone the pages fold into a menu, and words explain themselves at a touch', async ({
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`./#/start?${NO_POLICY}`);
  expect(await sideways(page)).toBe(0);
  const button = page.getByRole('button', { name: /all pages/ });
  const variance = page.getByRole('navigation').getByRole('link', { name: 'Variance' });
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(variance).toBeVisible();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  await expect(variance).toBeHidden();
  await expect(button).toBeFocused();

  const tip = page.getByRole('tooltip');
  for (const word of ['prompt', 'sequence weight s', 'tokens']) {
    await page.getByRole('button', { name: word, exact: true }).click();
    await expect(tip).toHaveCount(1);
    const box = await tip.boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
  }
  await page.keyboard.press('Escape');
  await expect(tip).toHaveCount(0);
  expect(await sideways(page)).toBe(0);

  await button.click();
  await variance.click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Does the variance');
  await expect(variance).toBeHidden();
});

test.describe('before a run has numbers', () => {
  const shared = sharedPage(async (page) => {
    await page.goto(`./#/equivalence?${UNASKED}`);
  });

  test('every page shows a recorded run, race or ledger, marked on figures and verdicts, until there is a live one', async () => {
    const page = shared();
    for (const [id, title] of Object.entries(MEASURING)) {
      await goTo(page, id);
      await expect(page.getByTestId('recorded-note')).toContainText(/run of 20\d\d-\d\d-\d\d/);
      const shown = page.getByRole('figure', { name: title });
      await expect(shown.locator('.recorded-tag')).toHaveText('recorded');
      await expect(page.getByTestId('verdict').first()).toContainText('(recorded)');
      await expect(page.getByTestId('empty')).toHaveCount(0);
    }
    await goTo(page, 'reproduce');
    await expect(page.getByTestId('recorded-note')).toContainText('This ledger ships with the lab');
    await expect(page.getByTestId('verdict').first()).toContainText('(recorded)');
    await goTo(page, 'train');
    await expect(page.getByTestId('recorded-note')).toContainText('GSPO and GRPO, 200 steps');
    await expect(page.getByRole('button', { name: /^First look/ })).toHaveAttribute(
      'aria-pressed',
      'true',
    );
    expect(await tableBehind(page, 'Reward on fresh prompts')).toHaveLength(200);

    await goTo(page, 'variance');
    await editAddress(page, `#/variance?${NO_POLICY}`);
    await finished(page, 32);
    await expect(page.getByRole('figure', { name: MEASURING.variance })).toContainText(
      '32 responses',
    );
    await expect(tags(page)).toHaveCount(0);
    await expect(page.getByTestId('recorded-note')).toHaveCount(0);
  });
});
