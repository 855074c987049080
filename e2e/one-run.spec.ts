/** One page, one run: what is on the page is true of the run that it names, wherever on the page it stands. */
import type { Page } from '@playwright/test';
import {
  expect,
  figure,
  finished,
  goTo,
  NO_POLICY,
  openSetup,
  phase,
  sequences,
  startSmall,
  test,
  typeInto,
} from './lab';

const SYNTHETIC = './#/equivalence?v=1&backend=wasm&source=synthetic&prompts=64&groupSize=8';
const PAGES_THAT_BREAK = [
  'equivalence',
  'entropy',
  'variance',
  'dependence',
  'weights',
  'length',
  'clipping',
  'gradient',
  'precision',
  'objectives',
  'mismatch',
  'numerics',
];
const HERO = 'Histograms of s by three forms, ';

/** What the pictures say of how many responses they are; "" where one is hidden for being of the data before. */
const drawnOf = (page: Page) =>
  page.evaluate((hero) => {
    const shown = [...document.querySelectorAll<HTMLElement>('.figure-body')];
    return {
      outdated: shown.filter((body) => 'outdated' in body.dataset).length,
      hero:
        document.querySelector(`[role="img"][aria-label^="${hero}"]`)?.getAttribute('aria-label') ??
        '',
    };
  }, HERO);

test('a figure out of view is never of the run before, soon after a change and in print', async ({
  page,
}) => {
  await page.setViewportSize({ width: 1000, height: 420 });
  await page.goto(SYNTHETIC);
  await finished(page, 512);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect.poll(() => drawnOf(page)).toEqual({ outdated: 0, hero: `${HERO}512 responses` });

  // What is about to be redrawn is hidden; a print that comes just then draws it first.
  await page.evaluate(() => {
    const seen = { outdated: 0, left: -1 };
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const outdated = document.querySelectorAll('.figure-body[data-outdated]');
      if (outdated.length === 0 || seen.left >= 0) return;
      seen.outdated = outdated.length;
      dispatchEvent(new Event('beforeprint'));
      seen.left = document.querySelectorAll('.figure-body[data-outdated]').length;
      dispatchEvent(new Event('afterprint'));
    }).observe(document.body, { subtree: true, attributes: true, childList: true });
  });
  // A press by the mouse would bring the figures into view.
  const wild = page.getByRole('button', { name: 'Make ratios wild' });
  await wild.evaluate((button: HTMLButtonElement) => button.click());
  await expect(sequences(page)).toHaveText('800 of 800 responses');
  await expect(phase(page)).toHaveText('Finished');
  await expect(page.getByTestId('behind')).toHaveCount(0);
  await expect
    .poll(() => drawnOf(page), { timeout: 750, intervals: [20] })
    .toEqual({ outdated: 0, hero: `${HERO}800 responses` });
  const seen = await page.evaluate(
    () => (window as unknown as { seen: { outdated: number; left: number } }).seen,
  );
  expect(seen.outdated).toBeGreaterThan(0);
  expect(seen.left).toBe(0);
});

test('“Break it” stays beside its figures on a phone, marks what is active, and says what to watch and what came out', async ({
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`./#/variance?${NO_POLICY}`);
  await finished(page, 32);
  const controls = page.getByTestId('break-it');
  const active = controls.locator('[aria-pressed="true"]');
  await expect(active).toHaveCount(0);
  await expect(page.getByTestId('break-why')).toContainText('start from the control');
  await page.locator('.figure').last().scrollIntoViewIfNeeded();
  expect((await controls.boundingBox())?.y).toBe(0);
  await controls.getByRole('button', { name: 'Correlate neighbours' }).click();
  await finished(page, 4000);
  await expect(active).toHaveText(['Correlate neighbours, ρ = 0.5']);
  await expect(active).toBeInViewport();
  const broken = page.locator('[data-claim="variance.level"]');
  await expect(broken).toContainText(/^breaks/);
  await expect(broken.getByTestId('verdict')).toContainText('fails');
  const held = page.locator('[data-claim="variance.token-slope"]');
  await expect(held).toContainText(/^must hold/);
  await expect(held.getByTestId('verdict')).toContainText('holds');
  await page.getByTestId('break-why').getByRole('button').click();
  await expect(figure(page, 'Variance of log s against length')).toBeInViewport();
  // What it watches for is on its page, on every page.
  for (const id of PAGES_THAT_BREAK) {
    await goTo(page, id);
    const buttons = controls.getByRole('button');
    await expect(buttons.first()).toBeVisible();
    for (const button of await buttons.all()) {
      await button.focus();
      const watched = await page.getByTestId('break-why').getByRole('button').innerText();
      // A run without a sampler shows the page's figures only once the example is in view.
      if (id === 'mismatch') continue;
      await expect(page.locator('.measurement h3', { hasText: watched }).first()).toBeAttached();
    }
  }
});

test('verdicts and figures of the run before are marked until the new one has its own', async ({
  page,
  backend,
}) => {
  const responses = await startSmall(page, backend, { prompts: 4, groupSize: 4 });
  await finished(page, responses);
  await expect(page.getByTestId('verdict').first()).toHaveText(/holds$/);
  // Long answers: the first batch takes its time.
  await openSetup(page);
  await typeInto(page.getByLabel('Most operators'), '9');
  await typeInto(page.getByLabel('Fewest operators'), '9');
  await typeInto(page.getByLabel('Group size G'), '32');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.getByTestId('behind')).toHaveText(/^of the run before/);
  await expect(page.getByTestId('verdict').first()).toHaveText(/holds \(run before\)$/);
  await expect(page.locator('.figure .recorded-tag').first()).toHaveText('run before');
  await finished(page, 128);
  await expect(page.getByTestId('verdict').first()).not.toContainText('run before');
  await expect(page.getByTestId('behind')).toHaveCount(0);
  await expect(page.locator('.recorded-tag')).toHaveCount(0);
  await expect(page.getByTestId('worked-waiting')).toHaveCount(0);
});

test('a setup that is not the run in view is named beside it, and one press runs it or takes it back', async ({
  page,
}) => {
  await page.goto(SYNTHETIC);
  await finished(page, 512);
  const differs = page.getByTestId('setup-differs');
  await expect(differs).toHaveCount(0);
  await openSetup(page);
  await typeInto(page.getByLabel('Prompts', { exact: true }), '32');
  await expect(differs).toContainText('prompts 64 → 32');
  await differs.getByRole('button', { name: 'Take back' }).click();
  await expect(page.getByLabel('Prompts', { exact: true })).toHaveValue('64');
  await expect(differs).toHaveCount(0);
  await page.getByRole('button', { name: 'New seed' }).click();
  await expect(differs).toContainText('seed');
  await differs.getByRole('button', { name: 'Start with these' }).click();
  await finished(page, 512);
  await expect(differs).toHaveCount(0);
});

test('files in view are named in the setup, and a new run that takes their place can be undone', async ({
  page,
}) => {
  await page.goto('./#/data?v=1&backend=wasm&source=synthetic&prompts=4&maxLength=8');
  await page
    .getByRole('button', { name: /example/i })
    .first()
    .click();
  await expect(sequences(page)).toHaveText(/from example-rollouts\.jsonl$/);
  const named = await sequences(page).innerText();
  await openSetup(page);
  await expect(page.getByTestId('files-in-view')).toContainText('example-rollouts.jsonl');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await finished(page, 32);
  await expect(page.getByTestId('files-in-view')).toHaveCount(0);
  const undo = page.getByTestId('undo');
  await expect(undo).toContainText('has taken the place of example-rollouts.jsonl');
  await undo.getByRole('button', { name: 'Undo' }).click();
  await expect(sequences(page)).toHaveText(named);
});

test('after the engine has died the page says what is kept of the run, and goes on from there', async ({
  page,
  backend,
}) => {
  const responses = await startSmall(page, backend, {
    prompts: 96,
    groupSize: 8,
    mostOperators: 9,
  });
  await expect(sequences(page)).toHaveText(/^[1-9]\d* of 768 responses$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveText('Paused');
  await expect(page.getByTestId('keeping')).toHaveText('kept');
  const held = Number.parseInt(await sequences(page).innerText(), 10);
  await page.workers()[0].evaluate(() => {
    setTimeout(() => {
      throw new Error('out of memory');
    });
  });
  const banner = page.getByTestId('banner');
  await expect(banner).toContainText(`${held} responses of it are kept in this browser.`);
  await banner.getByRole('button', { name: 'Go on from there' }).click();
  await finished(page, responses);
  await expect(banner).toHaveCount(0);
  await expect(page.getByTestId('verdict').first()).toHaveText(/holds$/);
});

test('on paper: figures whole with captions, legends and verdicts, in light, and nothing to press', async ({
  page,
}) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(SYNTHETIC);
  await finished(page, 512);
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const paper = page.locator('body');
  await expect(paper).toHaveCSS('background-color', 'rgb(247, 246, 242)');
  for (const shown of [
    page.getByTestId('verdict').first(),
    page.locator('.legend').first(),
    page.locator('figcaption').last(),
    sequences(page),
  ]) {
    await expect(shown).toBeVisible();
  }
  await expect(page.locator('button:visible:not(.link):not(.term-word)')).toHaveCount(0);
  await expect(page.locator('nav a:visible')).toHaveCount(0);
  for (const body of await page.locator('.figure').all()) {
    await expect(body).toHaveCSS('break-inside', 'avoid');
  }
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
  await expect(paper).not.toHaveCSS('background-color', 'rgb(247, 246, 242)');
});
