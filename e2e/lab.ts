/**
 * What every spec stands on: a page on which an error fails the test, and small runs that a slow
 * machine finishes too. Contract: specs press what a person presses and read what a person reads.
 * Tests that leave nothing behind share one loaded page (`sharedPage`); what needs no policy opens
 * `NO_POLICY`, because the lab's own first run keeps both cores busy for a minute.
 */
import {
  expect,
  test as base,
  type Browser,
  type BrowserContext,
  type Locator,
  type Page,
} from '@playwright/test';

export { expect };

/** A run of an instant, on a page that is asked for something else. */
export const NO_POLICY = 'v=1&backend=wasm&source=synthetic&prompts=4&maxLength=8';

export type Backend = 'wasm' | 'webgpu';

/** Errors of every page of the context from now on: a spec may close one and open another. */
function errorsOf(context: BrowserContext): string[] {
  const errors: string[] = [];
  context.on('weberror', (thrown) => {
    const error = thrown.error();
    errors.push(`page error: ${error.stack ?? error.message}`);
  });
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console error: ${message.text()}`);
  });
  return errors;
}

const NO_ERRORS = 'no page error and no console error';

export const test = base.extend<{ page: Page; backend: Backend }>({
  backend: ['wasm', { option: true }],
  page: async ({ page, context }, use) => {
    const errors = errorsOf(context);
    await use(page);
    expect(errors, NO_ERRORS).toEqual([]);
  },
});

/**
 * One page for all tests of a group, which `open` brings up before the first of them; after each, an error
 * on it fails that test. A failed test ends the worker, and the next one starts on a new page.
 * @returns the page, for use within tests
 */
export function sharedPage(open: (page: Page, backend: Backend) => Promise<void>): () => Page {
  let page: Page;
  let errors: string[];
  test.beforeAll(async ({ browser }, info) => {
    page = await (await browser.newContext()).newPage();
    errors = errorsOf(page.context());
    const { backend } = info.project.use as { backend: Backend };
    await open(page, backend);
  });
  test.afterEach(() => {
    expect(errors.splice(0), NO_ERRORS).toEqual([]);
  });
  test.afterAll(async () => {
    await page.context().close();
  });
  return () => page;
}

/** A page that is a visitor of its own, errors and all; closed when `visit` has ended. */
export async function asStranger(
  browser: Browser,
  visit: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext();
  const errors = errorsOf(context);
  await visit(await context.newPage());
  await context.close();
  expect(errors, NO_ERRORS).toEqual([]);
}

/** Through the menu, as a person goes; nothing is loaded anew. The page before stays in view for a moment. */
export async function goTo(page: Page, id: string): Promise<void> {
  const menu = page.getByRole('navigation', { name: 'Experiments', exact: true });
  const link = menu.locator(`a[href^="#/${id}"]`);
  if ((await link.getAttribute('aria-current')) === 'page') return;
  const heading = page.getByRole('heading', { level: 1 });
  const before = await heading.innerText();
  // On a phone the pages are folded into a menu.
  const folded = menu.getByRole('button', { name: /all pages/ });
  if (await folded.isVisible()) await folded.click();
  await link.click();
  await expect(link).toHaveAttribute('aria-current', 'page');
  await expect(heading).not.toHaveText(before);
  await expect(heading).toBeVisible();
}

/** Follows an address as one that was edited by hand: the page stays. */
export const editAddress = (page: Page, hash: string) =>
  page.evaluate((typed) => {
    location.hash = typed;
  }, hash);

/** By how many pixels the page is wider than its window. */
export const sideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export interface Small {
  prompts?: number;
  groupSize?: number;
  mostOperators?: number;
}

/** Opens a link that holds a small run, which starts by itself. */
export async function startSmall(
  page: Page,
  backend: Backend,
  { prompts = 8, groupSize = 4, mostOperators = 1 }: Small = {},
): Promise<number> {
  const settings = { backend, prompts, groupSize, maxOperators: mostOperators };
  const query = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  await page.goto('about:blank');
  await page.goto(`./#/equivalence?v=1&${query.join('&')}`);
  return prompts * groupSize;
}

/** Replaces the run that started by itself with a small one, through the setup panel. */
export async function startByPanel(
  page: Page,
  backend: Backend,
  { prompts = 8, groupSize = 4, mostOperators = 1 }: Small = {},
): Promise<number> {
  await expect(phase(page)).not.toHaveText('Looking for a backend', { timeout: 120_000 });
  await openSetup(page);
  await typeInto(page.getByLabel('Prompts', { exact: true }), String(prompts));
  await typeInto(page.getByLabel('Group size G'), String(groupSize));
  await typeInto(page.getByLabel('Most operators'), String(mostOperators));
  await page.getByLabel('Backend', { exact: true }).selectOption(backend);
  await page.getByRole('button', { name: 'Start with these' }).click();
  return prompts * groupSize;
}

/**
 * Key by key: in a Firefox that is driven over BiDi, Playwright's `fill` sets the value so that React takes
 * it for what was there already (seen in Playwright 1.65).
 */
export async function typeInto(field: Locator, text: string): Promise<void> {
  await field.selectText();
  await field.pressSequentially(text);
}

/** On a phone the setup panel is folded away. */
export async function openSetup(page: Page): Promise<void> {
  const setup = page.locator('details.setup-column');
  if (!(await setup.evaluate((details: HTMLDetailsElement) => details.open))) {
    await setup.locator('> summary').click();
  }
}

export const phase = (page: Page) => page.getByTestId('phase');
export const sequences = (page: Page) => page.getByTestId('sequences');
export const figure = (page: Page, title: string) => page.getByRole('figure', { name: title });

export const HISTOGRAMS = 'Three forms of s, one distribution';

/** Responses in each bar of the first histogram. */
export const barCounts = (page: Page) =>
  figure(page, HISTOGRAMS)
    .locator('.strip')
    .first()
    .evaluate((strip) =>
      Array.from(strip.querySelectorAll('[data-bin]'), (bar) =>
        Number(bar.getAttribute('data-count')),
      ),
    );

/** By keyboard alone, what is behind a bar. */
export async function openBar(page: Page, bar: number): Promise<void> {
  await figure(page, HISTOGRAMS).getByRole('slider').first().focus();
  await page.keyboard.press('Home');
  for (let i = 0; i < bar; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
}

/** Seconds in which a run that was interrupted may be seen so before it goes on again. */
const INTERRUPTED = 5;

export async function finished(page: Page, responses: number): Promise<void> {
  // A run that broke off says why; waiting longer would only hide it.
  let seen = 0;
  await expect
    .poll(
      async () => {
        const now = await phase(page).innerText();
        seen = now === 'Interrupted' ? seen + 1 : 0;
        return now === 'Finished' || seen > INTERRUPTED;
      },
      { intervals: [1000] },
    )
    .toBe(true);
  const why = page.getByRole('alert').filter({ hasText: 'The run was interrupted.' });
  if (seen > 0) throw new Error(await why.innerText());
  await expect(phase(page)).toHaveText('Finished');
  const all = responses.toLocaleString('en-US');
  await expect(sequences(page)).toHaveText(`${all} of ${all} responses`);
}

/**
 * Cells of the table behind a figure, read in one go: Firefox 153's content process crashes where
 * Playwright 1.65 asks it for lists of elements (`evaluateAll`, `allInnerTexts`).
 */
export async function tableBehind(page: Page, title: string): Promise<string[][]> {
  const shown = figure(page, title);
  await shown.getByRole('button', { name: 'Table' }).click();
  return shown.locator('table').evaluate((table: HTMLTableElement) =>
    Array.from(table.tBodies)
      .flatMap((body) => Array.from(body.rows))
      .map((row) => Array.from(row.querySelectorAll('td'), (cell) => cell.innerText)),
  );
}

/** A number as the page writes it. */
export function read(text: string): number {
  return Number(text.replace('−', '-').replaceAll(',', ''));
}

/** The link of the run in view, fingerprint and all, as the share dialog offers it. */
export async function sharedLink(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Share' }).click();
  await expect(page.getByTestId('fingerprint-words')).toContainText('came out the same');
  const link = await page.getByLabel('Link', { exact: true }).inputValue();
  await page.keyboard.press('Escape');
  return link;
}
