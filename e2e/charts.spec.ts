/** How charts are read: by pointer, by touch and by keys, to the eye and to the ear; and that nothing waits on paper. */
import type { Locator, Page } from '@playwright/test';
import { expect, figure, finished, goTo, sharedPage, test } from './lab';

const shared = sharedPage(async (page, backend) => {
  await page.goto(`./#/variance?v=1&backend=${backend}&source=synthetic&prompts=40&seed=3`);
  await finished(page, 320);
});

const plot = (page: Page, title: string, nth = 0) =>
  figure(page, title).getByRole('slider').nth(nth);
/** What recharts shows beside the stop. */
const box = (page: Page, title: string) => figure(page, title).locator('.plot-tooltip');
const said = (of: Locator) => of.getAttribute('aria-valuetext');

const LAW = 'Variance of log s against length';

test('keys go from stop to stop, to the ends and by tenths; Escape ends the reading', async () => {
  const page = shared();
  await goTo(page, 'variance');
  const law = plot(page, LAW);
  await law.focus();
  await page.keyboard.press('Home');
  const first = await said(law);
  expect(first).toMatch(/^1 token, .*measured .*predicted/);
  await page.keyboard.press('ArrowRight');
  const second = await said(law);
  expect(second).not.toBe(first);
  await page.keyboard.press('ArrowLeft');
  expect(await said(law)).toBe(first);
  await page.keyboard.press('ArrowLeft');
  expect(await said(law), 'the first is the end').toBe(first);
  await page.keyboard.press('PageDown');
  expect(await said(law)).not.toBe(first);
  await page.keyboard.press('End');
  const last = await said(law);
  await page.keyboard.press('ArrowRight');
  expect(await said(law)).toBe(last);
  // What is heard is what is seen, and the panel below shows the same length.
  const head = (last ?? '').split(':')[0] ?? '?';
  await expect(box(page, LAW)).toHaveCount(2);
  await expect(box(page, LAW).first()).toContainText(head);
  await expect(box(page, LAW).last()).toContainText(head);
  await page.keyboard.press('Escape');
  await expect(law).toHaveAttribute('aria-valuetext', 'nothing read');
  await expect(box(page, LAW)).toHaveCount(0);
});

test('a pointer reads the nearest stop, exactly; it is said to who cannot see it, and gone when it leaves', async () => {
  const page = shared();
  await goTo(page, 'equivalence');
  const title = 'Not the Shannon entropy';
  const cloud = plot(page, title);
  // By keys to a point, by pointer to where its ring is: the same one.
  await cloud.focus();
  await page.keyboard.press('End');
  const wanted = await said(cloud);
  const ring = figure(page, title).locator('.plot-near');
  const at = await ring.boundingBox();
  await cloud.blur();
  await expect(ring).toHaveCount(0);
  if (at === null) throw new Error('the point that is read has no ring');
  await page.mouse.move(at.x + at.width / 2 - 3, at.y + at.height / 2 + 3);
  await expect(cloud).toHaveAttribute('aria-valuetext', wanted ?? '');
  await expect(figure(page, title).getByRole('status')).toHaveText(wanted ?? '');
  await expect(box(page, title)).toContainText((wanted ?? '').split(':')[0] ?? '?');
  await page.mouse.move(2, 2);
  await expect(ring).toHaveCount(0);
  await expect(figure(page, title).getByRole('status')).toHaveText('');
  // And where it is pressed, its response is opened.
  await page.mouse.click(at.x + at.width / 2, at.y + at.height / 2);
  await expect(page.getByRole('dialog')).toContainText(/#\d+/);
  await page.getByRole('button', { name: 'Close the inspector' }).click();
});

test('one crosshair runs through all histograms', async () => {
  const page = shared();
  await goTo(page, 'equivalence');
  const all = figure(page, 'Three forms of s, one distribution');
  await all.getByRole('slider').last().hover();
  await expect(all.locator('.bin-read')).toHaveCount(4);
  await expect(all.locator('.plot-tooltip')).toHaveCount(1);
});

test('arrows go over a map in both directions, and down the rows of a list', async () => {
  const page = shared();
  await goTo(page, 'clipping');
  const map = plot(page, 'Map over both edges');
  await map.focus();
  await page.keyboard.press('Home');
  const edges = async () => /low (.+), epsilon high (.+?):/.exec((await said(map)) ?? '')?.slice(1);
  const corner = await edges();
  await page.keyboard.press('ArrowUp');
  const above = await edges();
  expect(above?.[0]).toBe(corner?.[0]);
  expect(above?.[1]).not.toBe(corner?.[1]);
  await page.keyboard.press('ArrowRight');
  const beside = await edges();
  expect(beside?.[1]).toBe(above?.[1]);
  expect(beside?.[0]).not.toBe(above?.[0]);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowLeft');
  expect(await edges()).toEqual(corner);

  await goTo(page, 'precision');
  const rows = plot(page, 'Error of log s');
  await rows.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  expect(await said(rows)).toMatch(/^bf16: .*median /);
  await page.keyboard.press('ArrowUp');
  expect(await said(rows)).toMatch(/^fp32/);
});

test('a finger reads and leaves the reading; a second tap opens it', async ({ browser }) => {
  const context = await browser.newContext({
    hasTouch: true,
    isMobile: browser.browserType().name() === 'chromium',
    viewport: { width: 390, height: 844 },
  });
  const page = await context.newPage();
  await page.goto('./#/equivalence?v=1&backend=wasm&source=synthetic&prompts=40&seed=3');
  await finished(page, 320);
  const bars = figure(page, 'Three forms of s, one distribution').getByRole('slider').first();
  await bars.scrollIntoViewIfNeeded();
  const { width, height } = (await bars.boundingBox()) ?? { width: 0, height: 0 };
  const position = { x: width * 0.5, y: height / 2 };
  await bars.tap({ position });
  await expect(bars).toHaveAttribute('aria-valuetext', /^s from .* Geometric mean \d+/);
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await bars.tap({ position });
  await expect(page.getByTestId('sequence-list')).toBeVisible();
  await context.close();
});

test('on paper every figure is drawn, and drawn as it is now', async () => {
  const page = shared();
  await goTo(page, 'variance');
  await page.evaluate(() => scrollTo(0, 0));
  const printed = await page.evaluate(async (title) => {
    const of = [...document.querySelectorAll('figure')].find(
      (own) => own.querySelector('h3')?.textContent === title,
    );
    const linear = [...(of?.querySelectorAll('button') ?? [])].find(
      ({ textContent }) => textContent === 'linear',
    );
    // Off screen, so that it waits for its turn, a task of its own, and then there is no time to wait.
    linear?.click();
    for (let i = 0; i < 20; i++) await null;
    const waited = of?.querySelector('[data-outdated]') instanceof Element;
    dispatchEvent(new Event('beforeprint'));
    const plots = [...document.querySelectorAll('.plot-canvas')];
    const marks = plots.map((own) => own.querySelectorAll('.plot-mark').length);
    const outdated = document.querySelectorAll('[data-outdated]').length;
    const ticks = [...(of?.querySelectorAll('.recharts-yAxis-tick-labels text') ?? [])].map(
      ({ textContent }) => textContent,
    );
    dispatchEvent(new Event('afterprint'));
    return { waited, marks, outdated, ticks };
  }, 'Unnormalised weight');
  expect(printed.waited).toBe(true);
  expect(printed.outdated).toBe(0);
  expect(printed.marks.length).toBeGreaterThan(3);
  for (const marks of printed.marks) expect(marks).toBeGreaterThan(3);
  expect(printed.ticks, 'a linear axis from 0').toContain('0');
});

test('frames keep coming under a pointer that moves over four thousand points', async ({
  page,
  backend,
}) => {
  await page.goto(`./#/equivalence?v=1&backend=${backend}&source=synthetic&prompts=500&seed=3`);
  await finished(page, 4000);
  const cloud = plot(page, 'One form against another');
  await cloud.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await cloud.boundingBox()) ?? {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  };
  const over = (i: number) =>
    page.mouse.move(x + ((i * 7) % width), y + height * (0.5 + 0.4 * Math.sin(i / 9)));
  await over(0);
  const frames = page.evaluate(async () => {
    const times: number[] = [];
    const read = new Set<string>();
    for (let before = performance.now(); times.length < 150;) {
      const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      times.push(now - before);
      before = now;
      for (const one of document.querySelectorAll('[role=slider][aria-valuetext^="response #"]'))
        read.add(one.getAttribute('aria-valuetext') ?? '');
    }
    return { times: times.slice(1).sort((a, b) => a - b), read: read.size };
  });
  for (let i = 1; i < 150; i++) await over(i);
  const { times, read } = await frames;
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? NaN;
  const said = `ms a frame: median ${at(0.5).toFixed(1)}, 95 % ${at(0.95).toFixed(1)}, longest ${at(1).toFixed(1)}`;
  console.log(said);
  test.info().annotations.push({ type: 'frames', description: said });
  expect(read, 'points read on the way').toBeGreaterThan(5);
  // 60 a second; other work on this machine may cost some.
  expect(at(0.5)).toBeLessThan(18);
});
