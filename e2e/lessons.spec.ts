/** Lessons: a step is answered before its experiment opens, and the answer stands beside what was measured. */
import { AxeBuilder } from '@axe-core/playwright';
import { SHIPPED_LESSONS } from '../src/lessons/shipped';
import { expect, goTo, test } from './lab';

/** Whole answers take as long as a run of 4,000 synthetic responses. */
test('a whole lesson by keyboard: the answer first, then the measurement laid over it', async ({
  page,
}) => {
  await page.goto('./#/lessons');
  await page.getByRole('button', { name: 'Why 1/L' }).focus();
  await page.keyboard.press('Enter');
  const step = page.getByTestId('lesson-step');
  const score = page.getByTestId('lesson-score');
  const submit = step.getByRole('button', { name: /Answer, and open/ });
  const enter = async (name: RegExp | string) => {
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
  };

  // a drawing: no curve with a hole in it is an answer
  await expect(step).toContainText('Step 1 of');
  const handles = step.getByRole('slider');
  await handles.first().focus();
  for (let i = 0; i < 6; i++) {
    // each higher than it should be by some tenth of the axis
    await page.keyboard.press('PageDown');
    if (i === 4) await enter(/Answer, and open/);
    if (i === 4) await expect(step.getByRole('alert')).toContainText('not set yet');
    await handles.nth(Math.min(5, i + 1)).focus();
  }
  await expect(handles.first()).toHaveAttribute('aria-valuetext', '0.000398');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByTestId('drawn-reading')).toContainText('Var[log s], nats²: 0.000479');
  await submit.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('variance of the log weight');
  await expect(score).toContainText(
    /through the interval at \d of 8 measured points\. .*half-widths/,
  );
  await expect(score).toContainText(/like L to the power 0\.\d\d, what was measured like −[01]\./);
  const drawn = page.getByRole('figure', { name: 'Your curve and the measurement' });
  await expect(drawn.locator('.recharts-line')).toHaveCount(1);
  await expect(page.getByTestId('lesson-focus')).toContainText('Your curve and the measurement');
  await enter('Next step');

  // meanwhile no page tells what it predicts
  await expect(step).toContainText('Step 2 of');
  await page.reload();
  await expect(step).toContainText('Step 2 of');
  await goTo(page, 'variance');
  await expect(page.getByTestId('concealed')).toBeVisible();
  await expect(page.getByTestId('verdict')).toHaveCount(0);
  await expect(page.getByRole('figure')).toHaveCount(0);
  await enter('Back to the step');
  for (let i = 0; i < 6; i++) {
    await handles.nth(i).focus();
    await page.keyboard.press('End');
  }
  await submit.focus();
  await page.keyboard.press('Enter');
  await expect(score).toContainText('0 of 8');
  // a reload keeps the lesson, the step and the answer
  await page.reload();
  await expect(score).toContainText('0 of 8');
  await enter('Next step');

  // a number, with a guess of its error
  await expect(step).toContainText('Step 3 of');
  await step.getByLabel('Your number').focus();
  await page.keyboard.type('about one');
  await page.keyboard.press('Enter');
  await expect(step.getByRole('alert')).toContainText('Type a number');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('1,5');
  await page.keyboard.press('Tab');
  await page.keyboard.type('0.2');
  await page.keyboard.press('Enter');
  await expect(score).toContainText(/Measured: 2\.[789]/);
  await expect(score).toContainText('You said 1.50 ± 0.20, which does not cover it.');
  await enter('Next step');

  // a choice
  await expect(step).toContainText('Step 4 of 4');
  await step.getByRole('radio').first().focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(score).toContainText('That is what was measured.');
  await expect(page.getByRole('button', { name: 'Next step' })).toHaveCount(0);
  await enter('Back to the step');
  // what was answered stays as it was
  await enter('Back');
  await expect(step.getByLabel('Your number')).toBeDisabled();
  await expect(step.getByLabel('Your number')).toHaveValue('1.5');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true });

  test('a drawing by finger; nothing scrolls sideways, axe finds nothing', async ({ page }) => {
    const complaints = async () => {
      const axe = new AxeBuilder({ page });
      const { violations } = await axe
        .options({ rules: { 'target-size': { enabled: true } } })
        .analyze();
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      return [
        ...violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)),
        ...(wide > 0 ? [`${wide} px too wide`] : []),
      ];
    };
    await page.goto('./#/lessons');
    await page.getByRole('button', { name: 'Why 1/L' }).tap();
    expect(await complaints()).toEqual([]);
    const pad = page.locator('.draw-pad');
    await pad.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await pad.boundingBox()) ?? {
      x: 0,
      y: 0,
      width: 0,
      height: 0,
    };
    const finger = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', share: number) =>
      finger.send('Input.dispatchTouchEvent', {
        type,
        touchPoints:
          type === 'touchEnd'
            ? []
            : [{ x: x + 1 + share * (width - 2), y: y + height * (0.42 + 0.4 * share) }],
      });
    const before = await page.evaluate(() => scrollY);
    await touch('touchStart', 0);
    for (let i = 1; i <= 12; i++) await touch('touchMove', i / 12);
    await touch('touchEnd', 1);
    // the finger drew, and did not scroll
    expect(await page.evaluate(() => scrollY)).toBe(before);
    await expect(page.getByTestId('drawn-reading')).toContainText('All points are set');
    // Chromium takes a tap within a moment of a stroke for a part of it.
    await expect(async () => {
      await page.getByRole('button', { name: /Answer, and open/ }).tap({ timeout: 1000 });
      await expect(page.getByTestId('lesson-dock')).toBeVisible({ timeout: 2000 });
    }).toPass();
    await expect(page.getByTestId('lesson-score')).toContainText(/8 of 8 .* power −1\.0/);
    expect(await complaints()).toEqual([]);
  });
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

  // a link carries the same lesson to another tab, and its script is text there too
  await page.getByText('Give this lesson to others').click();
  const link = await page.getByLabel('Link of this lesson').inputValue();
  const other = await page.context().newPage();
  await other.goto(link);
  await expect(other.getByTestId('lesson-step')).toContainText('<img src=x');
  await expect(other).not.toHaveURL(/lesson=/);
  await other.close();
  await page.getByRole('button', { name: 'End the lesson' }).click();
  await page.goto(link.replace(/lesson=.*/, 'lesson=AAAA'));
  await expect(page.getByTestId('carried-trouble')).toContainText('damaged');
});

test('what a teacher prints: notes, and a worksheet of two pages', async ({ page }) => {
  await page.goto('./#/lessons');
  await page.getByRole('button', { name: 'Notes' }).click();
  await expect(page.locator('.lesson-note')).toHaveCount(SHIPPED_LESSONS.length);
  await expect(page.locator('.lesson-notes')).toContainText('(measured −0.982)');
  await page.getByRole('button', { name: 'Back to the lessons' }).click();
  await page.getByRole('button', { name: 'Worksheet' }).click();
  await expect(page.locator('.worksheet article')).toHaveCount(SHIPPED_LESSONS.length);
  const margin = { top: '12mm', bottom: '12mm', left: '12mm', right: '12mm' };
  for (const format of ['A4', 'Letter']) {
    const pdf = (await page.pdf({ format, margin })).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b/g), format).toHaveLength(2);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});
