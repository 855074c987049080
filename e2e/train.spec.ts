import { readFile, writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import {
  asStranger,
  expect,
  finished,
  openSetup,
  sequences,
  tableBehind,
  test,
  type Backend,
} from './lab';

/** A race of seconds: short sums, few of them. */
const TINY = 'steps=3&perStep=2&group=4&minibatches=2&most=1&longest=16&evalEvery=3&evalPrompts=8';

const course = (page: Page) => page.getByTestId('course');
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function openRace(page: Page, backend: Backend): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`./#/train?v=1&on=${backend}&${TINY}`);
  await expect(button(page, 'Train')).toBeEnabled();
}

async function trained(page: Page): Promise<void> {
  await expect(course(page)).toHaveText(/^Finished, 6 of 6 steps/);
}

test(
  'a race: curves, samples, its rollouts in every experiment, a link that is checked',
  { tag: ['@webgpu', '@firefox'] },
  async ({ page, browser, browserName, backend }) => {
    await openRace(page, backend);
    await button(page, 'Train').click();
    await trained(page);
    const rows = await tableBehind(page, 'Reward on fresh prompts');
    expect(rows.map(([step]) => step)).toEqual(['1', '2', '3']);
    const heldOut = await tableBehind(page, 'Held-out accuracy');
    // What the race starts from, and where it has come to.
    expect(heldOut.map(([step]) => step)).toEqual(['0', '3']);
    for (const row of heldOut) {
      expect(row.slice(1).every((cell) => cell.endsWith('%'))).toBe(true);
    }

    await button(page, 'Sample now').click();
    await expect(page.getByTestId('samples').locator('li')).toHaveCount(8);

    await button(page, 'Link with the result').click();
    const link = await page.getByLabel('Link with the result').inputValue();
    expect(link).toMatch(/race\.found=[\w-]+$/);

    await page.getByLabel('Rollouts of step').selectOption('2');
    await button(page, 'Open in every experiment').click();
    await expect(sequences(page)).toHaveText(/^8 of 8 responses, from gspo step 2/);
    // The setup names what is in view, and that its settings are none of it.
    await openSetup(page);
    await expect(page.getByTestId('files-in-view')).toContainText('gspo step 2');
    await expect(page.getByTestId('setup-differs')).toHaveCount(0);
    await expect(page.getByTestId('verdict').first()).toHaveText(
      /holds|undecided|not applicable|departs/,
    );

    // A stranger repeats it; another one opens a link whose settings are not those of its result.
    const visits = [
      [link, '✓ The same as in the link.'],
      [link.replace('v=3', 'v=3&race.seed=2'), '✕ Not the same as in the link.'],
    ] as const;
    // Whoever races elsewhere is compared by the same code; here it takes seconds.
    const here = backend === 'wasm' && browserName === 'chromium';
    for (const [address, verdict] of here ? visits : []) {
      await asStranger(browser, async (stranger) => {
        await stranger.goto(address);
        const comparison = stranger.getByTestId('race-comparison');
        await expect(comparison).toContainText('Press Train to repeat it');
        await button(stranger, 'Train').click();
        await expect(comparison).toContainText(verdict);
      });
    }
  },
);

/** A sound checkpoint of other weights. */
async function changedIn(path: string, value = 0.125): Promise<Buffer> {
  const bytes = Buffer.from(await readFile(path));
  bytes.writeFloatLE(value, bytes.length - 4);
  return bytes;
}

test('a checkpoint leaves as a file and comes back as a policy of the lab', async ({
  page,
  browser,
}, info) => {
  await openRace(page, 'wasm');
  await button(page, 'Train').click();
  await trained(page);
  const coming = page.waitForEvent('download');
  await button(page, 'Download the checkpoint').click();
  const file = await coming;
  expect(file.suggestedFilename()).toBe('gspo-00003.safetensors');
  const path = info.outputPath('mine.safetensors');
  await file.saveAs(path);

  await page.goto('about:blank');
  await page.goto('./#/variance?v=1&backend=wasm&prompts=4&groupSize=4&maxOperators=1');
  await finished(page, 16);
  await openSetup(page);
  await page.getByLabel('Add a checkpoint file').setInputFiles(path);
  const choices = page.getByLabel('New policy');
  const own = choices.locator('option', { hasText: /^own-mine-/ });
  await expect(own).toHaveCount(1);
  await expect(choices).toHaveValue(/^own-mine-/);
  await expect(
    page.getByText('mine.safetensors is added, and chosen as the new policy.'),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Start with these' }).click();
  await finished(page, 16);

  await test.step('a link to that run asks for the file, takes no other, and comes out the same', async () => {
    await page.getByRole('button', { name: 'Share' }).click();
    await expect(page.getByTestId('fingerprint-words')).toContainText('came out the same');
    await expect(page.getByTestId('own-files')).toContainText('mine.safetensors');
    const link = await page.getByLabel('Link', { exact: true }).inputValue();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    const other = info.outputPath('mine-too.safetensors');
    await writeFile(other, await changedIn(path));
    await asStranger(browser, async (guest) => {
      await guest.goto(link);
      const wanted = guest.getByTestId('wanted-checkpoint');
      await expect(wanted).toContainText('mine.safetensors');
      await guest.getByLabel('Choose the file').setInputFiles(other);
      await expect(wanted.getByRole('alert')).toContainText('This is another file');
      await guest.getByLabel('Choose the file').setInputFiles(path);
      await finished(guest, 16);
      await expect(wanted).toHaveCount(0);
      await expect(guest.getByTestId('comparison')).toContainText('✓ The same as in the link.');
    });
  });

  const cut = info.outputPath('cut.safetensors');
  await writeFile(cut, (await readFile(path)).subarray(0, 5000));
  await page.getByLabel('Add a checkpoint file').setInputFiles(cut);
  await expect(page.getByRole('alert')).toContainText('cut.safetensors');
  // A weight that is no number is refused by its tensor, and no verdict rests on it.
  const nan = info.outputPath('nan.safetensors');
  await writeFile(nan, await changedIn(path, NaN));
  await page.getByLabel('Add a checkpoint file').setInputFiles(nan);
  await expect(page.getByRole('alert')).toContainText(/nan\.safetensors.*has NaN at element/);
  await expect(choices).toHaveValue(/^own-mine-/);
});

test('paused, stepped, reloaded: a race goes on from where it was kept', async ({ page }) => {
  await openRace(page, 'wasm');
  await button(page, 'Step').click();
  await expect(course(page)).toHaveText(/^Paused, 2 of 6 steps/);
  await button(page, 'Step').click();
  await expect(course(page)).toHaveText(/^Paused, 4 of 6 steps/);
  await expect(page.getByTestId('kept-race')).toContainText('2 of 3 steps');

  await page.reload();
  const kept = page.getByTestId('kept-race');
  await expect(kept).toContainText('2 of 3 steps');
  await kept.getByRole('button', { name: 'Resume' }).click();
  await trained(page);
  expect(await tableBehind(page, 'Clip share')).toHaveLength(3);
  await expect(kept).toContainText('3 of 3 steps');

  // Another race beside it, from the kept one's settings; then gone, and back.
  await page.getByLabel('Objective').last().selectOption('DAPO');
  await button(page, 'Train again').click();
  await trained(page);
  await expect(kept).toHaveCount(2);
  await kept.last().getByRole('button', { name: 'Overlay' }).click();
  await expect(page.getByText('GRPO (kept 1)', { exact: true })).toBeVisible();
  await kept.last().getByRole('button', { name: 'Delete' }).click();
  await expect(kept).toHaveCount(1);
  await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
  await expect(kept).toHaveCount(2);
});

test('reloaded in mid-step, a race goes on; finished and reloaded, it opens with its weights', async ({
  page,
}) => {
  await page.goto(
    './#/train?v=1&on=wasm&steps=12&perStep=4&group=8&minibatches=4&most=5&longest=64&evalPrompts=0',
  );
  // Steps long enough that the race is not over before the reload.
  await button(page, 'Train').click();
  const kept = page.getByTestId('kept-race');
  await expect(kept).toContainText(/[1-9]\d* of 12 steps/);
  await expect(course(page)).toHaveText(/^(GSPO|GRPO): \w+, \d+ of 24 steps/);
  await page.reload();

  await expect(kept).toContainText(/[1-9]\d* of 12 steps/);
  await expect(kept).not.toContainText('12 of 12 steps');
  await kept.getByRole('button', { name: 'Resume' }).click();
  await expect(course(page)).toHaveText(/^Finished, 24 of 24 steps/);
  const rows = await tableBehind(page, 'Reward on fresh prompts');
  expect(rows.map(([step]) => Number(step))).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  await expect(kept).toContainText('12 of 12 steps');

  await page.reload();
  await expect(kept).toContainText('12 of 12 steps');
  await expect(button(page, 'Download the checkpoint')).toHaveCount(0);
  await kept.getByRole('button', { name: 'Open' }).click();
  await expect(course(page)).toHaveText(/^Finished, 24 of 24 steps/);
  const coming = page.waitForEvent('download');
  await button(page, 'Download the checkpoint').click();
  expect((await coming).suggestedFilename()).toBe('gspo-00012.safetensors');
});

test('settings that cannot be are explained, and Train waits', async ({ page }) => {
  await page.goto('./#/train?v=1&perStep=1&group=2&minibatches=16');
  await expect(page.getByRole('alert')).toContainText(
    '16 minibatches cannot be cut from 2 responses',
  );
  await expect(button(page, 'Train')).toBeDisabled();
});
