import { readFingerprint, writeFingerprint } from '../src/link/fingerprint';
import { mutatedLinks } from '../src/link/testing';
import {
  asStranger,
  editAddress,
  expect,
  finished,
  NO_POLICY,
  phase,
  sharedLink,
  startSmall,
  test,
} from './lab';
import type { Locator } from '@playwright/test';

test('a second browser repeats a shared run and says so; a link that was tampered with is caught, and told where', async ({
  page,
  backend,
  browser,
}) => {
  await finished(page, await startSmall(page, backend));
  const link = await sharedLink(page);
  const at = link.indexOf('fp=') + 3;
  expect(at).toBeGreaterThan(3);
  /** another letter, four of whose six bits differ, so that it is in the whole bytes that it touches */
  const changed = (position: number, letter?: string) => {
    const old = link[at + position];
    const other = letter ?? (old === 'A' ? 'z' : 'A');
    return `${link.slice(0, at + position)}${other}${link.slice(at + position + 1)}`;
  };
  const middle = 64;
  /** the last figure that the link has, twice as large */
  const anotherFigure = () => {
    const text = /^[\w-]+/.exec(link.slice(at))?.[0] ?? '';
    const fingerprint = readFingerprint(text);
    if (fingerprint === null) throw new Error('the link has no fingerprint');
    const last = fingerprint.figures.findLastIndex(({ value }) => value !== null);
    const figures = fingerprint.figures.map(({ key, value }, i) => ({
      key,
      value: i === last && value !== null ? 2 * value : value,
    }));
    return link.replace(text, writeFingerprint({ ...fingerprint, figures }));
  };

  await asStranger(browser, async (second) => {
    const comparison = second.getByTestId('comparison');
    // The run is not there yet, and nothing can be read from its fingerprint.
    await second.goto(changed(middle, '.'));
    await expect(second.getByTestId('banner')).toContainText(
      'The fingerprint in the link is damaged',
    );
    await finished(second, 32);
    await expect(comparison).toHaveCount(0);

    await second.goto('about:blank');
    await second.goto(link);
    await expect(comparison).toContainText('The same as in the link');
    await expect(comparison).toContainText('32 of 32');

    // Other prompts under the same fingerprint.
    await second.goto('about:blank');
    await second.goto(link.replace('prompts=8', 'prompts=8&seed=2'));
    await expect(comparison).toContainText('Not the same as in the link');
  });

  const cases = [
    ['policy files', changed(8), /Other files than those of the link: the (graph|checkpoint)/],
    ['check bits', changed(middle), /Other tokens in at least [12] of 32 responses/],
    ['figures', anotherFigure(), /32 of 32 responses\. (\d+) of (?!\1)\d+ figures/],
  ] as const;
  const comparison = page.getByTestId('comparison');
  for (const [what, address, words] of cases) {
    await page.goto(address);
    await expect(comparison, what).toContainText('Not the same as in the link');
    await expect(comparison, what).toContainText(words);
  }
  await expect(comparison.locator('tr.comparison-off')).toHaveCount(1);
});

/** What a mutation rarely hits. */
const BY_HAND = [
  'equivalence?v=1&__proto__=1&constructor=x&prototype.polluted=1&__proto__[polluted]=1',
  'equivalence?v=1&toString=1&valueOf=2&hasOwnProperty=3&then=4',
  '__proto__?v=1',
  'constructor',
  'javascript:alert(1)',
  '//evil.example/x?v=1',
  'variance?v=1&policy=https://evil.example/x',
  'variance?v=1&policy=%2F%2Fevil.example%2Fx&old=..%2F..%2Fx&new=javascript:alert(1)',
  'variance?v=1&policy=no-such-policy',
  'variance?v=1&old=no-such-checkpoint&new=__proto__',
  'variance?v=1&new=own-mine-01234567',
  'variance?v=1&alpha=1e308&temperature=-Infinity&seed=0x10&maxLength=NaN',
  'variance?v=1&prompts=99999999999999999999999999&groupSize=1e400',
  'variance?v=1&source=synthetic&prompts=100000&groupSize=1024&maxLength=4096',
  'variance?v=1&source=javascript:alert(1)',
  'variance?v=99999999999999999999',
  `variance?v=1&seed=${'9'.repeat(3000)}`,
  `variance?v=1&${'a=1&'.repeat(900)}`,
  `variance?v=1&policy=${'a'.repeat(100_000)}`,
  `variance?v=1&fp=${'A'.repeat(1200)}`,
  'variance?v=1&fp=AQP_____________________',
  'variance?v=1&embed=1&hide=<img%20src=x%20onerror=alert(1)>',
  'clipping?v=1&objectives=__proto__,gspo&z=%00',
  'train?v=1&trained=https://evil.example/x&from=..%2Fx&raced=javascript:alert(1)',
  'train?v=1&trained=no-such-policy&from=no-such-checkpoint',
  'train?v=1&racers=__proto__~1~1~1,gspo~-1~NaN~1e99',
  'reproduce?v=1&pair=https://evil.example/x&ledgerSeed=-1',
  'reproduce?v=1&pair=no-such-pair',
  '%E0%A4%A?v=1&%E0%A4%A=%E0%A4%A',
  '?',
  '',
];

test('hostile links: no error, nothing asked of another site, and the lab goes on answering', async ({
  page,
  baseURL,
}) => {
  const { origin } = new URL(baseURL ?? '');
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) elsewhere.push(url);
  });
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const heading = page.getByRole('heading', { level: 1 });
  const visit = async (hash: string) => {
    await page.evaluate((typed) => {
      location.hash = typed;
    }, hash);
    // A link to one figure shows that alone, or a sentence where the page has none of that name.
    const alone = page.locator('.figure-missing, .app-figure .figure');
    const shown = heading.or(alone).filter({ visible: true }).first();
    await expect(shown, hash.slice(0, 200)).toBeVisible();
  };

  // A run that rests is in nobody's way, and keeps a link's run from starting unasked.
  await page.goto('./#/variance?v=1&backend=wasm&prompts=256');
  await expect(phase(page)).toHaveText('Sampling');
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(phase(page)).toHaveText('Paused');
  for (const hash of mutatedLinks(30, 17)) await visit(hash);

  for (const path of BY_HAND) await visit(`#/${path}`);

  // Where nothing is lost by it, a link's run starts by itself: names that no site ships, too.
  // In English again: one of the links may have asked for another language.
  await visit('#/variance?v=1&backend=wasm&prompts=256&lang=en');
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(phase(page)).toHaveText('Stopped');
  for (const names of ['policy=no-such-policy', 'old=no-such', 'new=own-mine-01234567']) {
    await visit(`#/variance?v=1&backend=wasm&prompts=1&groupSize=1&maxOperators=1&${names}`);
    await expect(page.getByTestId('banner')).toContainText(/no-such|own-mine/);
  }

  await visit('#/variance?v=1&backend=wasm&source=synthetic&prompts=20&maxLength=16');
  await finished(page, 160);
  const touched = await page.evaluate(() => [
    ...Object.keys(Object.prototype),
    ...Object.keys(Array.prototype),
  ]);
  expect({ elsewhere, dialogs, touched }).toEqual({ elsewhere: [], dialogs: [], touched: [] });
});

test('back and forward move between pages, and an edited address is followed', async ({ page }) => {
  await page.goto('./#/variance?v=1&source=synthetic&prompts=60&rho=0.5');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/length|variance|1\/L/i);
  await page.getByRole('link', { name: 'Dependence' }).click();
  await expect(page).toHaveURL(/#\/dependence\?.*rho=0\.5/);
  await page.goBack();
  await expect(page).toHaveURL(/#\/variance/);
  await page.goForward();
  await expect(page).toHaveURL(/#\/dependence/);

  const heading = await page.getByRole('heading', { level: 1 }).innerText();
  await page.evaluate(() => {
    location.hash = '#/weights?v=1&source=synthetic&prompts=60&rho=0.25';
  });
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText(heading);
  await expect(page.getByRole('textbox', { name: /Neighbour correlation/ })).toHaveValue('0.25');
});

test('embedded, there is the experiment, a link back, and no more', async ({ page }) => {
  await page.setViewportSize({ width: 640, height: 480 });
  await page.goto('./#/variance?v=1&source=synthetic&prompts=60&embed=1&hide=setup,run');
  await expect(page.getByRole('figure').first()).toBeVisible();
  await expect(page.getByRole('navigation')).toHaveCount(0);
  await expect(page.locator('details.setup-column')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
  const back = page.getByRole('link', { name: /lab/i }).last();
  await expect(back).toHaveAttribute('href', /^(?!.*embed=).*#\/variance/);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(640);
});

/** Whatever changes a choice: fields, menus, sliders, switches; "Table" beside a figure is none. */
const choices = (part: Locator) =>
  part
    .locator('input:visible, select:visible, button[aria-pressed]:not(.breaks button):visible')
    .filter({ hasNotText: /^Table$/ });

test('what a link leaves out is gone from every page, and nothing else is', async ({ page }) => {
  const measurement = page.getByRole('region', { name: 'Measurement' });
  const words = page.getByRole('complementary', { name: 'Prediction and verdict' });
  const setup = page.locator('details.setup-column');
  const order = (name: string) => page.getByRole('button', { name, exact: true });
  const open = async (id: string, hide: string) => {
    const few = 'backend=wasm&source=synthetic&prompts=40&maxLength=24';
    await page.goto(`./#/${id}?v=1&${few}${hide === '' ? '' : `&hide=${hide}`}`);
    await expect(page.locator('main h1')).toBeVisible();
  };
  await open('variance', '');
  await finished(page, 320);

  // Pages of a run: the figures' own switches are all that the measurement has.
  for (const id of [
    'equivalence',
    'variance',
    'dependence',
    'weights',
    'length',
    'clipping',
    'gradient',
    'precision',
    'objectives',
  ]) {
    await open(id, 'controls');
    await expect(
      page.getByRole('figure').or(page.locator('.objectives table')).first(),
    ).toBeVisible();
    await expect(choices(measurement), id).toHaveCount(0);
    await expect(setup).toBeVisible();
    await expect(words).toBeVisible();
    await expect(order('Start')).toBeVisible();
  }
  await open('clipping', 'setup');
  await expect(setup).toHaveCount(0);
  await expect(order('Start')).toBeVisible();
  await expect(choices(measurement)).not.toHaveCount(0);
  await open('clipping', 'run');
  await expect(order('Start')).toHaveCount(0);
  await expect(phase(page)).toHaveCount(0);
  await expect(setup).toBeVisible();
  const verdict = page.getByTestId('verdict');
  await expect(verdict.first()).toBeVisible();
  await open('clipping', 'words');
  await expect(words).toHaveCount(0);
  await expect(verdict.filter({ visible: true })).toHaveCount(0);
  await expect(choices(measurement)).not.toHaveCount(0);

  // Pages with an engine of their own have their own setup and their own run.
  const pages = [
    {
      id: 'train',
      region: page.getByRole('region', { name: 'Race', exact: true }),
      run: [order('Train'), order('Step'), page.getByTestId('course')],
      setup: [page.getByLabel('Learning rate').first(), page.getByText('All settings')],
      /** of a figure */
      controls: [page.getByRole('group', { name: 'Average over steps' })],
    },
    {
      id: 'reproduce',
      region: page.getByRole('region', { name: 'Reproduction' }),
      run: [order('Reproduce'), page.getByLabel('Progress of the reproduction')],
      setup: [
        page.getByRole('region', { name: 'Reproduction' }).getByLabel('Seed'),
        page.getByRole('group', { name: 'Size' }),
      ],
      controls: [],
    },
  ];
  for (const { id, region, ...parts } of pages) {
    for (const hide of ['setup', 'run', 'controls', 'words', 'setup,run'] as const) {
      await open(id, hide);
      const hidden = hide.split(',');
      for (const [part, shown] of Object.entries({ ...parts, words: [words] })) {
        for (const one of shown) {
          await expect(one, `${part} of ${id} without ${hide}`).toBeVisible({
            visible: !hidden.includes(part),
          });
        }
      }
      if (hidden.includes('setup')) await expect(choices(region)).toHaveCount(0);
      // No empty frame stays behind.
      await expect(region).toBeVisible({ visible: hide !== 'setup,run' });
    }
  }
});

test('one figure of a page is embedded alone, and the QR code grows to the size of the screen', async ({
  page,
}) => {
  await page.goto(`./#/variance?${NO_POLICY}`);
  await finished(page, 32);
  await page.getByRole('button', { name: 'Share' }).click();
  const qr = page.getByRole('button', { name: 'Enlarge the QR code' });
  await qr.press('Enter');
  const large = page.getByRole('button', { name: 'Make the QR code small again' });
  const { width = 0, height = 0 } = (await large.locator('svg').boundingBox()) ?? {};
  expect(Math.min(width, height)).toBeGreaterThan(600);
  await large.press('Escape');
  await expect(qr).toBeFocused();
  await page.getByLabel('Show').selectOption('only “Variance of log s against length”');
  const snippet = await page.getByLabel('Snippet').inputValue();
  const address = /src="([^"]*)"/.exec(snippet)?.[1]?.replaceAll('&amp;', '&') ?? '';
  expect(address).toMatch(/figure=variance-of-log-s-against-length/);

  await page.goto('about:blank');
  await page.goto(address);
  const figures = page.getByRole('figure').filter({ visible: true });
  await expect(figures).toHaveCount(1);
  await expect(figures).toContainText('32 responses');
  for (const rest of [
    'h1',
    '.words',
    '.run-bar',
    '.setup-column',
    '.break-it',
    '.figure-missing',
  ]) {
    await expect(page.locator(rest).filter({ visible: true }), rest).toHaveCount(0);
  }
  await expect(page.getByRole('link', { name: 'Open in GSPO Lab' })).toHaveAttribute(
    'href',
    /^(?!.*figure=).*#\/variance/,
  );
  await editAddress(page, `#/variance?${NO_POLICY}&embed=1&figure=no-such-figure`);
  await expect(page.locator('.figure-missing')).toBeVisible();
});

test('the snippet of the Share dialog shows the experiment in a page of another origin', async ({
  page,
  context,
}) => {
  await page.goto('./#/variance?v=1&backend=wasm&source=synthetic&prompts=60&axes=linear');
  await finished(page, 480);
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('group', { name: 'Leave out' }).getByLabel('setup').check();
  const snippet = await page.getByLabel('Snippet').inputValue();

  // A page that has been nowhere: Chromium keeps public sites, which anything routed is, from a server
  // on this machine.
  const course = await context.newPage();
  await course.setContent(`<h1>A course</h1>${snippet}`);
  const frame = course.frameLocator('iframe[title^="GSPO Lab"]');
  await expect(frame.getByRole('figure').first()).toBeVisible();
  await expect(frame.getByTestId('phase')).toHaveText('Finished');
  await expect(frame.getByTestId('sequences')).toHaveText('480 of 480 responses');
  await expect(frame.getByTestId('verdict').first()).not.toHaveText(/not measured/);
  await expect(frame.getByRole('navigation')).toHaveCount(0);
  await expect(frame.getByRole('button', { name: 'Share' })).toHaveCount(0);
  await expect(frame.locator('details.setup-column')).toHaveCount(0);
  // As it was left in the lab.
  const axes = frame.getByRole('group', { name: 'Axes' }).first();
  await expect(axes.getByRole('button', { name: 'linear' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );

  const opening = course.waitForEvent('popup');
  await frame.getByRole('link', { name: 'Open in GSPO Lab' }).click();
  const lab = await opening;
  await expect(lab.getByRole('navigation').first()).toBeVisible();
  await expect(lab.locator('details.setup-column')).toBeVisible();
  await expect(lab).toHaveURL(/#\/variance\?(?!.*(embed|hide)=).*prompts=60/);
});
