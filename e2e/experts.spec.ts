/** A mixture of experts: its page on a small run of the shipped policy. */
import { expect, figure, finished, tableBehind, test } from './lab';

test(
  'routes flip, replay is scored, and every objective says what it changes',
  { tag: '@webgpu' },
  async ({ page, backend }) => {
    const query =
      'policy=arithmetic-moe&old=step-03000&new=gspo-00150&prompts=16&groupSize=4&maxOperators=5&budget=0';
    await page.goto(`./#/experts?v=3&backend=${backend}&${query}`);
    await finished(page, 64);

    const margins = await tableBehind(page, 'Log-ratios by margin of the router');
    expect(margins.length).toBeGreaterThan(3);
    await expect(figure(page, 'Log-ratios by margin of the router')).toContainText(
      /experts of [1-9][\d.]* % of the tokens changed/,
    );
    const left = await tableBehind(page, 'What routing replay leaves');
    expect(left).toHaveLength(3);
    const objectives = await tableBehind(page, 'Routing replay, objective by objective');
    const gspo = objectives.find(([name]) => name === 'GSPO') ?? [];
    expect(parseFloat(gspo[1] ?? '')).toBeGreaterThan(0);
    expect(parseFloat(gspo[5] ?? '')).toBeGreaterThan(0);
    await expect(
      page.getByText('Routing replay moves less of GSPO’s gradient than of GRPO’s.'),
    ).toBeVisible();
  },
);

test('a study of routes says what it does, and can be cancelled', async ({ page }) => {
  await page.goto('./#/experts?v=3&backend=wasm&source=synthetic&prompts=4&maxLength=8');
  await expect(page.getByTestId('no-routes')).toBeVisible();
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  const status = page.getByTestId('route-study');
  await expect(status).toContainText(/%, (opening|sampling|routes)/);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(status).toHaveText('Cancelled.');
});
