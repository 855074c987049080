/** `npm run experiment`, as a person calls it: exit status, and that its files are what they say. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './lab';

const LINK = '#/variance?v=1&source=synthetic&prompts=40&maxLength=24';

/** @returns standard output and the exit status */
function experiment(options: string[]): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    execFile('npm', ['run', 'experiment', '--', LINK, ...options], (error, stdout, stderr) => {
      const status = error === null ? 0 : Number(error.code ?? -1);
      resolve({ status, text: `${stdout}\n${stderr}` });
    });
  });
}

/** What the browser makes of an SVG file: its texts, or its complaint. */
const textsOf = (page: Page, svg: string) =>
  page.evaluate((source) => {
    const parsed = new DOMParser().parseFromString(source, 'image/svg+xml');
    const wrong = parsed.querySelector('parsererror');
    return wrong?.textContent ?? parsed.documentElement.textContent;
  }, svg);

test(
  'experiment: a link is repeated without a screen, into figures, tables and JSON',
  { tag: '@smoke' },
  async ({ page, backend }, info) => {
    const [svg, csv, json] = ['svg', 'csv', 'found.json'].map((name) => info.outputPath(name));
    const files = ['--svg', svg, '--csv', csv, '--json', json];
    const { status, text } = await experiment([...files, '--backend', backend]);
    expect(status, text).toBe(0);
    expect(text).toContain('variance: 320 responses');

    const found = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown>;
    expect(found).toMatchObject({ page: 'variance', sequences: 320, comparison: null });

    const tables = await readdir(csv);
    expect(tables).toHaveLength(3);
    for (const name of tables) {
      const lines = (await readFile(join(csv, name), 'utf8')).trim().split(/\r?\n/);
      const [head, ...rows] = lines.filter((line) => !line.startsWith('#'));
      expect(head, name).toMatch(/^\w+,/);
      expect(rows.length, name).toBeGreaterThan(name.includes('claims') ? 3 : 319);
    }

    const pictures = await readdir(svg);
    expect(pictures.length).toBeGreaterThan(1);
    const titles = await Promise.all(
      pictures.map(async (name) => textsOf(page, await readFile(join(svg, name), 'utf8'))),
    );
    for (const title of titles) expect(title).not.toMatch(/error on line|parsererror/i);
    expect(titles.join('\n')).toContain('Variance of log s against length');
  },
);
