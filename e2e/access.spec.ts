/** Who cannot see or point: axe finds nothing on any page, in whatever state it is, in both themes, on a phone too. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { PAGE_IDS, PAGES } from '../src/experiments/manifest';
import {
  barCounts,
  expect,
  figure,
  finished,
  goTo,
  HISTOGRAMS,
  NO_POLICY,
  openBar,
  phase,
  sequences,
  startSmall,
  test,
} from './lab';

/** What axe has to say, a line each; nothing is the aim. */
async function found(page: Page, rules: readonly string[] | null): Promise<string[]> {
  // Rows of a ledger are all made alike, and hundreds of them take minutes.
  const axe = new AxeBuilder({ page }).exclude('.ledger tbody tr:nth-child(n + 3)');
  // Targets of 24 px are not among what axe asks by itself.
  if (rules === null) axe.options({ rules: { 'target-size': { enabled: true } } });
  else axe.withRules([...rules]);
  const { violations } = await axe.analyze();
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, html }) => `${id} (${impact}) ${target.join(' ')}: ${html.slice(0, 160)}`),
  );
}

/** Whether the focus is in the drawer that is open. */
const inDrawer = (page: Page) =>
  page.evaluate(
    () => document.activeElement?.closest('.inspector[role="dialog"]') instanceof Element,
  );

/** The second look takes the rules whose answer another theme or width can change. */
const LOOKS = [
  { name: 'desk, light', width: 1280, height: 900, scheme: 'light', rules: null },
  {
    name: 'phone, dark',
    width: 390,
    height: 844,
    scheme: 'dark',
    rules: ['color-contrast', 'scrollable-region-focusable', 'target-size', 'link-in-text-block'],
  },
] as const;

test('axe finds nothing: every page, empty, live and finished; inspector, runs, share and report; both themes, a phone', async ({
  page,
  backend,
}) => {
  const problems: Record<string, string[]> = {};
  const look = async (what: string) => {
    for (const { name, width, height, scheme, rules } of LOOKS) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme });
      const own = await found(page, rules);
      if (own.length > 0) problems[`${what}; ${name}`] = own;
    }
    await page.setViewportSize(LOOKS[0]);
  };

  const responses = await startSmall(page, backend, { prompts: 8, groupSize: 4 });
  await expect(phase(page)).not.toHaveText(/Ready|Looking/);
  await look('equivalence, live');
  await finished(page, responses);
  for (const id of PAGE_IDS) {
    if (PAGES[id].group !== null) await goTo(page, id);
    else {
      // Not in the menu: the lab's name and the foot of the page lead there.
      await page.locator(`a[href^="#/${id}"]`).first().click();
      await expect(page).toHaveTitle(new RegExp(`^${PAGES[id].title}`));
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    }
    await look(`${id}, finished`);
  }
  await goTo(page, 'equivalence');
  await openBar(
    page,
    (await barCounts(page)).findLastIndex((count) => count > 0),
  );
  await expect(page.getByTestId('sequence-list').getByRole('button').first()).toBeVisible();
  await look('a list of responses');
  await page.getByTestId('sequence-list').getByRole('button').first().click();
  await expect(page.getByRole('dialog')).toContainText('Tokens, by log-ratio');
  expect(await inDrawer(page), 'a response was chosen').toBe(true);
  await look('a response');
  await page.getByRole('button', { name: 'Close the inspector' }).click();
  await page.getByRole('button', { name: 'Runs', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Kept in this browser' })).toBeVisible();
  await look('runs');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Share' }).click();
  await expect(page.getByTestId('fingerprint-words')).toContainText('came out the same');
  await look('share');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

  await goTo(page, 'data');
  await page
    .getByRole('button', { name: /example/i })
    .first()
    .click();
  await expect(page.getByTestId('sequences')).toContainText('example-rollouts');
  await look('a health report');
  await goTo(page, 'variance');
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(phase(page)).toHaveText('Ready');
  await look('variance, empty');
  expect(problems).toEqual({});
});

/** The name of what has the focus; '' where nothing has. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    if (at === null || at === document.body) return '';
    const labels = at instanceof HTMLInputElement ? [...(at.labels ?? [])] : [];
    const by = document.getElementById(at.getAttribute('aria-labelledby') ?? '');
    const name =
      at.getAttribute('aria-label') ?? (by ?? labels[0] ?? at).textContent.replaceAll(/\s+/g, ' ');
    return name.trim() || at.tagName;
  });

/** Tab after Tab, as who has nothing else, until what is wanted has the focus. */
async function tabTo(page: Page, wanted: RegExp, key = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let k = 0; k < 160; k++) {
    await page.keyboard.press(key);
    const name = await focused(page);
    if (wanted.test(name)) return;
    passed.push(name);
  }
  throw new Error(`No way by ${key} to ${wanted}; passed ${passed.join(' | ')}`);
}

test('a walk through the whole lab by keyboard alone', async ({ page }) => {
  const press = async (key: string) => {
    await page.keyboard.press(key);
    await expect.poll(() => focused(page), `after ${key} something has the focus`).not.toBe('');
  };
  /** To it, and press it. */
  const take = async (wanted: RegExp, key = 'Enter') => {
    await tabTo(page, wanted);
    await press(key);
  };
  await page.setViewportSize({ width: 800, height: 900 });
  await page.goto(`./#/start?${NO_POLICY}`);
  await finished(page, 32);

  await tabTo(page, /^Skip to the measurement$/);
  await take(/, all pages$/);
  await take(/^Equivalence$/);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('three forms');
  // From the measurement on: a control of “Break it”, which starts a run.
  await take(/^Make ratios wild$/);
  await expect(sequences(page)).toHaveText('800 of 800 responses');
  await expect(phase(page)).toHaveText('Finished');
  expect(await focused(page)).toBe('Make ratios wild');
  // Its table, and from a bar of the histogram to the responses in it.
  await take(/^Table$/, 'Space');
  await expect(figure(page, HISTOGRAMS).getByRole('table')).toBeVisible();
  await press('Space');
  await tabTo(page, /^Histogram/);
  await press('Home');
  const bar = (await barCounts(page)).findIndex((count) => count > 0);
  for (let k = 0; k < bar; k++) await page.keyboard.press('ArrowRight');
  await press('Enter');
  const list = page.getByTestId('sequence-list');
  await expect(list.getByRole('button').first()).toBeVisible();
  await take(/#\d+L \d/);
  await expect(page.getByRole('dialog')).toContainText('Tokens, by log-ratio');
  expect(await inDrawer(page)).toBe(true);
  await press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(await focused(page), 'the histogram has the focus again').toMatch(/^Histogram/);

  // Back to the head of the page; share, and away again.
  await tabTo(page, /^Share$/, 'Shift+Tab');
  await press('Enter');
  await expect(page.getByTestId('fingerprint-words')).toContainText('came out the same');
  await take(/^Copy link$/);
  await press('Escape');
  expect(await focused(page)).toBe('Share');

  // A run of one's own, from the run bar; the runs; one deleted, and brought back by keys.
  await take(/^Start$/);
  await finished(page, 800);
  await take(/^Runs$/);
  const kept = page.getByTestId('kept');
  await expect(kept.first()).toBeVisible();
  const many = await kept.count();
  expect(many).toBeGreaterThan(1);
  const deletable = kept.getByRole('button', { name: 'Delete', exact: true, disabled: false });
  await expect(deletable.first()).toBeVisible();
  await take(/^Delete$/);
  await expect(kept).toHaveCount(many - 1);
  expect(await inDrawer(page)).toBe(true);
  await take(/^Undo$/);
  await expect(kept).toHaveCount(many);
  expect(await inDrawer(page)).toBe(true);
  await press('Escape');
  expect(await focused(page)).toBe('Runs');
});
