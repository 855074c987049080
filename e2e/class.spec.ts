/** A class: thirty files made by the command, pooled, with bad ones among them; and a seat that hands its run in. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import AxeBuilder from '@axe-core/playwright';
import { expect, figure, finished, sideways, test } from './lab';

const LINK = 'v=3&backend=wasm&source=synthetic&prompts=40&maxLength=32';

test('thirty class files of the command pool, two bad ones are refused by name, and a seat hands in its own', async ({
  page,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'class-'));
  const command = [
    'run',
    '-s',
    'class',
    '--',
    '--seats',
    '30',
    `#/variance?${LINK}`,
    '--out',
    folder,
  ];
  await promisify(execFile)('npm', command);
  const names = (await readdir(folder)).sort();
  expect(names).toHaveLength(30);
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      mimeType: 'application/json',
      buffer: await readFile(join(folder, name)),
    })),
  );
  await rm(folder, { recursive: true });
  const [first, second] = files;
  if (first === undefined || second === undefined) throw new Error('no files');
  const changed = second.buffer.toString().replace('"responses":320', '"responses":999');
  await page.goto(`./#/class?${LINK}`);
  await page
    .getByTestId('class-picker')
    .setInputFiles([
      { ...first, name: 'again.json' },
      ...files.slice(1),
      { ...first, name: 'first.json' },
      { ...second, name: 'changed.json', buffer: Buffer.from(changed) },
    ]);
  await expect(page.getByTestId('class-status')).toContainText('30 seats pooled, 2 refused.');
  const refused = page.getByTestId('class-refused');
  await expect(refused).toContainText('first.json: The same file as again.json.');
  await expect(refused).toContainText('changed.json: It has been changed since it was saved');
  await page.getByLabel('Claim').selectOption('variance.level');
  await expect(page.getByTestId('class-covered')).toContainText(/^(2[6-9]|30) of 30 intervals/);
  await expect(page.getByTestId('class-covered')).toContainText('hold the truth, 1');
  await expect(page.getByTestId('class-pooled')).toContainText('predicted 1');
  await expect(page.getByTestId('class-backends')).toContainText('30 seats (1–30)');
  await expect(figure(page, 'The class, seat by seat').locator('svg').first()).toBeVisible();

  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 740 });
  await expect.poll(() => sideways(page)).toBe(0);
  await page.setViewportSize({ width: 1280, height: 800 });

  // a student at seat 31 of the same class, whose text is pasted
  const links = await page.getByLabel('Links of the seats').inputValue();
  expect(links.split('\n')).toHaveLength(30);
  await page.goto(`./#/variance?${LINK}&seat=31`);
  await finished(page, 320);
  expect(page.url()).toContain('seat=31');
  await page.getByRole('button', { name: 'Share' }).click();
  await expect(page.getByTestId('class-file-words')).toContainText('of 320 responses');
  const text = await page.getByLabel('Class text').inputValue();
  await page.keyboard.press('Escape');
  await page.goto(`./#/class?${LINK}`);
  await page.getByLabel('Or paste class texts, one a line').fill(text);
  await page.getByRole('button', { name: 'Add' }).click();
  await expect(page.getByTestId('class-status')).toContainText('31 seats pooled, 2 refused.');
});
