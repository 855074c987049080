/**
 * What every spec stands on: a page on which an error fails the test, and small runs that a slow
 * machine finishes too. Contract: specs press what a person presses and read what a person reads.
 */
import { expect, test as base, type Page } from '@playwright/test';

export { expect };

export type Backend = 'wasm' | 'webgpu';

export const test = base.extend<{ page: Page; backend: Backend }>({
  backend: ['wasm', { option: true }],
  page: async ({ page, context }, use) => {
    const errors: string[] = [];
    // Of every page of the context: a spec may close this one and open another.
    context.on('weberror', (thrown) => {
      const error = thrown.error();
      errors.push(`page error: ${error.stack ?? error.message}`);
    });
    context.on('console', (message) => {
      if (message.type() === 'error') errors.push(`console error: ${message.text()}`);
    });
    await use(page);
    expect(errors, 'no page error and no console error').toEqual([]);
  },
});

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
  await page.getByLabel('Prompts', { exact: true }).fill(String(prompts));
  await page.getByLabel('Group size G').fill(String(groupSize));
  await page.getByLabel('Most operators').fill(String(mostOperators));
  await page.getByLabel('Backend', { exact: true }).selectOption(backend);
  await page.getByRole('button', { name: 'Start with these' }).click();
  return prompts * groupSize;
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

export async function finished(page: Page, responses: number): Promise<void> {
  await expect(phase(page)).toHaveText('Finished');
  const all = responses.toLocaleString('en-US');
  await expect(sequences(page)).toHaveText(`${all} of ${all} responses`);
}

/** Cells of the table behind a figure. */
export async function tableBehind(page: Page, title: string): Promise<string[][]> {
  const shown = figure(page, title);
  await shown.getByRole('button', { name: 'Table' }).click();
  const rows = await shown.locator('tbody tr').all();
  return Promise.all(rows.map((row) => row.locator('td').allInnerTexts()));
}

/** A number as the page writes it. */
export function read(text: string): number {
  return Number(text.replace('−', '-').replaceAll(',', ''));
}
