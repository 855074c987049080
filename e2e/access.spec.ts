/** Who cannot see or point: axe finds nothing on any page, in whatever state it is, in both themes, on a phone too. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { PAGE_IDS, PAGES } from '../src/experiments/manifest';
import { barCounts, expect, finished, goTo, openBar, phase, startSmall, test } from './lab';

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
