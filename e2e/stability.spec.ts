/** The stability study: the recorded one, and one of the visitor's own. */
import { expect, tableBehind, test } from './lab';

test('the recorded study is told as such; one of one’s own trains, pauses and stops', async ({
  page,
}) => {
  await page.goto('./#/stability?v=3&studySeeds=2&studySteps=8');
  await expect(page.getByTestId('recorded-note')).toContainText('75 runs of 60 steps');
  const gains = await tableBehind(page, 'Accuracy gained or lost');
  expect(gains).toHaveLength(15);
  await expect(page.getByTestId('verdict').first()).toContainText('(recorded)');

  const course = page.getByTestId('study-course');
  await expect(course).toContainText('10 runs of 8 steps');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect(course).toContainText(/Training, [1-9]\d* of 80 steps/);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await expect(course).toContainText('Paused');
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await expect(course).toContainText('Training');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(course).toContainText('Stopped');
  // What was recorded stays until there are runs of one's own.
  await expect(page.getByTestId('recorded-note')).toBeVisible();
});
