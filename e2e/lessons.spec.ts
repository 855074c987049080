/** Lessons: a step is answered before its experiment opens, and the answer stands beside what was measured. */
import { expect } from '@playwright/test';
import { goTo, test } from './lab';

test('a lesson by keyboard: the answer first, then the measurement beside it', async ({ page }) => {
  await page.goto('./#/lessons');
  await page.getByRole('button', { name: 'Why 1/L' }).focus();
  await page.keyboard.press('Enter');
  const step = page.getByTestId('lesson-step');
  await expect(step).toContainText('Step 1 of');
  await step.getByLabel('Your number').focus();
  await page.keyboard.type('minus one');
  await page.keyboard.press('Enter');
  await expect(step.getByRole('alert')).toContainText('Type a number');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('-0.5');
  await page.keyboard.press('Tab');
  await page.keyboard.type('0.2');
  await page.keyboard.press('Enter');
  // the experiment of the step, on its own run
  await expect(page.getByRole('heading', { level: 1 })).toContainText('variance of the log weight');
  await expect(page.getByTestId('lesson-focus')).toContainText('Variance of log s against length');
  const score = page.getByTestId('lesson-score');
  await expect(score).toContainText(/Measured: −[01]\.\d/);
  await expect(score).toContainText('You said −0.500 ± 0.20, which does not cover it.');
  await page.getByRole('button', { name: 'Next step' }).focus();
  await page.keyboard.press('Enter');
  await expect(step).toContainText('Step 2 of');
  // meanwhile no page tells what it predicts
  await goTo(page, 'variance');
  await expect(page.getByTestId('concealed')).toBeVisible();
  await expect(page.getByTestId('verdict')).toHaveCount(0);
  await expect(page.getByRole('figure')).toHaveCount(0);
  await page.getByRole('button', { name: 'Back to the step' }).click();
  // what was answered stays as it was
  await step.getByRole('button', { name: 'Back' }).click();
  await expect(step.getByLabel('Your number')).toBeDisabled();
  await expect(step.getByLabel('Your number')).toHaveValue('-0.5');
});

test('what is no lesson is refused with a sentence, and a script in a text stays text', async ({
  page,
}) => {
  await page.goto('./#/lessons');
  const give = (lesson: unknown) =>
    page.getByLabel('Your own lesson').setInputFiles({
      name: 'own.json',
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify(lesson)),
    });
  const own = (link: string, text = 'Look.') => ({
    id: 'mine',
    title: 'Mine',
    level: 1,
    minutes: 5,
    steps: [{ text, link, minutes: 5 }],
  });
  await give({ html: '<b>no</b>' });
  await expect(page.getByTestId('lesson-trouble')).toContainText('This is no lesson');
  await give(own('https://example.org/#/variance'));
  await expect(page.getByTestId('lesson-trouble')).toContainText('tep 1');
  await give(own('#/variance?v=3&source=synthetic', '<img src=x onerror="document.title=1">'));
  await expect(page.getByTestId('lesson-step')).toContainText('<img src=x');
  expect(await page.title()).not.toBe('1');
});
